package import Engine
import Synchronization

/// The ticket book of all shards of one gateway.
package final class SharedTicketBook: TicketVault {
    private let book: Mutex<TicketBook>

    package init(_ book: TicketBook) { self.book = Mutex(book) }

    package func with<Value: Sendable>(_ body: (inout TicketBook) -> Value) -> Value {
        book.withLock { body(&$0) }
    }
}
