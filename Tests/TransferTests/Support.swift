import Crypto
import Recorder
import Store
import Testing
import Transfer
import Vocabulary

let pseudonyms = KeyedPseudonymiser(
    key: SharedSecret(SecretBytes(copying: [UInt8](repeating: 7, count: 32))))
let policy = Disclosure(pseudonymiser: pseudonyms)

/// What an export writes.
func exported(
    _ reader: StoreReader, _ selection: ExportSelection = ExportSelection(),
    _ body: (Exporter) throws(TransferError) -> Void
) throws -> String {
    var text: [UInt8] = []
    let exporter = Exporter(reader, selection) { bytes throws(TransferError) in text += bytes }
    try body(exporter)
    return String(decoding: text, as: UTF8.self)
}

func ndjson(_ path: String, _ selection: ExportSelection = ExportSelection()) throws -> String {
    try exported(try StoreReader(path: path), selection) { exporter throws(TransferError) in
        try exporter.exportNDJSON(version: "0.1.0")
    }
}

/// Imports a file, and closes the store.
@discardableResult
func imported(
    _ file: String, into store: String, as format: Importer.Format? = nil,
    under policy: Disclosure = policy, batch: Int64 = 200_000
) throws -> Importer.Progress {
    let target = try StoreImporter(path: store)
    defer { target.close() }
    return try Importer(into: target, policy: policy, batch: batch).take(path: file, as: format)
}

extension StoreReader {
    /// Rows as texts, sorted.
    func sorted(_ sql: String, _ parameters: [String: Datum] = [:]) throws -> [String] {
        try rows(sql, parameters).rows.map { "\($0)" }.sorted()
    }

    func all(_ sql: String) throws -> [[Datum]] { try rows(sql).rows }
}

/// Writes a store as gateways would: two runs, the first of which crashes; sessions with one Child
/// SA or two, rekeys, a clock that steps back, folded and unfolded samples.
struct History {
    static let start: Int64 = 1_795_000_000_000_000_000
    private var generator = SystemRandomNumberGenerator()
    private var now: Int64 = 0
    private var events: [RecordedEvent] = []
    private var ticks: [RecordedTick] = []
    private var wall: Int64 = start
    private var children: [(session: SessionID, child: ChildID, traffic: Traffic)] = []
    private var nextSession: UInt64 = 1
    private var nextChild: UInt64 = 1

    static func write(to path: String, ticks: Int = 520) throws {
        var history = History()
        for run in 1...2 {
            let store = try Store(
                path: path, version: "0.1.0",
                at: Timestamp(nanoseconds: history.wall), bootID: "boot-\(run)")
            try history.begin(run, store.unfinished)
            for tick in 0..<ticks { try history.step(tick, store) }
            if run == 2 { history.end() }
            try history.flush(store)
            history.children = []
            history.nextChild = 1
            store.close()
        }
    }

    private var time: (at: Timestamp, instant: Instant) {
        (
            Timestamp(nanoseconds: wall + now),
            Instant(nanoseconds: UInt64(max(0, now)) + 1_000_000_000)
        )
    }

    private mutating func record(_ event: some Event) {
        events.append(
            RecordedEvent(at: time.at, instant: time.instant, event: event.disclosed(under: policy))
        )
    }

    private mutating func begin(_ run: Int, _ unfinished: Unfinished) throws {
        for child in unfinished.children {
            record(
                ChildSAClosed(
                    session: child.session, child: child.child, reason: .crash, total: child.total,
                    uncertaintyMilliseconds: 15_000))
        }
        for session in unfinished.sessions {
            record(
                SessionClosed(
                    session: session.id, reason: .crash, durationMilliseconds: 1,
                    total: session.total, uncertaintyMilliseconds: 15_000))
        }
        record(GatewayStarted(version: "0.1.0"))
        // Their fields have the name of what tells a record's kind.
        record(RekeyCollision(session: nil, kind: .ike, survivor: .us))
        record(
            CreateChildSARefused(session: nil, initiator: .peer, kind: .newChild, reason: .other))
        record(EventsLost.example)
    }

    private mutating func step(_ tick: Int, _ store: Store) throws {
        now += 15_000_000_000
        if tick == 300 { wall -= 40_000_000_000 }
        if tick % 40 == 0 { login() }
        if tick % 70 == 60 { logout() }
        for place in children.indices where Bool.random(using: &generator) {
            children[place].traffic += Traffic(
                bytesIn: .random(in: 0...90_000, using: &generator),
                packetsIn: .random(in: 0...90, using: &generator),
                bytesOut: .random(in: 0...900_000, using: &generator),
                packetsOut: .random(in: 0...900, using: &generator))
        }
        var sampled = Tick()
        sampled.children = children.map {
            ChildSample(session: $0.session, child: $0.child, traffic: $0.traffic)
        }
        sampled.childSAs = UInt64(children.count)
        sampled.sessions = UInt64(children.count)
        sampled.pools = [PoolState(name: "staff", size: 250, used: UInt64(children.count))]
        sampled.traffic = children.reduce(Traffic()) { $0 + $1.traffic }
        ticks.append(RecordedTick(at: time.at, instant: time.instant, tick: sampled))
        if tick % 40 == 39 { try flush(store) }
    }

    private mutating func flush(_ store: Store) throws {
        try store.append(events: events, ticks: ticks)
        (events, ticks) = ([], [])
    }

    private mutating func login() {
        var event = SessionEstablished.example
        let session = SessionID(milliseconds: 1_795_000_000_000 + nextSession, random: [])
        event.session = Public(session)
        event.identity = Personal(Identity("user\(nextSession % 5)@example.org"))
        event.source = Personal(.v4(0xc000_0200 + UInt32(nextSession % 200)))
        record(event)
        record(
            LeaseGranted(
                session: session, pool: "staff", identity: Identity("user\(nextSession % 5)"),
                address: VirtualAddress(.v4(0x0a58_0000 + UInt32(nextSession % 200)))))
        for _ in 0...(nextSession % 2) {
            children.append((session, ChildID(nextChild), Traffic()))
            record(
                ChildSAInstalled(
                    session: session, child: ChildID(nextChild), inboundSPI: ESPSPI(1),
                    outboundSPI: ESPSPI(2), suite: "aes128gcm16", lifetimeMilliseconds: 1))
            nextChild += 1
        }
        nextSession += 1
    }

    private mutating func logout() {
        guard let session = children.first?.session else { return }
        var total = Traffic()
        for place in children.indices where children[place].session == session {
            children[place].traffic += Traffic(
                bytesIn: 11, packetsIn: 1, bytesOut: 22, packetsOut: 1)
            total += children[place].traffic
            record(
                ChildSAClosed(
                    session: session, child: children[place].child, reason: .deletedByPeer,
                    total: children[place].traffic))
        }
        children.removeAll { $0.session == session }
        record(LeaseReleased(session: session, pool: "staff", uncertaintyMilliseconds: 0))
        record(
            SessionClosed(
                session: session, reason: .deletedByPeer, durationMilliseconds: 5, total: total))
    }

    /// The gateway stops, and leaves two sessions of which nobody knows more.
    private mutating func end() {
        while children.count > 2 { logout() }
        record(GatewayStopped(cause: .signal))
    }
}
