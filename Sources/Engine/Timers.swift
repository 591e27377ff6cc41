import Vocabulary

/// The timers that an IKE SA can have running, at most one of each kind.
enum Timer: Int, CaseIterable, Sendable {
    /// Give up on a peer that began and never authenticated.
    case halfOpen
    /// Send the unanswered request again (RFC 7296 §2.1).
    case retransmit
    /// Ask a silent peer whether it is alive (RFC 7296 §2.4).
    case liveness
    /// Replace the IKE SA before its lifetime ends (RFC 7296 §2.8).
    case rekeyIKE
    /// Look at the Child SAs: one is to be replaced, or to go.
    case children
    /// Forget an SA that is over.
    case linger
    /// Keep the NAT in front of us from forgetting us (RFC 3948 §4).
    case keepalive
    /// Give up on fragments of a message that never became whole (RFC 7383 §2.6).
    case fragments
}

/// Deadlines by timer. Fixed size, no allocation, no callbacks: the driver sleeps until the
/// earliest and then hands the expired ones back as input.
struct TimerTable: Sendable {
    private var deadlines: [8 of Instant?] = .init(repeating: nil)

    subscript(timer: Timer) -> Instant? {
        get { deadlines[timer.rawValue] }
        set { deadlines[timer.rawValue] = newValue }
    }

    var next: Instant? {
        var earliest: Instant?
        for index in deadlines.indices {
            if let deadline = deadlines[index] {
                earliest = earliest.map { min($0, deadline) } ?? deadline
            }
        }
        return earliest
    }

    /// Stops the timers that are due and names them.
    mutating func expired(at now: Instant) -> [Timer] {
        let due = Timer.allCases.filter { timer in self[timer].map { $0 <= now } ?? false }
        for timer in due { self[timer] = nil }
        return due
    }

    mutating func stopAll() { deadlines = .init(repeating: nil) }
}

/// A place in the queue of deadlines. One that its SA has outlived is passed over.
struct Deadline: Comparable {
    let at: Instant
    let spi: UInt64

    static func < (left: Self, right: Self) -> Bool { left.at < right.at }
}
