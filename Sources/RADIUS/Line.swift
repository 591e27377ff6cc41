import Crypto
import Vocabulary

/// One server: whether it answers, and what it was asked.
struct Line {
    /// Without probes, a server that is down gets another chance after this time.
    static let pause = Duration.seconds(30)
    static let longestWait = Duration.seconds(16)

    /// A request that waits for its answer.
    private struct Exchange {
        /// nil for a Status-Server.
        let record: AccountingRecord?
        let bytes: [UInt8]
        let authenticator: [UInt8]
        let begun: Instant
        var triesLeft: Int
        var wait: Duration
        var deadline: Instant

        func expects(_ code: Code) -> Bool {
            // An accounting port answers a Status-Server by Accounting-Response (RFC 5997 §3).
            code == .accountingResponse || (record == nil && code == .accessAccept)
        }
    }

    private(set) var state: RadiusServerState
    private(set) var records = 0
    private let secret: SharedSecret
    private let policy: Client.Policy
    private let random: any RandomSource
    /// It was asked, and does not answer.
    private var downSince: Instant?
    /// It gets no records until then, or until it answers.
    private var pausedUntil: Instant?
    private var open: [UInt8: Exchange] = [:]
    private var nextIdentifier: UInt8
    private var nextProbe: Instant
    private var probeIsOpen = false
    private var lastAnswer: Instant?

    init(
        _ server: Client.Server, _ policy: Client.Policy, random: any RandomSource,
        at now: Instant
    ) {
        state = RadiusServerState(name: server.name)
        secret = server.secret
        self.policy = policy
        self.random = random
        nextIdentifier = random.bytes(1).first ?? 0
        nextProbe = now
    }

    var isUsable: Bool { pausedUntil == nil }

    var nextDeadline: Instant? {
        var deadlines = open.values.map(\.deadline)
        if policy.probe != nil, !probeIsOpen { deadlines.append(nextProbe) }
        if let pausedUntil { deadlines.append(pausedUntil) }
        return deadlines.min()
    }

    // MARK: Asking

    /// - Returns: what to send; nil if the record is none that a packet can hold.
    mutating func send(_ record: AccountingRecord, at now: Instant) -> [UInt8]? {
        guard let identifier = freeIdentifier() else { return nil }
        let packet = Packet(
            .accountingRequest, identifier: identifier, attributes: record.attributes(at: now))
        guard let bytes = try? packet.sealedAccounting(secret.bytes) else { return nil }
        begin(identifier, record, bytes, retries: policy.retries, at: now)
        records += 1
        return bytes
    }

    /// The Status-Server that is due, if one is. A server that is down is asked once each time.
    mutating func probe(_ identity: Attribute, at now: Instant) -> [UInt8]? {
        guard let interval = policy.probe, !probeIsOpen, nextProbe <= now,
            let identifier = freeIdentifier()
        else { return nil }
        let packet = Packet(
            .statusServer, identifier: identifier, authenticator: random.bytes(16),
            attributes: [identity])
        nextProbe = now + interval
        guard let bytes = try? packet.sealedWithMessageAuthenticator(secret.bytes) else {
            return nil
        }
        begin(identifier, nil, bytes, retries: isUsable ? policy.retries : 0, at: now)
        probeIsOpen = true
        return bytes
    }

    private mutating func begin(
        _ identifier: UInt8, _ record: AccountingRecord?, _ bytes: [UInt8], retries: Int,
        at now: Instant
    ) {
        let wait = jittered(policy.timeout)
        open[identifier] = Exchange(
            record: record, bytes: bytes, authenticator: Array(bytes[4..<20]), begun: now,
            triesLeft: retries, wait: wait, deadline: now + wait)
    }

    /// A tenth more or less, so that many gateways don't ask in step.
    private func jittered(_ wait: Duration) -> Duration {
        let part = Int64(random.uint32() % 2_001) - 1_000
        return wait + .nanoseconds(wait.nanoseconds / 10_000 * part)
    }

    /// The next that no request has now, lest a late answer be taken for another's.
    private mutating func freeIdentifier() -> UInt8? {
        for _ in 0..<256 {
            defer { nextIdentifier &+= 1 }
            if open[nextIdentifier] == nil { return nextIdentifier }
        }
        return nil
    }

    // MARK: Answers

    /// - Returns: nil for what is no answer.
    mutating func receive(
        _ bytes: [UInt8], at now: Instant
    ) -> (latency: Duration, downUntilNow: Duration?)? {
        guard let packet = try? Packet(parsing: bytes) else { return drop(.malformed) }
        guard let exchange = open[packet.identifier] else { return drop(.unexpected) }
        guard exchange.expects(packet.code) else { return drop(.wrongCode) }
        guard packet.answers(exchange.authenticator, secret.bytes) else {
            return drop(.authenticator)
        }
        close(packet.identifier)
        state.count(.answered)
        state.isUp = true
        lastAnswer = now
        defer { (downSince, pausedUntil) = (nil, nil) }
        return (now - exchange.begun, downSince.map { now - $0 })
    }

    private mutating func drop(
        _ reason: RadiusDrop
    ) -> (latency: Duration, downUntilNow: Duration?)? {
        state.count(reason)
        return nil
    }

    private mutating func close(_ identifier: UInt8) {
        guard let exchange = open.removeValue(forKey: identifier) else { return }
        if exchange.record == nil { probeIsOpen = false } else { records -= 1 }
    }

    // MARK: Time

    /// Records that come back.
    struct Unanswered {
        var records: [AccountingRecord]
        /// The server gets none for a while.
        var isPaused = false
        /// It has just gone down.
        var isNews = false
    }

    /// - Returns: what to send again; and what was not answered, if anything.
    mutating func expire(at now: Instant) -> (again: [[UInt8]], Unanswered?) {
        if let until = pausedUntil, until <= now { pausedUntil = nil }
        var again: [[UInt8]] = []
        var failed: [Exchange] = []
        for identifier in open.keys.sorted() {
            guard var exchange = open[identifier], exchange.deadline <= now else { continue }
            if exchange.triesLeft > 0 {
                exchange.triesLeft -= 1
                exchange.wait = jittered(min(exchange.wait * 2, Self.longestWait))
                exchange.deadline = now + exchange.wait
                open[identifier] = exchange
                state.retransmissions &+= 1
                again.append(exchange.bytes)
            } else {
                close(identifier)
                state.count(.unanswered)
                failed.append(exchange)
            }
        }
        guard !failed.isEmpty else { return (again, nil) }
        let answer = lastAnswer ?? Instant(nanoseconds: 0)
        guard isUsable, failed.contains(where: { answer < $0.begun }) else {
            return (again, Unanswered(records: failed.compactMap(\.record)))
        }
        let isNews = downSince == nil
        downSince = downSince ?? now
        pausedUntil = policy.probe == nil ? now + Self.pause : Instant(nanoseconds: .max)
        state.isUp = false
        failed += takeBack()
        let records = failed.compactMap(\.record).sorted { $0.number < $1.number }
        return ([], Unanswered(records: records, isPaused: true, isNews: isNews))
    }

    /// Forgets the records that it was asked to take.
    mutating func abandon() { _ = takeBack() }

    private mutating func takeBack() -> [Exchange] {
        let taken = open.filter { $0.value.record != nil }
        for identifier in taken.keys { close(identifier) }
        return Array(taken.values)
    }
}
