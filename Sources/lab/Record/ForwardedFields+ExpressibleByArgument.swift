// `--forwarded none|x|rfc7239`, as the fork server has it.

public import ArgumentParser
public import LabWire

extension ForwardedFields: ExpressibleByArgument {}
