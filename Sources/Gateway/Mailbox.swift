import Dispatch
import Engine
import Synchronization
import Vocabulary

/// Questions from other threads to the gateway's thread, and the wish to stop. The gateway's
/// thread never waits here.
final class Mailbox: Sendable {
    /// Questions that may wait; askers beyond that are turned away.
    private static let capacity = 64
    /// New peers of other shards that may wait.
    private static let handshakeCapacity = 1_024

    let wakeUp: WakeUp
    /// Told by the gateway's thread.
    let isDraining = Atomic<Bool>(false)
    private let lacking = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private struct State {
        var letters: [Letter] = []
        var replacements: [Replacement] = []
        var handshakes: [HandshakeQueue.Request] = []
        var stopWanted = false
        var closed = false
    }

    init() throws(GatewayError) { wakeUp = try WakeUp() }

    /// Asks, and waits for the answer.
    ///
    /// - Returns: nil if none comes in time, or the gateway has ended.
    func ask(_ question: Gateway.Question, within limit: Duration) -> Gateway.Answer? {
        let letter = Letter(question)
        let posted = state.withLock { state in
            guard !state.closed, state.letters.count < Self.capacity else { return false }
            state.letters.append(letter)
            return true
        }
        guard posted else { return nil }
        wakeUp.signal()
        return letter.answer(within: limit)
    }

    /// Leaves news. A session is replaced once, so that there is no more of it than sessions.
    func post(_ replacement: Replacement) {
        state.withLock { if !$0.closed { $0.replacements.append(replacement) } }
        wakeUp.signal()
    }

    /// Leaves another shard's new peer.
    ///
    /// - Returns: false if there are too many, or the gateway has ended.
    func post(_ request: HandshakeQueue.Request) -> Bool {
        let posted = state.withLock { state in
            guard !state.closed, state.handshakes.count < Self.handshakeCapacity else {
                return false
            }
            state.handshakes.append(request)
            return true
        }
        if posted { wakeUp.signal() }
        return posted
    }

    /// What the gateway's thread has no room for, as it last told.
    var shortage: Shortage { Shortage(rawValue: lacking.load(ordering: .relaxed)) }

    func tell(_ shortage: Shortage) { lacking.store(shortage.rawValue, ordering: .relaxed) }

    func askToStop() {
        state.withLock { $0.stopWanted = true }
        wakeUp.signal()
    }

    /// What has come since the last call.
    func take() -> News {
        wakeUp.clear()
        return state.withLock { state in
            defer {
                state.letters.removeAll()
                state.replacements.removeAll()
                state.handshakes.removeAll()
            }
            return News(
                letters: state.letters, replacements: state.replacements,
                handshakes: state.handshakes, stopWanted: state.stopWanted)
        }
    }

    struct News {
        let letters: [Letter]
        let replacements: [Replacement]
        let handshakes: [HandshakeQueue.Request]
        let stopWanted: Bool
    }

    /// No more questions; those that wait get no answer.
    func close() {
        let letters = state.withLock { state in
            defer { state.letters.removeAll() }
            state.closed = true
            return state.letters
        }
        for letter in letters { letter.settle(nil) }
    }
}

/// A question and the place for its answer.
final class Letter: Sendable {
    let question: Gateway.Question
    private let reply = Mutex<Gateway.Answer?>(nil)
    private let settled = DispatchSemaphore(value: 0)

    init(_ question: Gateway.Question) { self.question = question }

    func settle(_ answer: Gateway.Answer?) {
        reply.withLock { $0 = answer }
        settled.signal()
    }

    func answer(within limit: Duration) -> Gateway.Answer? {
        let nanoseconds = Int(clamping: limit.nanoseconds)
        guard settled.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success else {
            return nil
        }
        return reply.withLock { $0 }
    }
}
