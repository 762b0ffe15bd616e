import Foundation
import LabTestSupport
import Testing

/// A way of slowhttptest's to hold on to a server, and how lab lets go of it.
struct SlowAttack: Sendable, CustomTestStringConvertible {
    let name: String
    /// What slowhttptest is told.
    let options: [String]
    let path: String
    /// What `lab record` is told.
    let limits: [String]
    /// What is stored of each slow exchange, as a condition.
    let stored: String

    var testDescription: String { name }
}

/// Clients that take all the time in the world.
@Suite struct SlowClientTests {
    private static let clients = 20

    @Test(arguments: [
        SlowAttack(
            name: "slow heads",
            options: ["-H"],
            path: "/",
            limits: ["--header-timeout", "2s"],
            stored:
                "status = 408 AND outcome = 'bad_request' AND error LIKE 'timeout: the head did not come within %'"
        ),
        SlowAttack(
            name: "slow content",
            options: ["-B", "-s", "8192", "-i", "30"],
            path: "/echo",
            limits: ["--idle-timeout", "2s"],
            stored:
                "status = 408 AND outcome = 'truncated' AND error LIKE 'timeout: the request''s content did not come for %'"
        ),
        SlowAttack(
            name: "content that never pauses for long enough",
            options: ["-B", "-s", "8192"],
            path: "/echo",
            limits: ["--child-timeout", "2s"],
            stored:
                "status = 504 AND outcome = 'child_died' AND error LIKE '% for taking too long over this request'"
        ),
        SlowAttack(
            name: "slow reading",
            options: ["-X", "-w", "10", "-y", "20", "-z", "5", "-n", "1", "-l", "4"],
            path: "/bytes/10000000",
            limits: ["--upstream-timeout", "1s"],
            stored:
                "status = 200 AND outcome = 'client_closed' AND error = 'timeout: the client took nothing for 1.0 s'"
        ),
        // Ranges are not served: the answer is the whole, once.
        SlowAttack(
            name: "a thousand ranges",
            options: ["-R", "-a", "5", "-b", "1000", "-t", "GET"],
            path: "/",
            limits: [],
            stored: "status = 200 AND outcome = 'ok' AND CAST(request_head AS TEXT) LIKE '%5-1000%'"
        ),
    ])
    func `slow clients keep no other waiting, and lose their children in the end`(
        attack: SlowAttack
    ) throws {
        let lab = try LabRecord(attack.limits)
        let server = try lab.forkServer()
        let slow = try attacking(lab, attack)
        while try count(lab, "connection") < Self.clients {}
        #expect(try lab.get("/environ?other").contains("QUERY_STRING"))
        // It ends when all its connections were closed; what reads slowly sees no end, and gives up.
        _ = slow.finish()
        while try !Tool.run("pgrep", "-P", "\(server)").output.isEmpty {}
        #expect(lab.stop().status == 0)
        #expect(try Tool.run(Place.lab, "check", lab.session).status == 0)
        #expect(try count(lab, "exchange WHERE \(attack.stored)") >= Self.clients)
        #expect(try count(lab, "exchange WHERE target = '/environ?other' AND outcome = 'ok'") == 1)
        if !attack.limits.isEmpty {
            // It was answered while the slow ones held their children.
            let served = "(SELECT response_ended_ns FROM exchange WHERE target = '/environ?other')"
            let held = "SELECT connection_id FROM exchange WHERE \(attack.stored)"
            #expect(
                try count(lab, "child WHERE reaped_ns > \(served) AND connection_id IN (\(held))")
                    > 0
            )
        }
    }

    @Test func `a client that is slow within the limits is waited for`() throws {
        let lab = try LabRecord()
        let attack = SlowAttack(name: "", options: ["-H"], path: "/", limits: [], stored: "")
        let slow = try attacking(lab, attack)
        while try count(lab, "connection") < Self.clients {}
        slow.signal(SIGKILL)
        _ = slow.finish()
        while try count(lab, "exchange WHERE outcome IS NOT NULL") < Self.clients {}
        lab.stop()
        #expect(try count(lab, "exchange WHERE status = 408") == 0)
    }

    private func attacking(_ lab: LabRecord, _ attack: SlowAttack) throws -> Tool {
        try Tool(
            ["slowhttptest", "-c", "\(Self.clients)", "-r", "200", "-i", "1", "-l", "8"]
                + attack.options + ["-u", lab.url(attack.path)]
        )
    }

    private func count(_ lab: LabRecord, _ rows: String) throws -> Int {
        Int(try lab.sql("SELECT count(*) FROM \(rows)")) ?? 0
    }
}
