package import Vocabulary

/// Packets of one kind that went nowhere, since the last look.
package struct DropCount: Hashable, Sendable {
    package let reason: ESPDrop
    /// nil if no SPI or selector of ours told it.
    package let session: SessionID?
    /// The outer address; nil for packets from the inside, and where there were too many.
    package let source: IPAddress?
    package let count: UInt64

    package init(reason: ESPDrop, session: SessionID?, source: IPAddress?, count: UInt64) {
        self.reason = reason
        self.session = session
        self.source = source
        self.count = count
    }
}

/// Counts drops by kind. A flood of forged packets can fill it to its limit and no further: the
/// counts stay exact, and the sources beyond the limit are not told apart.
struct DropLog {
    /// Distinct keys with a source.
    static let limit = 256

    private struct Key: Hashable {
        let reason: ESPDrop
        let session: SessionID?
        let source: IPAddress?
    }

    private var counts: [Key: UInt64] = [:]
    private var sources = 0

    mutating func add(_ reason: ESPDrop, _ session: SessionID?, from source: IPAddress?) {
        let key = Key(reason: reason, session: session, source: source)
        if let count = counts[key] {
            counts[key] = count &+ 1
        } else if source == nil || sources < Self.limit {
            counts[key] = 1
            if source != nil { sources += 1 }
        } else {
            counts[Key(reason: reason, session: session, source: nil), default: 0] &+= 1
        }
    }

    /// Empties the log.
    mutating func take() -> [DropCount] {
        defer {
            counts = [:]
            sources = 0
        }
        return counts.map {
            DropCount(
                reason: $0.key.reason, session: $0.key.session, source: $0.key.source,
                count: $0.value)
        }
    }
}
