import Crypto
package import Engine
import Synchronization

/// What the shards of a gateway share about tickets.
package final class TestVault: TicketVault {
    private let book: Mutex<TicketBook>

    /// - Parameter keys: a byte that each is made of, the newest last.
    package init(_ keys: [UInt8]) throws {
        var made: [TicketKey] = []
        for key in keys { made.append(try Self.key(key)) }
        book = Mutex(TicketBook(made))
    }

    package static func key(_ byte: UInt8) throws -> TicketKey {
        try TicketKey(
            SharedSecret(SecretBytes(copying: Array(repeating: byte, count: 32))), created: 1)
    }

    package func with<Value: Sendable>(_ body: (inout TicketBook) -> Value) -> Value {
        book.withLock { body(&$0) }
    }
}
