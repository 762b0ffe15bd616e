public enum LabForkServerStub { public static let x = 1 }
