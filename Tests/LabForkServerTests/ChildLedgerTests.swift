import LabForkServer
import LabTestSupport
import Testing

@Suite struct ChildLedgerTests {
    @Test func `a child is reaped once and a stranger never is a child`() {
        var ledger = ChildLedger()
        ledger.forked(pid: 7, connectionID: 1)
        #expect(ledger.ended(pid: 8, group: 8) == .stranger(connectionID: nil))
        #expect(ledger.ended(pid: 7, group: 7) == .child(connectionID: 1))
        #expect(ledger.ended(pid: 7, group: 5) == .stranger(connectionID: nil))
        #expect(ledger.reapCount == 1)
    }

    @Test func `an orphan is known by its group, while its child lives and after`() {
        var ledger = ChildLedger()
        ledger.forked(pid: 7, connectionID: 1)
        #expect(ledger.ended(pid: 8, group: 7) == .stranger(connectionID: 1))
        #expect(ledger.ended(pid: 7, group: 7) == .child(connectionID: 1))
        #expect(ledger.ended(pid: 9, group: 7) == .stranger(connectionID: 1))
        // It remembers the last few thousand, and no more.
        for pid in 100..<10_000 as Range<Int32> {
            ledger.forked(pid: pid, connectionID: Int64(pid))
            #expect(ledger.ended(pid: pid, group: pid) == .child(connectionID: Int64(pid)))
        }
        #expect(ledger.ended(pid: 10, group: 7) == .stranger(connectionID: nil))
        #expect(ledger.ended(pid: 10, group: 9999) == .stranger(connectionID: 9999))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `every forked PID is reaped exactly once in any order of events`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var ledger = ChildLedger()
        var alive: [(pid: Int32, connection: Int64)] = []
        var next: Int64 = 1
        for _ in 0..<5000 {
            if alive.isEmpty || Bool.random(using: &random) {
                // A small range, so that PIDs are used again as the kernel does.
                let pid = Int32.random(in: 2...300, using: &random)
                guard !alive.contains(where: { $0.pid == pid }) else { continue }
                ledger.forked(pid: pid, connectionID: next)
                alive.append((pid, next))
                next += 1
            } else {
                let gone = alive.remove(at: Int.random(in: 0..<alive.count, using: &random))
                #expect(
                    ledger.ended(pid: gone.pid, group: gone.pid)
                        == .child(connectionID: gone.connection)
                )
            }
        }
        #expect(ledger.living.count == alive.count)
        #expect(ledger.forkCount == ledger.reapCount + alive.count)
    }
}
