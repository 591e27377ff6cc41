import Forensics
import Store
import TestFiles
import Testing
import Vocabulary

/// Stands in for the keyed one: a test needs to see what was meant.
struct PlainPseudonyms: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):\(hex(canonicalBytes))"
    }
}

extension Disclosure {
    static func all(_ treatment: Treatment) -> Disclosure {
        Disclosure(
            identities: treatment, addresses: treatment, virtualAddresses: treatment,
            pseudonymiser: PlainPseudonyms())
    }
}

extension Timestamp {
    /// After 2026-11-18T11:06:40Z, the history's beginning.
    static func seconds(_ second: Int64) -> Timestamp {
        Timestamp(nanoseconds: (1_795_000_000 + second) * 1_000_000_000)
    }
}

extension SessionID {
    static func number(_ number: UInt64) -> SessionID {
        SessionID(milliseconds: 1_795_000_000_000 + number, random: [])
    }
}

/// A store with a short history, and the policy that it was recorded under. Two runs; a crash
/// between 0:60 and 0:100; it ends at 0:120, and the present is 0:200.
///
///     session 1  alice  10.88.0.1  [10, 40)             10 packets
///     session 2  bob    10.88.0.1  [50, 60..100)         7 packets
///     session 3  alice  10.88.0.1  [110, …             100 packets
final class History {
    let policy: Disclosure
    let now = Timestamp.seconds(200)
    private let folder: Folder
    private var events: [RecordedEvent] = []

    init(_ treatment: Disclosure.Treatment = .pseudonym) throws {
        policy = .all(treatment)
        folder = try Folder()
        let first = try open(at: 0)
        record(GatewayStarted(version: "0.1.0"), at: 0)
        begin(1, "alice@example.org", at: 10)
        fail(.wrongCredential, "bob@example.org", from: 0xc000_0209, at: 20)
        fail(.wrongCredential, "bob@example.org", from: 0xc000_0209, at: 21)
        fail(.wrongCredential, "carol@example.org", from: 0xc000_0209, at: 22)
        fail(.timeout, nil, from: 0xc633_6401, at: 23)
        record(PeerDead(session: .number(1), retransmissions: 5), at: 39)
        end(1, .deletedByPeer, packets: 10, at: 40)
        begin(2, "bob@example.org", at: 50)
        try first.append(events: take(), ticks: [tick(2, packets: 7, at: 60)])
        first.close()

        let second = try open(at: 100)
        end(2, .crash, packets: 7, at: 100, uncertaintyMilliseconds: 40_000)
        record(GatewayStopped(cause: .crash, uncertaintyMilliseconds: 40_000), at: 100)
        record(GatewayStarted(version: "0.1.0"), at: 100)
        begin(3, "alice@example.org", at: 110)
        record(ClockStepped(stepMilliseconds: -3_600_000), at: 115)
        record(EventsLost(kind: "message_dropped", count: 12), at: 116)
        try second.append(events: take(), ticks: [tick(3, packets: 100, at: 120)])
        second.close()
    }

    func reader() throws -> StoreReader { try StoreReader(path: folder("s.db")) }

    func ask(_ name: String, _ parameters: [String: String] = [:]) throws -> Answer {
        let question = try #require(try Self.questions().first { $0.name == name })
        return try Forensics.ask(
            question, parameters: parameters, of: reader(), policy: policy, now: now)
    }

    /// Rows as text, with sessions by number and times in seconds since the beginning.
    func lines(_ name: String, _ parameters: [String: String] = [:]) throws -> [String] {
        let answer = try ask(name, parameters)
        return answer.rows.map { row in
            zip(answer.columns, row).map { column, datum in
                switch datum {
                case .null: "-"
                case .integer(let number) where column.unit == .timestamp:
                    "\(number / 1_000_000_000 - 1_795_000_000)"
                case .integer(let number): "\(number)"
                case .real(let number): "\(number)"
                case .text(let text):
                    (1...3).first { text == SessionID.number($0).description }.map { "#\($0)" }
                        ?? text
                }
            }.joined(separator: " ")
        }
    }

    /// The repository's own.
    static func questions() throws -> [Question] { try Library.load(from: folder) }

    static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        + "/queries"

    // MARK: The pieces of the history

    private func open(at second: Int64) throws -> Store {
        try Store(
            path: folder("s.db"), version: "0.1.0", at: .seconds(second), bootID: "boot")
    }

    private func take() -> [RecordedEvent] {
        defer { events = [] }
        return events
    }

    private func record(_ event: some Event, at second: Int64) {
        events.append(
            RecordedEvent(
                at: .seconds(second), instant: Instant(nanoseconds: UInt64(second) * 1_000_000_000),
                event: event.disclosed(under: policy)))
    }

    private func begin(_ number: UInt64, _ user: String, at second: Int64) {
        let session = SessionID.number(number)
        let address = VirtualAddress(.v4(0x0a58_0001))
        record(
            SessionEstablished(
                session: session, connection: "staff", identity: Identity(user),
                source: .v4(0xc000_0207), virtualAddress: address, method: .psk,
                ikeSuite: "i", espSuite: "e", nat: .peer, initiatorSPI: IKESPI(1),
                responderSPI: IKESPI(2), initMicroseconds: 1, authMicroseconds: 2,
                totalMicroseconds: 3, retransmissions: 0), at: second)
        record(
            LeaseGranted(
                session: session, pool: "staff", identity: Identity(user), address: address),
            at: second)
        record(
            ChildSAInstalled(
                session: session, child: ChildID(number), inboundSPI: ESPSPI(1),
                outboundSPI: ESPSPI(2), suite: "e", lifetimeMilliseconds: 1), at: second)
    }

    private func end(
        _ number: UInt64, _ reason: SessionEnd, packets: UInt64, at second: Int64,
        uncertaintyMilliseconds: UInt64 = 0
    ) {
        let session = SessionID.number(number)
        record(
            ChildSAClosed(
                session: session, child: ChildID(number), reason: .sessionClosed,
                total: traffic(packets)), at: second)
        record(
            LeaseReleased(
                session: session, pool: "staff", uncertaintyMilliseconds: uncertaintyMilliseconds),
            at: second)
        record(
            SessionClosed(
                session: session, reason: reason, durationMilliseconds: 30_000,
                total: traffic(packets), uncertaintyMilliseconds: uncertaintyMilliseconds),
            at: second)
    }

    private func fail(_ reason: AuthFailure, _ user: String?, from: UInt32, at second: Int64) {
        record(
            IKEAuthFailed(
                reason: reason, method: .psk, proof: .keyExchange,
                identity: user.map { Identity($0) }, source: .v4(from), connection: nil),
            at: second)
    }

    private func tick(_ number: UInt64, packets: UInt64, at second: Int64) -> RecordedTick {
        var tick = Tick()
        tick.children = [
            ChildSample(
                session: .number(number), child: ChildID(number), traffic: traffic(packets))
        ]
        return RecordedTick(
            at: .seconds(second), instant: Instant(nanoseconds: UInt64(second) * 1_000_000_000),
            tick: tick)
    }

    private func traffic(_ packets: UInt64) -> Traffic {
        Traffic(
            bytesIn: packets * 100, packetsIn: packets, bytesOut: packets * 1_000,
            packetsOut: packets * 2)
    }
}
