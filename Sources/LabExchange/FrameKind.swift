// The codes in which frames are written: both ends are of one build, so they may change with it.

import LabWire

/// The first byte of each frame.
enum FrameKind: UInt8 {
    case childForked = 1
    case childStarted, requestHead, requestContent, requestEnd, upstreamConnected, responseHead
    case responseContent, exchangeEnd, childEnding, childReaped, serverEvent, fragment
    case connectionOpened, connectionClosed, exchangePart, environ, applicationErrors
}

/// An enum whose cases travel as their place in `allCases`: both ends are of one build.
protocol FrameCode: CaseIterable, Equatable where AllCases == [Self] {}
extension ExchangeOutcome: FrameCode {}
extension ChildFate: FrameCode {}
extension ServerEventKind: FrameCode {}
extension WireRule: FrameCode {}
extension ExchangePart: FrameCode {}

extension FrameCode {
    var code: UInt8 { UInt8(Self.allCases.firstIndex(of: self) ?? 0) }
}
