// `--store all|diff|none`, as the replayer has it.

public import ArgumentParser
public import LabReplayer

extension Keeping: ExpressibleByArgument {}
