package import Vocabulary

/// Where a gateway's facts go. Called on the gateway's thread: it must neither wait nor fail, so
/// what it has no room for is its own to count.
package protocol FactSink: Sendable {
    func record(_ event: any Event, at time: Instant)
    func record(_ tick: Tick, at time: Instant)
}
