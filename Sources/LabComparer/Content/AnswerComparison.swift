// Two answers to the same request -> where they differ.
//
//     outcome ── ok on both sides? ── status ── the same? ── media type ── fields ── content
//
// What follows from something that differs already is not told again: of an answer with another
// status, fields and content are another page.

public import LabExchange

/// What a server answered to one request.
public struct ObservedAnswer: Sendable, Equatable {
    /// How it ended.
    public var outcome: ReplayOutcome
    /// The status; 0 where no head came.
    public var status: Int
    /// The head as it came; empty where it is not known.
    public var head: [UInt8]
    /// The content as it came, without framing; nil where it is not known.
    public var content: [UInt8]?
    /// Whether ``content`` is all of it.
    public var isWhole: Bool

    /// Makes an answer.
    public init(
        outcome: ReplayOutcome,
        status: Int,
        head: [UInt8] = [],
        content: [UInt8]? = nil,
        isWhole: Bool = true
    ) {
        self.outcome = outcome
        self.status = status
        self.head = head
        self.content = content
        self.isWhole = isWhole
    }
}

/// Compares answers.
enum AnswerComparison {
    /// What `after` has otherwise than `before`.
    static func differences(
        _ before: ObservedAnswer,
        _ after: ObservedAnswer,
        rules: EndpointRules
    ) -> DifferenceList {
        var list = DifferenceList(rules: rules)
        guard before.outcome == after.outcome else {
            // What failed before and does no longer is told, and is no fault.
            let isBetter = after.outcome == .ok
            list.add(
                Difference(
                    isBetter ? "outcome recovered" : "outcome",
                    .outcome,
                    before: before.outcome.rawValue,
                    after: after.outcome.rawValue,
                    severity: isBetter ? .info : .breaking
                )
            )
            return list
        }
        guard before.outcome == .ok else { return list }
        guard before.status == after.status else {
            let isSameClass = before.status / 100 == after.status / 100
            let isBetter = before.status >= 500 && after.status < 500
            list.add(
                Difference(
                    isBetter ? "status recovered" : "status",
                    .status,
                    before: "\(before.status)",
                    after: "\(after.status)",
                    severity: isBetter ? .info : isSameClass ? .value : .breaking
                )
            )
            return list
        }
        if before.content == after.content, HeaderComparison.areAlike(before.head, after.head) {
            return list
        }
        let (first, second) = (ResponseFields(before.head), ResponseFields(after.head))
        if !before.head.isEmpty, !after.head.isEmpty {
            if let old = first.mediaType, let new = second.mediaType {
                if old != new {
                    list.add(
                        Difference("header content-type", .contentType, before: old, after: new)
                    )
                } else if first.mediaParameters != second.mediaParameters {
                    list.addValue(
                        "header content-type",
                        first.mediaParameters,
                        second.mediaParameters
                    )
                }
            }
            HeaderComparison.compare(first, second, into: &list)
        }
        if let old = before.content, let new = after.content {
            ContentComparison.compare(
                CodedContent(bytes: old, isWhole: before.isWhole, fields: first),
                CodedContent(bytes: new, isWhole: after.isWhole, fields: second),
                into: &list
            )
        }
        return list
    }
}
