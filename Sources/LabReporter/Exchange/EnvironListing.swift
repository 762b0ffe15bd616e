// An environ as `lab show --environ` gives it: a line for each name, in the order in which it was told.

public import LabSession

/// The environ of an exchange as lines.
public enum EnvironListing {
    /// A line `NAME=VALUE` for each variable, as the application saw it.
    ///
    /// What a terminal would obey, what is no UTF-8, and each backslash stand as `\xNN`: so every
    /// `\xNN` is one byte, and the `printf %b` of bash gives the very bytes.
    public static func text(_ detail: ExchangeDetail) -> String {
        detail.environ.map { entry in
            "\(SafeText.reversible(entry.nameBytes))=\(SafeText.reversible(entry.bytes))\n"
        }.joined()
    }
}
