package import Vocabulary

/// Makes accounting records (RFC 2866) of what happens in the gateway: a Start and a Stop for each
/// session, Interim-Updates between them, with the session's totals over all its Child SAs.
///
/// User names and inner addresses leave here in clear: that is what RADIUS accounting is for, and
/// the operator configured it.
package struct Accounting {
    /// Facts that were not followed, because there were too many sessions.
    package private(set) var refused: UInt64 = 0

    private struct Account {
        let begun: Instant
        /// Who and where; the same in each of its records.
        let person: [Attribute]
        var closed = Traffic()
        var open: [ChildID: Traffic] = [:]
        var nextInterim: Instant

        var total: Traffic { open.values.reduce(closed, +) }
    }

    private let interim: Duration
    private let limit: Int
    private let gateway: [Attribute]
    private var accounts: [SessionID: Account] = [:]
    private var records: UInt64 = 0
    private let disclosure = Disclosure(
        identities: .clear, addresses: .omit, virtualAddresses: .clear,
        pseudonymiser: NoPseudonyms())

    /// - Parameters:
    ///   - nasIdentifier: the gateway's name.
    ///   - interim: between two Interim-Updates of a session.
    ///   - limit: sessions that are followed.
    package init(nasIdentifier: String, interim: Duration, limit: Int) {
        self.interim = interim
        self.limit = limit
        // 5 is Virtual (RFC 2865 §5.41).
        gateway = [Attribute(.nasIdentifier, text: nasIdentifier), Attribute(.nasPortType, 5)]
    }

    package var sessions: Int { accounts.count }

    /// The gateway begins, or ends.
    package mutating func gateway(
        _ status: StatusType, at now: Instant, wallOffset: Int64
    ) -> AccountingRecord {
        // Each request must have a session's id (RFC 2866 §5.5), and this one is about none.
        record(status, [Attribute(.sessionID, text: "0")], at: now, wallOffset)
    }

    /// - Parameter wallOffset: wall clock minus monotonic clock, in nanoseconds.
    /// - Returns: the record that the event makes, if it makes one.
    package mutating func observe(
        _ event: any Event, at now: Instant, wallOffset: Int64
    ) -> AccountingRecord? {
        switch event {
        case let event as SessionEstablished:
            return begin(event, at: now, wallOffset)
        case let event as ChildSAClosed:
            accounts[event.session.clear]?.open[event.child.clear] = nil
            accounts[event.session.clear]?.closed += Traffic(
                bytesIn: event.bytesIn.clear, packetsIn: event.packetsIn.clear,
                bytesOut: event.bytesOut.clear, packetsOut: event.packetsOut.clear)
            return nil
        case let event as SessionClosed:
            return end(event, at: now, wallOffset)
        default: return nil
        }
    }

    /// Takes new counters.
    ///
    /// - Returns: the Interim-Updates that are due.
    package mutating func observe(
        _ tick: Tick, at now: Instant, wallOffset: Int64
    ) -> [AccountingRecord] {
        for sample in tick.children {
            accounts[sample.session]?.open[sample.child] = sample.traffic
        }
        let due = accounts.compactMap { $0.value.nextInterim <= now ? $0.key : nil }
        let next = now + interim
        return due.compactMap { session in
            guard let account = accounts[session] else { return nil }
            accounts[session]?.nextInterim = next
            return record(
                .interim,
                account.person + counters(account.total) + [
                    Attribute(.sessionTime, seconds(from: account.begun, to: now))
                ], at: now, wallOffset)
        }
    }

    private mutating func begin(
        _ event: SessionEstablished, at now: Instant, _ wallOffset: Int64
    ) -> AccountingRecord? {
        guard accounts.count < limit else {
            refused &+= 1
            return nil
        }
        // 2 is Framed, and Local: the gateway knows the secret itself.
        var person = [
            Attribute(.sessionID, text: event.session.clear.description),
            Attribute(.serviceType, 2), Attribute(.authentic, 2),
        ]
        if case .text(let name) = event.identity.datum(under: disclosure) {
            person.append(Attribute(.userName, text: name))
        }
        if case .text(let text) = event.virtualAddress.datum(under: disclosure),
            let address = IPAddress(text)
        {
            person.append(Attribute(address: address))
        }
        accounts[event.session.clear] = Account(
            begun: now, person: person, nextInterim: now + interim)
        return record(.start, person, at: now, wallOffset)
    }

    private mutating func end(
        _ event: SessionClosed, at now: Instant, _ wallOffset: Int64
    ) -> AccountingRecord? {
        guard let account = accounts.removeValue(forKey: event.session.clear) else { return nil }
        let total = Traffic(
            bytesIn: event.bytesIn.clear, packetsIn: event.packetsIn.clear,
            bytesOut: event.bytesOut.clear, packetsOut: event.packetsOut.clear)
        return record(
            .stop,
            account.person + counters(total) + [
                Attribute(.sessionTime, event.durationMilliseconds.clear / 1_000),
                Attribute(.terminateCause, TerminateCause(event.reason.clear).rawValue),
            ], at: now, wallOffset)
    }

    /// Octets go over after 4 GiB: the Gigawords count that (RFC 2869 §5.1, §5.2). Input is what
    /// came from the user.
    private func counters(_ traffic: Traffic) -> [Attribute] {
        [
            Attribute(.inputOctets, traffic.bytesIn & 0xffff_ffff),
            Attribute(.inputGigawords, traffic.bytesIn >> 32),
            Attribute(.outputOctets, traffic.bytesOut & 0xffff_ffff),
            Attribute(.outputGigawords, traffic.bytesOut >> 32),
            // There are no gigawords of packets: they start again at 0.
            Attribute(.inputPackets, traffic.packetsIn & 0xffff_ffff),
            Attribute(.outputPackets, traffic.packetsOut & 0xffff_ffff),
        ]
    }

    private mutating func record(
        _ status: StatusType, _ content: [Attribute], at now: Instant, _ wallOffset: Int64
    ) -> AccountingRecord {
        let wall = Int64(clamping: now.nanoseconds).addingReportingOverflow(wallOffset).partialValue
        records &+= 1
        return AccountingRecord(
            status: status, number: records, created: now,
            content: [Attribute(.statusType, status.rawValue)] + gateway + content + [
                Attribute(.eventTimestamp, UInt64(max(0, wall)) / 1_000_000_000)
            ])
    }

    private func seconds(from start: Instant, to end: Instant) -> UInt64 {
        UInt64(max(0, (end - start).nanoseconds)) / 1_000_000_000
    }
}

/// Nothing here is a pseudonym.
private struct NoPseudonyms: Pseudonymiser {
    func pseudonym(of _: [UInt8], for _: Purpose) -> String { "" }
}
