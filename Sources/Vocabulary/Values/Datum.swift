/// A value as a sink sees it: after the privacy policy, before any encoding.
package enum Datum: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
}

/// How a field is stored. One word per SQLite storage class.
package enum Storage: String, Sendable {
    case integer, real, text
}

/// A value that a record can hold.
package protocol Recordable: Hashable, Sendable {
    static var storage: Storage { get }
    var datum: Datum { get }
}

extension Bool: Recordable {
    package static var storage: Storage { .integer }
    package var datum: Datum { .integer(self ? 1 : 0) }
}

/// Counts, sizes and durations; the field's unit says which. Values over `Int64.max` saturate.
extension UInt64: Recordable {
    package static var storage: Storage { .integer }
    package var datum: Datum { .integer(Int64(clamping: self)) }
}

extension Int64: Recordable {
    package static var storage: Storage { .integer }
    package var datum: Datum { .integer(self) }
}

extension UInt16: Recordable {
    package static var storage: Storage { .integer }
    package var datum: Datum { .integer(Int64(self)) }
}

/// For names out of our own configuration and code. What a peer sent is ``PeerText``.
extension String: Recordable {
    package static var storage: Storage { .text }
    package var datum: Datum { .text(self) }
}

extension Optional: Recordable where Wrapped: Recordable {
    package static var storage: Storage { Wrapped.storage }
    package var datum: Datum { self?.datum ?? .null }
}

/// A label whose values are known when the program is compiled, so that the number of time
/// series is a number we can print and not one we discover in production.
package protocol Label: Recordable, CaseIterable, RawRepresentable<String> {}

extension Label {
    package static var storage: Storage { .text }
    package var datum: Datum { .text(rawValue) }
}
