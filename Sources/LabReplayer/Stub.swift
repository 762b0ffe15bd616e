import Crypto
import Histogram
public enum LabReplayerStub { public static let x = 1 }
