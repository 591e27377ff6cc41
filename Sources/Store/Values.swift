package import SQLite
package import Vocabulary

extension Datum {
    /// As SQLite takes it.
    package var value: Value {
        switch self {
        case .null: .null
        case .integer(let number): .integer(number)
        case .real(let number): .real(number)
        case .text(let text): .text(text)
        }
    }

    /// As SQLite gives it. No column of a store is a blob; one that a person's own SQL makes
    /// is shown in hex.
    package init(_ value: Value) {
        self =
            switch value {
            case .null: .null
            case .integer(let number): .integer(number)
            case .real(let number): .real(number)
            case .text(let text): .text(text)
            case .blob(let bytes): .text(hex(bytes))
            }
    }
}

extension SessionID {
    /// Reads what ``SessionID/description`` writes.
    ///
    /// - Returns: nil for anything else, such as upper case or a missing dash.
    init?(stored text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
            let high = UInt64(parts[0..<3].joined(), radix: 16),
            let low = UInt64(parts[3...].joined(), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
        guard description == text else { return nil }
    }
}
