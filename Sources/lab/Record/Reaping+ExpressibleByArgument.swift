// `--reap drain|once|never`, as the fork server has it.

public import ArgumentParser
public import LabForkServer

extension ForkServerSettings.Reaping: ExpressibleByArgument {}
