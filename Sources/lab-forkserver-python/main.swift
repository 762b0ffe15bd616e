// The fork server that hosts a Python application: as lab-forkserver, but dynamic, for a static
// executable can't load libpython.

import Glibc
import LabForkServer
import LabPython

guard let settings = ForkServerSettings(arguments: CommandLine.arguments.dropFirst()),
    case .python(let python) = settings.mode
else {
    complainAsForkServer("This is started by 'lab record --app' of the same build; run that.")
    exit(64)
}
guard var server = ForkServer(settings: settings, application: HostedPython(python)) else {
    exit(2)
}
exit(server.run())
