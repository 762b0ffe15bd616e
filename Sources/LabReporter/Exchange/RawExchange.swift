// An exchange as its bytes, as they are stored.

import LabExchange
public import LabSession

/// An exchange as its bytes.
public enum RawExchange {
    /// The request's head and content, then the response's, as they are stored: heads as they came,
    /// contents without their framing.
    public static func bytes(_ detail: ExchangeDetail) -> [UInt8] {
        detail.requestHead + (detail.requestBody?.bytes ?? []) + (detail.responseHead ?? [])
            + (detail.responseBody?.bytes ?? [])
    }

    /// What the bytes do not hold, a sentence each.
    public static func remarks(_ detail: ExchangeDetail) -> [String] {
        [("request", detail.requestBody), ("response", detail.responseBody)].compactMap {
            name,
            body in
            guard let body, body.isTruncated else { return nil }
            return
                "Of the \(name)'s content only the first \(body.bytes.count) of \(body.size) bytes "
                + "were kept."
        }
    }
}
