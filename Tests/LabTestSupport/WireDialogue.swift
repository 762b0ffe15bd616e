// What a reader says of some bytes, as lines that can be compared and read.

public import LabWire

/// Feeds a request reader and writes down what it says.
///
/// - Parameters:
///   - bytes: What the peer sends before it closes.
///   - cuts: Where the bytes are cut before they are fed, ascending.
///   - limits: What the reader allows.
/// - Returns: A line for each event, the content of a message in one.
public func requestDialogue(
    _ bytes: [UInt8],
    cuts: [Int] = [],
    limits: HeadLimits = HeadLimits()
) -> [String] {
    var reader = RequestReader(limits: limits)
    var said: [String] = []
    var content: [UInt8] = []
    func flushContent() {
        if !content.isEmpty { said.append("content " + String(decoding: content, as: UTF8.self)) }
        content = []
    }
    func drain() {
        while true {
            switch reader.next() {
            case .needsBytes: return
            case .head(let head):
                said.append("head " + String(decoding: head.bytes, as: UTF8.self))
                said += head.deviations.map { "bent \($0.rule.rawValue) at \($0.offset)" }
            case .content(let run): content += run
            case .end:
                flushContent()
                said.append("end")
            case .refused(let deviation):
                flushContent()
                said.append("refused \(deviation.rule.rawValue)")
                return
            case .closed:
                said.append("closed")
                return
            }
        }
    }
    var start = 0
    for cut in cuts + [bytes.count] where said.last?.hasPrefix("refused") != true {
        bytes[start..<cut].withUnsafeBytes { reader.receive($0) }
        start = cut
        drain()
    }
    if said.last?.hasPrefix("refused") != true {
        reader.receiveEnd()
        drain()
    }
    return said
}
