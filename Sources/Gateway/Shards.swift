package import ESP
package import Engine
import Synchronization
import Vocabulary

/// A gateway of several threads: as many ``Gateway``s on the same ports, each with its own peers,
/// engine, tunnels and inner network, and no lock between them but at logins, for users who log in
/// again (``Namesakes``). From outside it is one.
///
/// The kernel hands each datagram to the shard whose number its SPI of ours begins with, so that
/// none has to be passed on; a new peer's goes by its own SPI, which is random, and is passed on to a
/// shard with room if there is none (``Neighbours``).
package final class Shards: Sendable {
    /// SPIs have one byte for the shard; the limit is far beyond the cores that help.
    package static let limit = 64

    /// Where all of them listen.
    package let listen: [ListenAddress]
    private let gateways: [Gateway]

    /// Binds the sockets. Nothing is received before ``start()``.
    ///
    /// - Parameters:
    ///   - setup: with several shards, a port of 0 is drawn by the first for all.
    ///   - count: 1 to ``limit``; others are clamped.
    ///   - inner: makes a shard's inner networks, which become its own.
    ///   - sink: makes a shard's sink, which is called on its thread.
    ///   - engine: makes the engine of the shard of that number, whose policy must name it.
    /// - Throws: ``GatewayError``; nothing is left open then.
    package init(
        _ setup: GatewaySetup, count: Int,
        inner: (Int) throws(GatewayError) -> sending [any InnerNetwork],
        sink: (Int) -> any FactSink,
        engine: (Int, any Dataplane, [ListenAddress]) -> any GatewayEngine
    ) throws(GatewayError) {
        var setup = setup
        setup.shards = min(max(count, 1), Self.limit)
        let board = TickBoard(shards: setup.shards)
        let namesakes = setup.shards > 1 ? Namesakes() : nil
        let neighbours = setup.shards > 1 ? Neighbours() : nil
        var gateways: [Gateway] = []
        for number in 0..<setup.shards {
            if setup.shards > 1 { setup.name = "gateway-\(number)" }
            let gateway = try Gateway(
                setup, inner: try inner(number),
                sink: ShardSink(number: number, next: sink(number), board: board),
                neighbours: neighbours
            ) {
                let engine = engine(number, $0, $1)
                engine.directory = namesakes
                return engine
            }
            namesakes?.add(gateway.mailbox)
            neighbours?.add(gateway.mailbox)
            gateways.append(gateway)
            for place in gateway.listen {
                if place.encapsulated {
                    setup.natPort = place.endpoint.port
                } else {
                    setup.port = place.endpoint.port
                }
            }
        }
        guard let first = gateways.first else { throw .nothingToListenOn }
        listen = first.listen
        self.gateways = gateways
    }

    /// Whether new sessions are refused.
    package var isDraining: Bool { gateways.contains(where: \.isDraining) }

    /// Starts the threads. Once only; later calls do nothing.
    package func start() throws(GatewayError) {
        for gateway in gateways { try gateway.start() }
    }

    /// As ``Gateway/stop()``, for each in turn: the last one's last tick has the totals of all.
    package func stop() {
        for gateway in gateways { gateway.stop() }
    }

    /// Asks every shard, and makes one answer of theirs.
    ///
    /// - Returns: nil if one of them has ended, does not answer in time, or is asked too much.
    package func ask(
        _ question: Gateway.Question, within limit: Duration = .seconds(2)
    ) -> Gateway.Answer? {
        var whole: Gateway.Answer?
        for gateway in gateways {
            guard let answer = gateway.ask(question, within: limit) else { return nil }
            whole = whole.map { $0.merged(with: answer) } ?? answer
        }
        return whole
    }
}

/// What one shard follows: its part of the policy, and for each inner network the routes to the
/// inner addresses of its pools.
package struct PolicyShare: Sendable {
    package let policy: EnginePolicy
    package let routes: [[InnerPrefix]]

    package init(policy: EnginePolicy, routes: [[InnerPrefix]]) {
        self.policy = policy
        self.routes = routes
    }
}

extension Shards {
    /// Has every shard follow its share of another policy, or none of them: what some have taken
    /// over is taken back when one can't follow.
    ///
    /// - Parameter old: what they follow now.
    /// - Returns: the last answer, which is the refusal if there was one; nil as ``ask(_:within:)``.
    package func adopt(
        _ new: [PolicyShare], insteadOf old: [PolicyShare]
    ) -> Gateway.Answer? {
        var answer: Gateway.Answer?
        for (index, (gateway, share)) in zip(gateways, new).enumerated() {
            answer = gateway.ask(.adopt(share.policy, routes: share.routes))
            if case .adopted = answer { continue }
            // One that is late may follow yet, and then hears this.
            for (gateway, share) in zip(gateways, old).prefix(index + 1) {
                _ = gateway.ask(.adopt(share.policy, routes: share.routes))
            }
            return answer
        }
        return answer
    }
}

extension Gateway.Answer {
    /// What two shards say, as if one had said it.
    func merged(with other: Self) -> Self {
        switch (self, other) {
        case (.sessions(let ours), .sessions(let theirs)):
            .sessions((ours + theirs).sorted { $0.established < $1.established })
        case (.sessionNames(let ours), .sessionNames(let theirs)): .sessionNames(ours + theirs)
        case (.status(let ours), .status(let theirs)): .status(ours + theirs)
        case (.terminated(let ours), .terminated(let theirs)): .terminated(ours || theirs)
        case (.drain(let ours), .drain(let theirs)): .drain(ours.merged(with: theirs))
        default: self
        }
    }
}

