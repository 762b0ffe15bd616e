import Crypto
import GRDB
import GRDBSQLite
public enum LabSessionStub { public static let x = 1 }
