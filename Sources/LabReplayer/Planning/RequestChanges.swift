// What is changed in captured requests before they are sent: targets and fields, never framing.

import LabWire

/// What is changed in captured requests before they are sent.
public struct RequestChanges: Sendable, Equatable {
    /// A field to be sent.
    public struct Field: Sendable, Equatable {
        /// Its name, as it is sent.
        public var name: String
        /// Its value.
        public var value: String

        /// Makes a field.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The methods that are sent; nil for all.
    public var methods: Set<String>?
    /// Fields that are sent in place of those of the same name.
    public var setFields: [Field] = []
    /// Names of fields that are not sent.
    public var removedFields: [String] = []
    /// Rules that change targets, one after the other.
    public var rewrites: [TargetRewrite] = []
    /// Whether `Host` stays what it was when it was captured.
    public var keepsHost = false

    /// Makes no changes.
    public init() {}

    /// Whether a head stays as it is.
    var areNone: Bool { setFields.isEmpty && removedFields.isEmpty && rewrites.isEmpty }
}

/// Applies changes to heads, and counts what came of them.
struct RequestEditor {
    private let changes: RequestChanges
    /// How many heads each rule changed: rewrites, set fields, removed fields, in this order.
    private(set) var counts: [Int]
    private var targets: [[UInt8]: (target: [UInt8], rules: [Int])] = [:]

    init(_ changes: RequestChanges) {
        self.changes = changes
        let rules = changes.rewrites.count + changes.setFields.count + changes.removedFields.count
        counts = Array(repeating: 0, count: rules)
    }

    /// What each count is of, as the command line has it.
    var names: [String] {
        changes.rewrites.map { "--rewrite '\($0)'" }
            + changes.setFields.map { "--set-header '\($0.name): \($0.value)'" }
            + changes.removedFields.map { "--remove-header \($0)" }
    }

    /// The head with all changes; nil where its target has become none.
    mutating func edit(_ head: RequestHead) -> [UInt8]? {
        guard let target = edited(Array(head.target), isOptions: head.method.equals("OPTIONS"))
        else {
            return nil
        }
        var out: [UInt8] = []
        out.reserveCapacity(head.bytes.count + 128)
        out += head.method
        out.append(0x20)
        out += target
        out += head.minorVersion == 0 ? " HTTP/1.0\r\n".utf8 : " HTTP/1.1\r\n".utf8
        let firstSet = changes.rewrites.count
        let firstRemoved = firstSet + changes.setFields.count
        var isSet = Array(repeating: false, count: changes.setFields.count)
        var isRemoved = Array(repeating: false, count: changes.removedFields.count)
        for field in head.fields {
            let name = String(decoding: head.name(of: field), as: UTF8.self).lowercased()
            if let place = changes.removedFields.firstIndex(where: { $0.lowercased() == name }) {
                isRemoved[place] = true
                continue
            }
            guard changes.setFields.contains(where: { $0.name.lowercased() == name }) else {
                out += head.name(of: field)
                out += ": ".utf8
                out += head.value(of: field)
                out += "\r\n".utf8
                continue
            }
            for (place, one) in changes.setFields.enumerated()
            where one.name.lowercased() == name && !isSet[place] {
                isSet[place] = true
                out += "\(one.name): \(one.value)\r\n".utf8
            }
        }
        for (place, one) in changes.setFields.enumerated() {
            if !isSet[place] { out += "\(one.name): \(one.value)\r\n".utf8 }
            counts[firstSet + place] += 1
        }
        for place in isRemoved.indices where isRemoved[place] { counts[firstRemoved + place] += 1 }
        out += "\r\n".utf8
        return out
    }

    private mutating func edited(_ target: [UInt8], isOptions: Bool) -> [UInt8]? {
        guard !changes.rewrites.isEmpty else { return target }
        let known = targets[target] ?? rewritten(target)
        targets[target] = known
        for rule in known.rules { counts[rule] += 1 }
        let new = known.target
        let isOrigin = new.first == 0x2F || isOptions && new == [0x2A]
        let isVisible = new.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x23 }
        return known.rules.isEmpty || isOrigin && isVisible ? new : nil
    }

    private func rewritten(_ target: [UInt8]) -> (target: [UInt8], rules: [Int]) {
        // A target that is no UTF-8 is read byte by byte, and written so again.
        let isText = String(validating: target, as: UTF8.self) != nil
        var text =
            isText
            ? String(decoding: target, as: UTF8.self)
            : String(String.UnicodeScalarView(target.map { Unicode.Scalar($0) }))
        var rules: [Int] = []
        for (place, rule) in changes.rewrites.enumerated() {
            guard let changed = rule.applied(to: text) else { continue }
            text = changed
            rules.append(place)
        }
        let bytes =
            isText
            ? Array(text.utf8)
            : text.unicodeScalars.flatMap { scalar in
                scalar.value < 256 ? [UInt8(scalar.value)] : Array(String(scalar).utf8)
            }
        return (bytes, rules)
    }
}