extension GatewayStatus {
    static func + (left: Self, right: Self) -> Self {
        Self(
            started: min(left.started, right.started), listen: left.listen,
            sessions: left.sessions + right.sessions, halfOpen: left.halfOpen + right.halfOpen,
            childSAs: left.childSAs + right.childSAs, traffic: left.traffic + right.traffic,
            keepalives: left.keepalives &+ right.keepalives, unsent: left.unsent &+ right.unsent,
            innerDropped: left.innerDropped &+ right.innerDropped,
            innerUp: left.innerUp && right.innerUp, drain: left.drain.merged(with: right.drain))
    }
}

extension DrainProgress? {
    fileprivate func merged(with other: Self) -> Self {
        guard var whole = self, let other else { return self ?? other }
        whole.sessions += other.sessions
        whole.left += other.left
        whole.remaining = max(whole.remaining, other.remaining)
        return whole
    }
}

/// The last tick of each shard. All tick in the same rhythm; the last shard's tick records the sum
/// of all, so that the recorder sees one gateway. A sum is as old as its oldest part: milliseconds,
/// unless a shard was held up. What each shard tells of a drain becomes one event as well, when the
/// last of them has told it.
private final class TickBoard: Sendable {
    private let ticks: Mutex<[Tick]>
    private let drain = Mutex(DrainTally())
    private let last: Int

    private struct DrainTally {
        var begun: [GatewayDraining] = []
        var ended: [DrainEnd: [GatewayDrainEnded]] = [:]
    }

    init(shards: Int) {
        ticks = Mutex(Array(repeating: Tick(), count: shards))
        last = shards - 1
    }

    /// - Returns: the sum, if this shard is the one to record it.
    func put(_ tick: Tick, of shard: Int) -> Tick? {
        guard last > 0 else { return tick }
        return ticks.withLock { ticks in
            guard ticks.indices.contains(shard) else { return nil }
            ticks[shard] = tick
            return shard == last ? ticks.dropFirst().reduce(ticks[0], +) : nil
        }
    }
}

extension TickBoard {
    /// - Returns: the sum, if this was the last shard to begin.
    func begun(_ event: GatewayDraining) -> GatewayDraining? {
        drain.withLock { drain in
            drain.ended = [:]
            drain.begun.append(event)
            guard drain.begun.count > last else { return nil }
            defer { drain.begun = [] }
            return GatewayDraining(
                sessions: drain.begun.reduce(0) { $0 &+ $1.sessions.clear },
                redirected: drain.begun.reduce(0) { $0 &+ $1.redirected.clear },
                deadlineMilliseconds: event.deadlineMilliseconds.clear,
                targets: event.targets.clear)
        }
    }

    /// - Returns: the sum, if this was the last shard to end so.
    func ended(_ event: GatewayDrainEnded) -> GatewayDrainEnded? {
        drain.withLock { drain in
            let told = drain.ended[event.cause.clear, default: []] + [event]
            drain.ended[event.cause.clear] = told.count > last ? [] : told
            guard told.count > last else { return nil }
            return GatewayDrainEnded(
                cause: event.cause.clear, left: told.reduce(0) { $0 &+ $1.left.clear })
        }
    }
}

/// A shard's facts on their way: events as they are, ticks and drains over the board.
private struct ShardSink: FactSink {
    let number: Int
    let next: any FactSink
    let board: TickBoard

    func record(_ event: any Event, at time: Instant) {
        switch event {
        case let event as GatewayDraining:
            if let whole = board.begun(event) { next.record(whole, at: time) }
        case let event as GatewayDrainEnded:
            if let whole = board.ended(event) { next.record(whole, at: time) }
        default: next.record(event, at: time)
        }
    }

    func record(_ tick: Tick, at time: Instant) {
        if let whole = board.put(tick, of: number) { next.record(whole, at: time) }
    }
}

extension Tick {
    /// Two shards as one. Their Child SAs have different numbers; pools of one name are parts of
    /// one pool.
    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.sessions += right.sessions
        sum.draining = max(sum.draining, right.draining)
        sum.childless += right.childless
        sum.halfOpen += right.halfOpen
        sum.halfOpenLimit += right.halfOpenLimit
        sum.handshakesWaiting += right.handshakesWaiting
        sum.childSAs += right.childSAs
        sum.sessionLimit += right.sessionLimit
        sum.traffic += right.traffic
        sum.received += right.received
        sum.sent += right.sent
        sum.retransmissionsSent += right.retransmissionsSent
        sum.retransmissionsReceived += right.retransmissionsReceived
        sum.dpdSent += right.dpdSent
        sum.dpdAnswered += right.dpdAnswered
        sum.fragmentsReceived += right.fragmentsReceived
        sum.fragmentsSent += right.fragmentsSent
        sum.keepalives += right.keepalives
        sum.keepalivesSent += right.keepalivesSent
        sum.earlyPackets += right.earlyPackets
        for connection in right.connections {
            if let place = sum.connections.firstIndex(where: { $0.name == connection.name }) {
                let part = sum.connections[place]
                sum.connections[place] = ConnectionState(
                    name: connection.name, sessions: part.sessions + connection.sessions,
                    limit: part.limit + connection.limit)
            } else {
                sum.connections.append(connection)
            }
        }
        sum.children += right.children
        for pool in right.pools {
            if let place = sum.pools.firstIndex(where: { $0.name == pool.name }) {
                let part = sum.pools[place]
                sum.pools[place] = PoolState(
                    name: pool.name, size: part.size + pool.size, used: part.used + pool.used)
            } else {
                sum.pools.append(pool)
            }
        }
        return sum
    }
}
