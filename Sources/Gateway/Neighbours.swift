import Engine
import Synchronization

/// The shards of a gateway, for one that has no room for a new peer and looks for one that has. The
/// lock is held for a copy of the list, and only when there is a shortage.
final class Neighbours: Sendable {
    private let mailboxes = Mutex<[Mailbox]>([])

    func add(_ mailbox: Mailbox) { mailboxes.withLock { $0.append(mailbox) } }

    /// Gives a request for a new IKE SA to a shard that lacks some of what the asking one lacks, and
    /// nothing else.
    ///
    /// - Returns: false if there is none, or it has too many waiting.
    func take(_ request: HandshakeQueue.Request, lacking shortage: Shortage) -> Bool {
        let all = mailboxes.withLock { $0 }
        let better = all.map { ($0, $0.shortage) }.filter { $0.1.isStrictSubset(of: shortage) }
        let fewest = better.map(\.1.rawValue.nonzeroBitCount).min()
        let best = better.filter { $0.1.rawValue.nonzeroBitCount == fewest }
        guard !best.isEmpty else { return false }
        // The same one for a request that comes again; one or another for different peers. The last
        // bytes of the SPI are alike for all that the kernel has given to one shard.
        let name = request.bytes.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var handed = request
        handed.isHandedOn = true
        return best[Int(name % UInt64(best.count))].0.post(handed)
    }
}

extension Shard {
    /// Lets a shard with room have a new peer, before anything is computed for it. One that comes
    /// from another shard stays, and so does one that was answered here.
    ///
    /// - Returns: false if it is ours to serve.
    func handOn(_ request: HandshakeQueue.Request) -> Bool {
        guard let neighbours, !request.isHandedOn else { return false }
        let shortage = engine.shortage
        guard !shortage.isEmpty, !engine.hasAnswered(request.bytes, on: request.path) else {
            return false
        }
        return neighbours.take(request, lacking: shortage)
    }

    /// Tells the other shards what is missing here: after handshakes, and every second.
    func tellShortage() {
        if neighbours != nil { mailbox.tell(engine.shortage) }
    }
}
