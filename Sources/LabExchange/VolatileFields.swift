// Header fields that say something else in each answer: one list for all who compare answers.

/// Response fields whose values differ between two answers that are the same.
public enum VolatileFields {
    /// New each time: times, and identifiers of a request or a trace.
    ///
    /// Exact names, in lowercase, and never parts of names: `date` is in `x-candidate-id` too.
    public static let names: Set<String> = [
        "date", "age", "x-request-id", "request-id", "x-correlation-id", "x-runtime",
        "traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid",
        "x-b3-sampled", "x-b3-flags", "x-datadog-trace-id", "x-datadog-parent-id",
        "x-datadog-sampling-priority", "x-datadog-origin", "x-amzn-trace-id", "x-amzn-requestid",
        "x-cloud-trace-context", "sentry-trace",
    ]
    /// Times of the content, which a server may take from its own start.
    public static let contentTimes: Set<String> = ["last-modified", "expires"]
}
