package import Engine
package import Vocabulary

/// What the gateway's thread asks of the protocol engine; ``Engine`` is the one there is. The
/// driver's own tests put a script in its place.
package protocol GatewayEngine: AnyObject {
    /// Wall clock minus monotonic clock, in nanoseconds.
    var wallOffset: Int64 { get set }
    /// When ``expire(at:_:)`` wants to be called next.
    var nextDeadline: Instant? { get }
    /// - Parameter message: an IKE message without the non-ESP marker.
    func receive(
        _ message: [UInt8], on path: Path, at now: Instant, _ output: inout Output)
    /// Authenticated ESP packets come from another endpoint than before.
    func observed(
        _ child: ChildID, from remote: Endpoint, at now: Instant, _ output: inout Output)
    /// The Child SA has carried as much as it may.
    func worn(_ child: ChildID, at now: Instant, _ output: inout Output)
    func expire(at now: Instant, _ output: inout Output)
    /// Fills in the gauges and counters that the engine knows.
    func fill(_ tick: inout Tick)
    /// Says goodbye to every peer.
    func shutDown(at now: Instant, _ output: inout Output)
    /// - Returns: false if there is no such session.
    func terminate(_ session: SessionID, at now: Instant, _ output: inout Output) -> Bool
    /// Lets nobody in any more, and sends away who is in.
    func drain(_ order: DrainOrder, at now: Instant, _ output: inout Output)
    /// - Returns: false if there is no drain.
    func cancelDrain(_ output: inout Output) -> Bool
    /// - Returns: nil if there is no drain.
    func drainProgress(at now: Instant) -> DrainProgress?
    /// Follows another policy from now on; sessions stay.
    func adopt(_ policy: EnginePolicy) throws(PolicyRefusal)
    /// Who is logged in at the other shards.
    var directory: (any UserDirectory)? { get set }
    /// What it has no room for.
    var shortage: Shortage { get }
    /// Whether a first request of a peer has been answered before.
    func hasAnswered(_ message: [UInt8], on path: Path) -> Bool
    /// A session's user has logged in at another shard.
    func supersede(
        _ session: SessionID, _ manner: RemoteEnd, at now: Instant, _ output: inout Output)
    func sessionSummaries() -> [SessionSummary]
    func sessionSummaries(
        first limit: Int, by order: SessionOrder, descending: Bool
    ) -> [SessionSummary]
    func sessionNames() -> [SessionName]
    func sessionSummaries(of names: [SessionID]) -> [SessionSummary]
}

extension Engine: GatewayEngine {}
