// What a server could not do, in sentences: the first time at once, and how often at the end.

import Foundation
import LabExchange

/// The details of a server event that sentences are made of.
struct EventDetail: Decodable {
    /// What the system said.
    var error: String?
    /// Its number.
    var errno: Int32?
    /// Connections that the kernel dropped.
    var dropped: Int?
    /// How many the listen queue holds.
    var backlog: Int?
    /// Zombies at the last count.
    var standing: Int?

    /// Reads a JSON object; nil where it is none.
    init?(_ json: [UInt8]) {
        guard let read = try? JSONDecoder().decode(Self.self, from: Data(json)) else { return nil }
        self = read
    }
}

/// Turns the events of a server in trouble into sentences, one for each kind until the end.
struct Troubles {
    private var counts: [ServerEventKind: Int] = [:]
    private var dropped = 0

    /// Notes an event.
    ///
    /// - Returns: A sentence, for the first event of its kind.
    mutating func note(_ kind: ServerEventKind, _ detail: [UInt8]) -> String? {
        guard kind == .forkFailed || kind == .acceptFailed || kind == .listenOverflow else {
            return nil
        }
        counts[kind, default: 0] += 1
        let known = EventDetail(detail)
        dropped += known?.dropped ?? 0
        return counts[kind] == 1 ? Self.sentence(kind, known) : nil
    }

    /// How often each thing befell the server that befell it more than once.
    var totals: [String] {
        var lines: [String] = []
        if let count = counts[.forkFailed], count > 1 {
            lines.append("\(count) connections were answered 503, for no child could be forked.")
        }
        if let count = counts[.acceptFailed], count > 1 {
            lines.append("accept failed \(count) times.")
        }
        if let count = counts[.listenOverflow], count > 1 {
            lines.append(
                "The kernel dropped \(dropped) connections, for the listen queue was full."
            )
        }
        return lines
    }

    private static func sentence(_ kind: ServerEventKind, _ detail: EventDetail?) -> String {
        let why = detail?.error ?? "the system does not say why"
        switch kind {
        case .forkFailed:
            return
                "Cannot fork a child: \(why). The client is answered 503, and the next connection "
                + "waits a little. Allow more processes (ulimit -u), or fewer children (--max-children)."
        case .listenOverflow:
            return "The listen queue of \(detail?.backlog ?? 0) is full: the kernel dropped "
                + "\(detail?.dropped ?? 0) connections, whose clients try again after a second. Make it "
                + "longer (--backlog, net.core.somaxconn), or allow more children (--max-children)."
        default:
            return isShortOfDescriptors(detail)
                ? "Cannot accept a connection: \(why). It stays in the queue and is tried again after "
                    + "0.1 s. Allow more descriptors (ulimit -n), or fewer children (--max-children)."
                : "A connection was gone before it could be accepted: \(why)."
        }
    }

    private static func isShortOfDescriptors(_ detail: EventDetail?) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(detail?.errno ?? 0)
    }
}
