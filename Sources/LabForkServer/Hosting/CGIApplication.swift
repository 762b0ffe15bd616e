// CGI programs as an application (RFC 3875): each request runs one, which has the environ as its
// environment.
//
//     content ─▶ stdin  ┌─────────┐ stdout ─▶ header section ─▶ head, content ─▶ the client
//     environ ─▶ told ─▶│ program │ stderr ─▶ told
//                       └─────────┘ its end ─▶ the exchange's outcome

import CLabLinux
import Glibc
package import LabExchange
package import LabWire

/// The program, or the directory of programs, of `lab record --cgi`.
package final class CGIApplication: Application {
    /// How often programs may send a request on to another path of this server.
    static let mostRedirects = 10

    private let root: [UInt8]
    private let isDirectory: Bool
    private let searchPath: [UInt8]
    private let settings: ForkServerSettings

    /// Makes it; nil where the settings name no program.
    package init?(_ settings: ForkServerSettings) {
        guard case .cgi(let path) = settings.mode else { return nil }
        root = Array(path.utf8)
        var facts = stat()
        isDirectory = stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
        searchPath =
            getenv("PATH").map { Array(String(cString: $0).utf8) }
            ?? Array("/usr/local/bin:/usr/bin:/bin".utf8)
        self.settings = settings
    }

    package func environ(
        of head: RequestHead,
        from origin: ConnectionOrigin,
        by environs: EnvironBuilder
    ) -> (Environ, [Deviation]) {
        var request = CGIRequest(head, by: environs)
        // Where there is none the request is on record all the same, and then refused.
        request.script = try? script(request.path)
        return request.environ(of: head, from: origin, by: environs, searchPath: searchPath)
    }

    private func script(_ path: ArraySlice<UInt8>) throws(CGIScript.Refusal) -> CGIScript {
        isDirectory ? try CGIScript(below: root, path: path) : try CGIScript(only: root, path: path)
    }

    package func answer(_ call: ApplicationCall) {
        var request = CGIRequest(call.head, by: call.environs)
        clab_ignore_broken_pipes()
        for _ in 0...Self.mostRedirects {
            do throws(CGIScript.Refusal) {
                request.script = try script(request.path)
            } catch {
                return error == .missing
                    ? call.refuse(404, "there is no program at this path")
                    : call.refuse(403, "the file at this path is not executable")
            }
            guard let input = CGIInput(of: &request, call) else { return }
            call.tell(
                request.environ(
                    of: call.head,
                    from: call.origin,
                    by: call.environs,
                    searchPath: searchPath
                ).0
            )
            // Told before the program runs, whatever becomes of it.
            call.flush()
            var run: CGIRun
            do throws(CGIProgram.StartFailure) {
                let program = try CGIProgram(request, call.environ, input)
                run = CGIRun(program, for: call, settings)
            } catch {
                return call.fail(error.sentence)
            }
            guard let location = run.serve() else { return }
            request = CGIRequest(request, redirectedTo: location[...])
        }
        call.fail("the programs sent the request on more than \(Self.mostRedirects) times")
    }
}

/// What the system said last.
func systemError() -> String { String(cString: strerror(errno)) }
