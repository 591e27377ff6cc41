import Dispatch
import Synchronization
import Vocabulary

/// Questions from other threads to the gateway's thread, and the wish to stop. The gateway's
/// thread never waits here.
final class Mailbox: Sendable {
    /// Questions that may wait; askers beyond that are turned away.
    private static let capacity = 64

    let wakeUp: WakeUp
    /// Told by the gateway's thread.
    let isDraining = Atomic<Bool>(false)
    private let state = Mutex(State())

    private struct State {
        var letters: [Letter] = []
        var replacements: [Replacement] = []
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

    func askToStop() {
        state.withLock { $0.stopWanted = true }
        wakeUp.signal()
    }

    /// What has come since the last call.
    func take() -> (letters: [Letter], replacements: [Replacement], stopWanted: Bool) {
        wakeUp.clear()
        return state.withLock { state in
            defer {
                state.letters.removeAll()
                state.replacements.removeAll()
            }
            return (state.letters, state.replacements, state.stopWanted)
        }
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
