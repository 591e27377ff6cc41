import CSQLite
import SQLite
import Store

/// What SQLite calls when somebody loads `libweir_store.so`: their connection gets the table that
/// the views of samples read. It lives as long as the connection.
///
/// The library uses the SQLite that the program is linked with.
@_cdecl("sqlite3_weirstore_init")
public func initialise(
    _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ interface: UnsafeRawPointer?
) -> CInt {
    guard let database else { return SQLITE_MISUSE }
    do throws(SQLiteError) {
        try SampleTables.register(onGuest: Connection(guestOf: database))
        return SQLITE_OK
    } catch {
        return error.code
    }
}
