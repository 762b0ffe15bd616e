// The accounts of a recording, as sums that one can check by eye.

import LabSession

/// The identity of a recording in lines: the sums, and whether they hold.
struct AccountLines {
    let identity: SessionIdentity
    let id: Int64

    init(identity: SessionIdentity, of id: Int64) {
        self.identity = identity
        self.id = id
    }

    func lines(_ style: Style) -> [String] {
        let verdict =
            switch identity.verdict {
            case .holds: style.good("all accounted for")
            case .open: style.doubtful("not checked: the recording goes on")
            case .abandoned: style.bad("NOT CHECKED: the recorder was killed")
            case .uncounted: style.bad("NOT CHECKED: the fork server's counts are missing")
            case .broken: style.bad("DOES NOT ADD UP")
            }
        var lines = [
            "  recording \(id)    \(verdict)",
            "                 accepted \(counted(identity.accepted)) = "
                + "recorded \(Quantity.count(identity.recorded)) + failed \(counted(identity.failed))",
            "                 forks \(counted(identity.forks)) = "
                + "reaped \(Quantity.count(identity.reaped)) + living \(Quantity.count(identity.living))"
                + " + unknown \(Quantity.count(identity.unknown))",
        ]
        let loss =
            "exchanges lost \(Quantity.count(identity.lost)), "
            + "without an end yet \(Quantity.count(identity.unfinished))"
        lines.append("                 " + (identity.lost > 0 ? style.bad(loss) : loss))
        lines += identity.faults.map { "                 " + style.bad($0) }
        return lines
    }

    private func counted(_ number: Int?) -> String { number.map { Quantity.count($0) } ?? "?" }
}
