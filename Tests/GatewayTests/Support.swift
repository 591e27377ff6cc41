import CLinux
import Clocks
import Crypto
import ESP
import Glibc
import Synchronization
import Vocabulary

@testable import Engine
@testable import Gateway

/// Waits until `condition` holds; gives up after five seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = SystemClock.now + .seconds(5)
    while SystemClock.now < deadline {
        if condition() { return true }
        usleep(1000)
    }
    return false
}

func bytes(hex text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var digits = text.unicodeScalars.compactMap { Character($0).hexDigitValue }[...]
    while let high = digits.popFirst(), let low = digits.popFirst() {
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}

/// Keeps what a gateway records.
final class RecordingSink: FactSink {
    let events = Mutex<[any Event]>([])
    let ticks = Mutex<[Tick]>([])

    func record(_ event: any Event, at time: Instant) { events.withLock { $0.append(event) } }
    func record(_ tick: Tick, at time: Instant) { ticks.withLock { $0.append(tick) } }

    func all<E: Event>(_: E.Type) -> [E] { events.withLock { $0.compactMap { $0 as? E } } }
}

/// What happened to a ``ScriptedEngine``, seen from the test's thread.
final class Diary: Sendable {
    struct Entry: Equatable {
        var message: [UInt8]
        var path: Path
    }

    let received = Mutex<[Entry]>([])
    let listen = Mutex<[ListenAddress]>([])
    let moved = Mutex<[Endpoint]>([])
    let expiries = Mutex(0)
    let shutDowns = Mutex(0)
    /// Session limits of the policies that it was to follow, in order.
    let superseded = Mutex<[SessionID]>([])
    let adopted = Mutex<[Int]>([])
    /// What the engine has no room for.
    let shortage = Mutex<Shortage>([])
    /// The one that it refuses.
    let refused = Mutex<Int?>(nil)
}

/// In the place of the engine: sends every message back reversed, reports one event for each, and
/// has one session, ``SessionID/example``. A message that begins with ``install`` brings up a
/// Child SA with its sender, in the network whose number follows.
final class ScriptedEngine: GatewayEngine {
    static let install: UInt8 = 0xc5

    private let diary: Diary
    private let dataplane: any Dataplane
    var wallOffset: Int64 = 0
    var nextDeadline: Instant?
    var directory: (any UserDirectory)?
    private var terminated = false

    init(_ diary: Diary, _ dataplane: any Dataplane, knowing listen: [ListenAddress]) {
        diary.listen.withLock { $0 = listen }
        self.diary = diary
        self.dataplane = dataplane
    }

    func receive(_ message: [UInt8], on path: Path, at now: Instant, _ output: inout Output) {
        diary.received.withLock { $0.append(Diary.Entry(message: message, path: path)) }
        output.transmits.append(Transmit(path: path, bytes: message.reversed()))
        output.events.append(IKESAInitReceived(proof: .spoofable, source: path.remote.address))
        nextDeadline = now + .milliseconds(20)
        if message.first == Self.install {
            let network = Int(message.dropFirst().first ?? 0)
            try? dataplane.install(
                tunnel(atGateway: true, on: path, network: network), outbound: true)
        }
    }

    func observed(
        _ child: ChildID, from remote: Endpoint, at now: Instant, _ output: inout Output
    ) {
        diary.moved.withLock { $0.append(remote) }
    }

    func supersede(
        _ session: SessionID, _ manner: RemoteEnd, at now: Instant, _ output: inout Output
    ) {
        diary.superseded.withLock { $0.append(session) }
    }

    var shortage: Shortage { diary.shortage.withLock { $0 } }

    func hasAnswered(_ message: [UInt8], on path: Path) -> Bool {
        diary.received.withLock { $0.contains { $0.message == message } }
    }

    func worn(_ child: ChildID, at now: Instant, _ output: inout Output) {}

    func expire(at now: Instant, _ output: inout Output) {
        nextDeadline = nil
        diary.expiries.withLock { $0 += 1 }
    }

    func fill(_ tick: inout Tick) { tick.sessions = terminated ? 0 : 1 }

    func shutDown(at now: Instant, _ output: inout Output) {
        diary.shutDowns.withLock { $0 += 1 }
        output.events.append(
            SessionClosed(
                session: .example, reason: .shutdown, durationMilliseconds: 1, total: Traffic()))
    }

    func terminate(_ session: SessionID, at: Instant, _ output: inout Output) -> Bool {
        guard session == .example, !terminated else { return false }
        terminated = true
        return true
    }

    private var progress: DrainProgress?

    func drain(_ order: DrainOrder, at now: Instant, _ output: inout Output) {
        progress = DrainProgress(
            sessions: 1, left: 1, remaining: order.deadline ?? .zero,
            targets: order.targets ?? [])
        output.events.append(
            GatewayDraining(
                sessions: 1, redirected: 1, deadlineMilliseconds: 5, targets: nil))
    }

    func cancelDrain(_ output: inout Output) -> Bool {
        guard progress != nil else { return false }
        progress = nil
        output.events.append(GatewayDrainEnded(cause: .cancelled, left: 1))
        return true
    }

    func drainProgress(at now: Instant) -> DrainProgress? { progress }

    func adopt(_ policy: EnginePolicy) throws(PolicyRefusal) {
        guard diary.refused.withLock({ $0 }) != policy.sessionLimit else {
            throw .poolInUse(name: "staff", lent: 7)
        }
        diary.adopted.withLock { $0.append(policy.sessionLimit) }
    }

    func sessionSummaries() -> [SessionSummary] { terminated ? [] : [.example] }
    func sessionSummaries(
        first limit: Int, by _: SessionOrder, descending _: Bool
    ) -> [SessionSummary] { Array(sessionSummaries().prefix(limit)) }
    func sessionNames() -> [SessionName] { [] }
    func sessionSummaries(of names: [SessionID]) -> [SessionSummary] {
        sessionSummaries().filter { names.contains($0.session) }
    }
}

extension SessionSummary {
    static let example = SessionSummary(
        session: .example, connection: "staff",
        identity: Personal(Identity("alice@example.org")), source: Personal(.v4(0xc000_0207)),
        virtualAddress: Personal(VirtualAddress(.v4(0x0a58_0001))),
        established: Instant(nanoseconds: 1_000_000_000),
        traffic: Traffic(bytesIn: 1, packetsIn: 2, bytesOut: 3, packetsOut: 4),
        ikeSuite: "aes128gcm16-prfsha256-x25519", espSuite: "aes128gcm16")
}

/// One end of a Child SA between the gateway and a client whose inner address is 10.88.0.1.
func tunnel(atGateway: Bool, on path: Path, network: Int = 0) -> ChildSA {
    let (ours, theirs): (UInt32, UInt32) = atGateway ? (0x1001, 0x2002) : (0x2002, 0x1001)
    let key = { (spi: UInt32) in
        SecretBytes(copying: [UInt8](repeating: UInt8(truncatingIfNeeded: spi), count: 20))
    }
    let client = [Selector(prefix: .v4(0x0a58_0001), length: 32)]
    return ChildSA(
        session: .example, child: ChildID(1), inboundSPI: ours, outboundSPI: theirs,
        cipher: .aes128GCM16, inboundKey: key(ours), outboundKey: key(theirs),
        localSelectors: atGateway ? [.anyIPv4] : client,
        remoteSelectors: atGateway ? client : [.anyIPv4], network: network, path: path)
}

/// A UDP socket that tests talk to a gateway with.
final class Probe {
    let socket: UDPSocket
    private let batch = DatagramBatch()
    private let inbox = DatagramBatch()
    /// Of the datagrams in the inbox.
    private var next = 0

    init(_ address: String = "127.0.0.1") throws {
        socket = try UDPSocket(
            Endpoint(try requireAddress(address), 0), encapsulated: false)
    }

    var endpoint: Endpoint { socket.local }

    func send(_ message: [UInt8], to remote: Endpoint) {
        batch.removeAll()
        _ = batch.room(0).update(from: message)
        batch.append(0..<message.count, from: socket.local, to: remote)
        _ = batch.send(from: 0, on: socket.descriptor)
    }

    /// The next datagram; nil if none comes within five seconds.
    func receive() -> (bytes: [UInt8], from: Endpoint)? {
        if next >= inbox.count {
            var wait = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 5000) == 1, inbox.receive(from: socket.descriptor) > 0 else {
                return nil
            }
            next = 0
        }
        defer { next += 1 }
        let datagram = inbox.received(next, on: socket.local.port)
        return (Array(datagram.bytes), datagram.remote)
    }
}

struct NotAnAddress: Error {}

func requireAddress(_ text: String) throws -> IPAddress {
    guard let address = IPAddress(text) else { throw NotAnAddress() }
    return address
}
