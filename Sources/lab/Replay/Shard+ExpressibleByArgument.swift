// `--shard I/N`.

public import ArgumentParser
public import LabReplayer

extension Shard: ExpressibleByArgument {
    /// Reads `I/N`.
    public init?(argument: String) { self.init(argument) }
}
