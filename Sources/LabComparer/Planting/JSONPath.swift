// Where a value stands in JSON documents that are alike but not the same.

import LabExchange

/// The way from a document's root to a value.
struct JSONPath: Sendable, Equatable {
    /// One step of it.
    enum Step: Sendable, Equatable {
        /// To the member of a name.
        case member([UInt8])
        /// To the first element.
        case first
    }

    var steps: [Step] = []

    /// The entry of the value in a document, or of its name; nil where it has none there.
    func entry(in document: JSONDocument, isName: Bool = false) -> Int? {
        var place = 0
        var name: Int?
        for step in steps {
            name = nil
            switch (step, document.entries[place].kind) {
            case (.member(let wanted), .object):
                guard
                    let found = document.children(place).first(where: {
                        document.string($0) == wanted
                    })
                else { return nil }
                name = found
                place = found + 1
            case (.first, .array):
                guard let found = document.children(place).first else { return nil }
                place = found
            default: return nil
            }
        }
        return isName ? name : place
    }

    /// The ways to a document's numbers, strings and booleans, those near the root first.
    static func scalars(of document: JSONDocument, most: Int) -> [JSONPath] {
        var found: [JSONPath] = []
        var open: [(path: JSONPath, entry: Int)] = [(JSONPath(), 0)]
        while !open.isEmpty, found.count < most {
            var next: [(path: JSONPath, entry: Int)] = []
            for (path, entry) in open {
                switch document.entries[entry].kind {
                case .null: break
                case .boolean, .number, .string: found.append(path)
                case .array:
                    guard let first = document.children(entry).first else { continue }
                    next.append((JSONPath(steps: path.steps + [.first]), first))
                case .object:
                    next += document.children(entry).prefix(most).map { name in
                        let step = Step.member(document.string(name))
                        return (JSONPath(steps: path.steps + [step]), name + 1)
                    }
                }
            }
            open = next
        }
        return Array(found.prefix(most))
    }
}
