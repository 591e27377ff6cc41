package import ESP
package import Engine
import Synchronization
package import Vocabulary

/// A running gateway, as the rest of the process sees it: start it, ask it, stop it. Everything
/// else happens on its own thread (``Shard``).
package final class Gateway: Sendable {
    /// Something that only the gateway's thread knows or does.
    package enum Question: Sendable {
        case sessions
        /// The first of them in an order: of each shard, so that there may be more of them.
        case firstSessions(Int, by: SessionOrder, descending: Bool)
        /// What all sessions are known by, in no order.
        case sessionNames
        /// These, as far as they are up.
        case sessionsOf([SessionID])
        case status
        case terminate(SessionID)
        case drain(DrainOrder)
        case cancelDrain
        /// Follow another policy, with routes to these inner addresses in each inner network.
        case adopt(EnginePolicy, routes: [[InnerPrefix]])
    }

    package enum Answer: Sendable {
        case sessions([SessionSummary])
        case sessionNames([SessionName])
        case status(GatewayStatus)
        /// False if there is no such session.
        case terminated(Bool)
        /// nil if there is none.
        case drain(DrainProgress?)
        case adopted
        /// Nothing has changed.
        case notAdopted(Refusal)
        /// The configuration was read again: each change in one line.
        case reloaded([String])
        /// One or more lines that say what to do.
        case refused(String)
    }

    /// Why another policy is not followed.
    package enum Refusal: Error, Hashable {
        case policy(PolicyRefusal)
        case route(GatewayError)
    }

    /// Where it listens, with the ports that it got.
    package let listen: [ListenAddress]
    private let name: String
    let mailbox: Mailbox
    private let life: Mutex<Life>

    private enum Life {
        case ready(Handover)
        case running(Worker)
        case over
    }

    /// Binds the sockets. Nothing is received before ``start()``.
    ///
    /// - Parameters:
    ///   - inner: the inner networks by their numbers; they become the gateway's, which closes
    ///     them at the end.
    ///   - sink: called on the gateway's thread.
    ///   - engine: makes the engine on top of the gateway's own data plane, knowing where it
    ///     listens.
    /// - Throws: ``GatewayError``; nothing is left open then, but `inner`.
    package convenience init(
        _ setup: GatewaySetup, inner: sending [any InnerNetwork], sink: any FactSink,
        engine: (any Dataplane, [ListenAddress]) -> any GatewayEngine
    ) throws(GatewayError) {
        try self.init(setup, inner: inner, sink: sink, neighbours: nil, engine: engine)
    }

    /// As one of several shards.
    init(
        _ setup: GatewaySetup, inner: sending [any InnerNetwork], sink: any FactSink,
        neighbours: Neighbours?,
        engine: (any Dataplane, [ListenAddress]) -> any GatewayEngine
    ) throws(GatewayError) {
        let mailbox = try Mailbox()
        let shard = try Shard(
            setup, inner: inner, sink: sink, mailbox: mailbox, neighbours: neighbours,
            engine: engine)
        listen = shard.listen
        name = setup.name
        self.mailbox = mailbox
        life = Mutex(.ready(Handover(shard)))
    }

    deinit { stop() }

    /// Whether new sessions are refused.
    var isDraining: Bool { mailbox.isDraining.load(ordering: .relaxed) }

    /// Starts the thread. Once only; later calls do nothing.
    package func start() throws(GatewayError) {
        let name = name
        try life.withLock { life throws(GatewayError) in
            guard case .ready(let handover) = life else { return }
            life = .running(try Worker(named: name) { handover.shard.run() })
        }
    }

    /// Says goodbye to every peer, records the last facts and closes everything. Returns when that
    /// is done, which takes milliseconds; no peer can hold it up.
    package func stop() {
        mailbox.askToStop()
        let past = life.withLock { life in
            defer { life = .over }
            return life
        }
        switch past {
        case .ready(let handover): handover.shard.close()
        case .running(let worker): worker.join()
        case .over: break
        }
    }

    /// Asks the gateway's thread, and waits for its answer.
    ///
    /// - Returns: nil if the gateway has ended, does not answer in time, or too many ask at once.
    package func ask(_ question: Question, within limit: Duration = .seconds(2)) -> Answer? {
        mailbox.ask(question, within: limit)
    }
}

/// Carries a shard from the thread that makes it to the one that runs it. Nobody touches it on the
/// first thread afterwards.
private struct Handover: @unchecked Sendable {
    let shard: Shard
    init(_ shard: Shard) { self.shard = shard }
}
