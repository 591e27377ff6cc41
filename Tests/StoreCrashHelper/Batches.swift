import Store
import Vocabulary

struct Hidden: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String { "hidden" }
}

/// Batch *n* opens session *n* and, if there is one, ends session *n* - 3; its tick samples those that
/// are open, each with *n* bytes.
struct Batches {
    private let policy = Disclosure(pseudonymiser: Hidden())
    /// The first batch of this run: earlier sessions are over.
    let first: UInt64

    func disclosed(_ event: some Event) -> DisclosedEvent { event.disclosed(under: policy) }

    func open(after batch: UInt64) -> ClosedRange<UInt64> {
        max(first, batch < 3 ? 1 : batch - 2)...batch
    }

    func events(_ batch: UInt64) -> [DisclosedEvent] {
        var events: [DisclosedEvent] = []
        var opening = SessionEstablished.example
        let session = SessionID(milliseconds: batch, random: [])
        opening.session = Public(session)
        events.append(disclosed(opening))
        events.append(
            disclosed(
                LeaseGranted(
                    session: session, pool: "staff", identity: Identity("alice@example.org"),
                    address: VirtualAddress(.v4(UInt32(truncatingIfNeeded: batch))))))
        events.append(
            disclosed(
                ChildSAInstalled(
                    session: session, child: ChildID(batch), inboundSPI: ESPSPI(1),
                    outboundSPI: ESPSPI(2), suite: "aes128gcm16", lifetimeMilliseconds: 1)))
        guard batch >= first + 3 else { return events }
        let ending = SessionID(milliseconds: batch - 3, random: [])
        events.append(
            disclosed(
                ChildSAClosed(
                    session: ending, child: ChildID(batch - 3), reason: .sessionClosed,
                    total: Traffic())))
        events.append(disclosed(LeaseReleased(session: ending, pool: "staff")))
        events.append(
            disclosed(
                SessionClosed(
                    session: ending, reason: .deletedByPeer, durationMilliseconds: 1,
                    total: Traffic())))
        return events
    }

    func tick(_ batch: UInt64) -> Tick {
        var tick = Tick()
        tick.children = open(after: batch).map {
            ChildSample(
                session: SessionID(milliseconds: $0, random: []), child: ChildID($0),
                traffic: Traffic(bytesIn: batch))
        }
        tick.childSAs = UInt64(tick.children.count)
        return tick
    }
}
