/// What SQLite refused, and the statement it was about.
package struct SQLiteError: Error, Hashable, Sendable {
    /// SQLite's extended result code.
    package let code: Int32
    /// SQLite's own words.
    package let message: String
    /// The statement, empty if there was none. Bound values are never part of it.
    package let sql: String

    package init(code: Int32, message: String, sql: String) {
        self.code = code
        self.message = message
        self.sql = sql
    }

    /// The result code without its extension: what kind of fault this is.
    package var kind: Kind { Kind(rawValue: code & 0xff) }

    /// An open registry: SQLite may bring codes that nobody here has heard of.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let error = Self(rawValue: 1)
        package static let permission = Self(rawValue: 3)
        package static let busy = Self(rawValue: 5)
        package static let readOnly = Self(rawValue: 8)
        package static let corrupt = Self(rawValue: 11)
        package static let full = Self(rawValue: 13)
        package static let cannotOpen = Self(rawValue: 14)
        package static let constraint = Self(rawValue: 19)
        package static let misuse = Self(rawValue: 21)
        package static let range = Self(rawValue: 25)
        package static let notADatabase = Self(rawValue: 26)
    }
}

extension SQLiteError: CustomStringConvertible {
    package var description: String {
        sql.isEmpty ? "\(message) (SQLite \(code))" : "\(message) (SQLite \(code)) in: \(sql)"
    }
}
