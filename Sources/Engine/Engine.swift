package import Crypto
package import ESP
import HeapModule
package import Vocabulary
import Wire

/// One shard of the gateway: all its IKE SAs, sessions and pools. Sans-IO: datagrams and time go
/// in; datagrams, events and calls of the data plane come out; nothing else happens. The same
/// object answers (the gateway) and asks (clients).
///
/// Not thread-safe. After every call the driver carries out and clears the output, and sleeps
/// until ``nextDeadline``.
package final class Engine {
    var policy: EnginePolicy
    let dataplane: any Dataplane
    let random: any RandomSource
    /// Wall clock minus the clock of `Instant`, nanoseconds: for session ids and tickets.
    package var wallOffset: Int64 = 0

    /// Who is logged in at the other shards, if there are any.
    package var directory: (any UserDirectory)?

    /// Sees every message that is sent, before it is encrypted: for tests, which assert
    /// exchanges in the RFC's notation.
    package var trace: ((Trace) -> Void)?

    #if DEBUG
    /// Sees every key that is derived: for tests that look for leaks, or decrypt captures.
    /// Release builds have no such door.
    package var keyTap: KeyTap?
    #else
    var keyTap: KeyTap? { nil }
    #endif

    /// By our SPI.
    var sas: [UInt64: IKESA] = [:]
    /// Our SPIs, by the request that began the IKE SA, for as long as that lives.
    var initiated: [InitKey: UInt64] = [:]
    /// IKE SAs that nobody has authenticated yet.
    var halfOpen = HalfOpenTable()
    var defence = Defence()
    /// IKE SAs that ended and are kept a while for their last answer.
    var lingering = 0
    /// Of these, the ones whose peer never proved itself.
    var lingeringStrangers = 0
    var sessions: [SessionID: Session] = [:]
    /// Sessions by their user, oldest first.
    var namesakes: [UserKey: [SessionID]] = [:]
    /// Who is evicted next; made when it is needed.
    var evictionQueues: [EvictionScope: EvictionQueue] = [:]
    var sessionOfChild: [ChildID: SessionID] = [:]
    var pools: [String: Pool]
    var inboundSPIs: Set<UInt32> = []
    /// Logins of our own that wait for IKE_SA_INIT's answer, by our SPI.
    var initiations: [UInt64: Initiation] = [:]
    /// Set while nobody new is let in.
    var draining: Drain?
    private var deadlines = Heap<Deadline>()
    private var lastChild: UInt64 = 0
    private var lastHandle: UInt64 = 0
    private var received = MessageCounts(.received)
    var sent = MessageCounts(.sent)
    var retransmissionsSent: UInt64 = 0
    var retransmissionsReceived: UInt64 = 0
    var dpdSent: UInt64 = 0
    var dpdAnswered: UInt64 = 0
    /// Sessions that are up, by the name of their connection.
    var sessionCounts: [String: UInt64] = [:]
    /// Of these, the ones that another has taken the place of.
    var replacedCounts: [String: Int] = [:]
    var fragmentsSent: UInt64 = 0
    var fragmentsReceived: UInt64 = 0
    /// What is held of messages that are not whole yet.
    var reassemblies = ReassemblyBook()

    package init(_ policy: EnginePolicy, dataplane: any Dataplane, random: any RandomSource) {
        self.policy = policy
        self.dataplane = dataplane
        self.random = random
        // Child SAs are numbered once for all shards.
        lastChild = UInt64(policy.shard) << 48
        pools = Dictionary(
            policy.pools.map { ($0.name, Pool($0)) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Input

    /// Takes one IKE datagram, without the non-ESP marker.
    package func receive(
        _ datagram: [UInt8], on path: Path, at now: Instant, _ output: inout Output
    ) {
        received.count(datagram)
        do throws(ParseFailure) {
            let message = try Message(parsing: datagram)
            switch message {
            case .plain(let header, let payloads)
            where header.exchange == .ikeSAInit
                || header.exchange == .ikeSessionResume && resumes(header):
                receiveInit(header, payloads, datagram, on: path, at: now, &output)
            case .plain: output.drop(.unprotected, .spoofable, from: path)
            case .protected(let header, let sealed):
                receiveProtected(header, sealed, datagram, on: path, at: now, &output)
            }
        } catch {
            reject(error, datagram, on: path, at: now, &output)
        }
    }

    /// Takes the news that authenticated ESP of a Child SA came from another place, as the data
    /// plane saw it (RFC 7296 §2.23).
    package func observed(
        _ child: ChildID, from remote: Endpoint, at now: Instant, _ output: inout Output
    ) {
        guard let id = sessionOfChild[child], let session = sessions[id],
            let sa = sas[session.ikeSPI], mayMove(session, of: sa, to: remote)
        else { return }
        var path = sa.path
        path.remote = remote
        followNAT(of: sa, to: path, &output)
        schedule(sa)
    }

    /// Takes the news that a Child SA has carried as much as it may.
    package func worn(_ child: ChildID, at now: Instant, _ output: inout Output) {
        guard let session = sessionOfChild[child].flatMap({ sessions[$0] }),
            let sa = sas[session.ikeSPI], session.child(child)?.isInstalled == true
        else { return }
        rekey(child, of: sa, session, at: now, &output)
        scheduleChildren(of: sa)
    }

    /// When ``expire(at:_:)`` is to be called.
    package var nextDeadline: Instant? { deadlines.min?.at }

    /// Does what is due.
    package func expire(at now: Instant, _ output: inout Output) {
        while let next = deadlines.min, next.at <= now {
            deadlines.removeMin()
            if let sa = sas[next.spi] {
                guard sa.queuedDeadline == next.at else { continue }
                sa.queuedDeadline = nil
                for timer in sa.timers.expired(at: now) where sas[next.spi] === sa {
                    expired(timer, of: sa, at: now, &output)
                }
                schedule(sa)
            } else if let half = halfOpen[next.spi] {
                giveUp(half, .timeout, &output)
            } else if let initiation = initiations[next.spi], initiation.deadline <= now {
                expired(initiation, at: now, &output)
            } else if next.spi == Drain.deadlineSPI {
                continueDrain(at: now, &output)
            }
        }
    }

    /// Ends one session. - Returns: whether there is one of that name.
    package func terminate(
        _ session: SessionID, at now: Instant, _ output: inout Output
    ) -> Bool {
        guard let session = sessions[session], let sa = sas[session.ikeSPI] else { return false }
        end(sa, .deletedByAdmin, tellingPeer: true, at: now, &output)
        schedule(sa)
        return true
    }

    /// Ends every session and tells every peer, once: nobody stays to hear an answer. Logins that are
    /// not through yet have failed. See
    /// ``ResumptionPolicy/silentStop``.
    package func shutDown(at now: Instant, _ output: inout Output) {
        for session in sessions.values.sorted(by: { $0.established < $1.established }) {
            guard let sa = sas[session.ikeSPI] else { continue }
            let isTold = !leavesSilently(session, at: now)
            end(sa, .shutdown, tellingPeer: isTold, at: now, &output)
        }
        giveUpHalfOpen(.shutdown, &output)
    }

    // MARK: State

    package func fill(_ tick: inout Tick) {
        tick.sessions += UInt64(sessions.count)
        tick.childless += UInt64(sessions.values.count { $0.children.isEmpty })
        tick.halfOpen += UInt64(halfOpen.count)
        tick.halfOpenLimit += UInt64(policy.halfOpenLimit)
        tick.sessionLimit += UInt64(policy.sessionLimit)
        tick.draining = draining == nil ? tick.draining : 1
        tick.received += received
        tick.sent += sent
        tick.retransmissionsSent += retransmissionsSent
        tick.retransmissionsReceived += retransmissionsReceived
        tick.dpdSent += dpdSent
        tick.dpdAnswered += dpdAnswered
        tick.connections += connectionStates
        tick.fragmentsSent += fragmentsSent
        tick.fragmentsReceived += fragmentsReceived
        tick.pools += policy.pools.compactMap { pools[$0.name]?.state }
    }

    /// Of each connection of the configuration, then of those that it no longer has and somebody
    /// still uses.
    private var connectionStates: [ConnectionState] {
        let configured = policy.connections.map(\.name)
        let limits = Dictionary(
            policy.connections.map { ($0.name, $0.sessionLimit ?? policy.sessionLimit) },
            uniquingKeysWith: min)
        let others = sessionCounts.keys.filter { !configured.contains($0) }.sorted()
        return (configured + others).map {
            ConnectionState(
                name: $0, sessions: sessionCounts[$0] ?? 0,
                limit: UInt64(limits[$0] ?? policy.sessionLimit))
        }
    }

    /// Nothing is held for anybody: no SA, session, login, lease or SPI.
    package var isIdle: Bool {
        sas.isEmpty && sessions.isEmpty && halfOpen.isEmpty && initiations.isEmpty
            && initiated.isEmpty
            && namesakes.isEmpty && sessionCounts.isEmpty && replacedCounts.isEmpty
            && reassemblies.isEmpty && inboundSPIs.isEmpty
            && sessionOfChild.isEmpty && lingering == 0 && lingeringStrangers == 0
            && pools.values.allSatisfy(\.isUnused)
    }

    /// The sessions that are up, oldest first.
    package func sessionSummaries() -> [SessionSummary] {
        sessions.values.sorted { $0.established < $1.established }.compactMap(summary(of:))
    }

    func summary(of session: Session) -> SessionSummary? {
        sas[session.ikeSPI].map { sa in
            SessionSummary(
                session: session.id, connection: session.connection.name,
                identity: Personal(session.identity),
                source: Personal(sa.path.remote.address),
                virtualAddress: Personal(session.virtualAddress),
                established: session.established, traffic: traffic(of: session),
                ikeSuite: session.ikeSuiteName, espSuite: session.espSuiteName)
        }
    }

    /// Everything that a session's Child SAs carried, gone and living.
    func traffic(of session: Session) -> Traffic {
        session.children.reduce(session.closedTraffic) {
            $0 + (dataplane.traffic(of: $1.id) ?? Traffic())
        }
    }

    // MARK: Common work

    /// Puts an SA's earliest deadline into the queue, if it isn't there.
    func schedule(_ sa: IKESA) {
        guard sas[sa.localSPI] === sa, let next = sa.timers.next else { return }
        if let queued = sa.queuedDeadline, queued <= next { return }
        sa.queuedDeadline = next
        deadlines.insert(Deadline(at: next, spi: sa.localSPI))
    }

    func schedule(_ half: HalfOpen) {
        deadlines.insert(
            Deadline(at: half.received + policy.timing.halfOpen, spi: half.localSPI))
    }

    func schedule(_ initiation: Initiation) {
        deadlines.insert(Deadline(at: initiation.deadline, spi: initiation.localSPI))
    }

    func scheduleDrain(_ moment: Instant) {
        deadlines.insert(Deadline(at: moment, spi: Drain.deadlineSPI))
    }

    func newChildID() -> ChildID {
        lastChild += 1
        return ChildID(lastChild)
    }

    func newHandle() -> ConnectionHandle {
        lastHandle += 1
        return ConnectionHandle(number: lastHandle)
    }

    /// An unused SPI of ours, with the shard's number in front; never 0.
    func newIKESPI() -> UInt64 {
        while true {
            let spi = UInt64(policy.shard) << 56 | random.uint64() >> 8
            if spi != 0, sas[spi] == nil, halfOpen[spi] == nil, initiations[spi] == nil {
                return spi
            }
        }
    }

    /// An unused inbound ESP SPI; 0 to 255 are reserved (RFC 4303 §2.1).
    func newESPSPI() -> UInt32 {
        while true {
            let spi = UInt32(policy.shard) << 24 | random.uint32() >> 8
            if spi > 255, inboundSPIs.insert(spi).inserted { return spi }
        }
    }

    func newSessionID(at now: Instant) -> SessionID {
        SessionID(milliseconds: wallMilliseconds(at: now), random: random.bytes(10))
    }

    /// Since the Unix epoch.
    func wallMilliseconds(at now: Instant) -> UInt64 {
        let wall = Int64(clamping: now.nanoseconds).addingReportingOverflow(wallOffset)
        return wall.overflow ? 0 : UInt64(max(0, wall.partialValue / 1_000_000))
    }

    /// When to ask again what the peer would not do. At random, or two peers that began at once
    /// would refuse each other for ever (RFC 7296 §2.25).
    func retryMoment(at now: Instant) -> Instant {
        rekeyMoment(policy.timing.retransmit * 8, jitter: 0.75, at: now)
    }

    /// What is left of a lifetime when up to `jitter` of it is taken off, at random.
    func rekeyShare(_ jitter: Double) -> Double {
        1 - min(max(jitter, 0), 1) * Double(random.uint32()) / Double(UInt32.max)
    }

    /// A moment at which to rekey: the lifetime less up to `jitter` of it, at random.
    func rekeyMoment(_ lifetime: Duration, jitter: Double, at now: Instant) -> Instant {
        let part = rekeyShare(jitter)
        let span = Int64(exactly: (Double(lifetime.nanoseconds) * part).rounded(.down))
        return now + .nanoseconds(span ?? .max)
    }
}
