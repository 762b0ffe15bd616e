// The small executable that forks: it reads its arguments and runs the fork server, no more.

import Glibc
import LabForkServer

guard let settings = ForkServerSettings(arguments: CommandLine.arguments.dropFirst()),
    var server = ForkServer(settings: settings)
else {
    complainAsForkServer("This is started by 'lab record' of the same build; run that.")
    exit(64)
}
exit(server.run())
