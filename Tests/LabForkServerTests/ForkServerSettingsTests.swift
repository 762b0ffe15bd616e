import LabForkServer
import LabWire
import Testing

@Suite struct ForkServerSettingsTests {
    @Test func `settings survive the command line`() {
        let settings = ForkServerSettings(
            mode: .upstream(
                Authority(host: "example", port: 80),
                addresses: [
                    Authority(host: "192.0.2.7", port: 80),
                    Authority(host: "2001:db8::1", port: 80),
                ]
            ),
            serverName: Authority(host: "::1", port: 8888),
            forwards: false,
            pseudonym: ForkServerSettings.newPseudonym(),
            forwardedFields: .rfc7239,
            reaping: .once,
            mostChildren: 9,
            maxRequestsPerChild: 1,
            childTimeoutNs: 4,
            headerTimeoutNs: 5,
            idleTimeoutNs: 6,
            upstreamTimeoutNs: 7,
            maxHeaderBytes: 1000
        )
        #expect(ForkServerSettings(arguments: settings.arguments) == settings)
    }

    @Test func `a CGI program's path survives it, whatever is in it`() {
        let settings = ForkServerSettings(
            mode: .cgi("/a b/c=d"),
            serverName: Authority(host: "127.0.0.1", port: 8888),
            showsErrors: true
        )
        #expect(ForkServerSettings(arguments: settings.arguments) == settings)
    }

    @Test func `arguments of another build are refused`() {
        #expect(ForkServerSettings(arguments: []) == nil)
        #expect(ForkServerSettings(arguments: ["server=127.0.0.1:1", "unknown=1"]) == nil)
    }
}
