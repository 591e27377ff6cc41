import CFaultyFiles
import Glibc
import Store
import Vocabulary

/// Kills a writer at random moments: while it opens the store, looks at what its predecessor left,
/// records the ends that the crash left out, writes, folds. Each writer is a child of this process,
/// made by fork: starting a thousand programs would take too long.
struct Kills {
    let folder: String
    private var dice: Dice
    /// Of all writers.
    private(set) var batches: UInt64 = 0
    /// The latest batch that a writer of this file told of as durable.
    private var acknowledged: UInt64 = 0

    /// Numbers that repeat for a seed.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    /// After so many kills the file is made anew, so that looking at it takes no longer and longer.
    private static let roundsOfFile = 100

    init(folder: String, seed: UInt64) {
        self.folder = folder
        dice = Dice(state: seed)
    }

    private var path: String { folder + "/kills.db" }

    /// - Returns: what is wrong; nil if nothing is.
    mutating func run(_ rounds: Int) -> String? {
        defer { removeFile() }
        for round in 0..<rounds {
            if round % Self.roundsOfFile == 0 { removeFile() }
            if let problem = runOne() { return "kill \(round + 1): \(problem)" }
        }
        do throws(StoreError) {
            return try Writer(path: path, acknowledged: acknowledged).open().problem
        } catch { return "\(error)" }
    }

    private mutating func removeFile() {
        for suffix in ["", "-wal", "-shm", "-journal", ".lock"] { unlink(path + suffix) }
        acknowledged = 0
    }

    private mutating func runOne() -> String? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return "no pipe" }
        let child = faulty_fork()
        if child == 0 {
            close(ends[0])
            _exit(Writer(path: path, acknowledged: acknowledged).run(telling: ends[1]))
        }
        close(ends[1])
        defer { close(ends[0]) }
        guard child > 0 else { return "no child" }
        var told: [UInt64] = []
        // Every other one is killed before it may have begun to write, or as soon as it has.
        if Bool.random(using: &dice) {
            for _ in 0..<2 { if let batch = next(from: ends[0]) { told.append(batch) } }
            usleep(.random(in: 0..<6_000, using: &dice))
        } else {
            usleep(.random(in: 0..<30_000, using: &dice))
        }
        kill(child, SIGKILL)
        while let batch = next(from: ends[0]) { told.append(batch) }
        var status: Int32 = 0
        waitpid(child, &status, 0)
        if status & 0x7f != SIGKILL {
            return "the writer ended by itself with \(status >> 8 & 0xff); what it told is above"
        }
        if let last = told.last {
            batches += last - min(acknowledged, last)
            acknowledged = last
        }
        return nil
    }

    private func next(from descriptor: Int32) -> UInt64? {
        var batch: UInt64 = 0
        let count = withUnsafeMutableBytes(of: &batch) {
            read(descriptor, $0.baseAddress, $0.count)
        }
        return count == 8 ? batch : nil
    }
}

/// One of those that are killed.
private struct Writer {
    let path: String
    let acknowledged: UInt64

    /// Until it is killed.
    ///
    /// - Returns: 2 if something is wrong with what was there, 3 if the store fails.
    func run(telling descriptor: Int32) -> Int32 {
        do throws(StoreError) {
            let (store, last, problem) = try open()
            if let problem {
                print(problem)
                fflush(nil)
                return 2
            }
            // What it found is durable, though its predecessor could not say so any more.
            tell(last, descriptor)
            let batches = Batches(first: last + 1)
            try settle(store, batches, after: last)
            for batch in (last + 1)... {
                try store.append(
                    events: batches.events(batch).map { recorded($0, batch) },
                    ticks: [
                        RecordedTick(
                            at: timestamp(batch), instant: Instant(nanoseconds: batch),
                            tick: batches.tick(batch))
                    ])
                tell(batch, descriptor)
                if batch % 20 == 0 { try store.fold() }
            }
            return 0
        } catch {
            print(error)
            fflush(nil)
            return 3
        }
    }

    private func tell(_ batch: UInt64, _ descriptor: Int32) {
        var number = batch
        _ = withUnsafeBytes(of: &number) { Glibc.write(descriptor, $0.baseAddress, 8) }
    }

    private func timestamp(_ batch: UInt64) -> Timestamp {
        Timestamp(nanoseconds: Int64(batch) * 1_000_000)
    }

    private func recorded(_ event: DisclosedEvent, _ batch: UInt64) -> RecordedEvent {
        RecordedEvent(at: timestamp(batch), instant: Instant(nanoseconds: batch), event: event)
    }

    /// As the recorder does it.
    private func settle(
        _ store: Store, _ batches: Batches, after last: UInt64
    ) throws(StoreError) {
        var events: [DisclosedEvent] = []
        for child in store.unfinished.children {
            events.append(
                batches.disclosed(
                    ChildSAClosed(
                        session: child.session, child: child.child, reason: .crash,
                        total: child.total)))
        }
        for session in store.unfinished.sessions {
            events.append(
                batches.disclosed(
                    SessionClosed(
                        session: session.id, reason: .crash, durationMilliseconds: 0,
                        total: session.total)))
        }
        events.append(batches.disclosed(GatewayStarted.example))
        try store.append(events: events.map { recorded($0, last) }, ticks: [])
    }

    /// Opens the store and looks at all that is in it.
    func open() throws(StoreError) -> (store: Store, last: UInt64, problem: String?) {
        let store = try Store(
            path: path, version: "0.1.0", at: timestamp(acknowledged), bootID: "crash")
        let reader = try StoreReader(path: path)
        let figures = try reader.rows(Self.figures).rows.first ?? []
        guard case .integer(let count)? = figures.first else { return (store, 0, "no figures") }
        let last = UInt64(clamping: count)
        var problems = try reader.check()
        if last != acknowledged, last != acknowledged + 1 {
            problems.append("\(last) batches, and \(acknowledged) were durable")
        }
        // All that there is of each batch, and the crash with when the last one was.
        let right = [count, count, count, 0, 0].map { Datum.integer($0) }
        if Array(figures.dropFirst()) != right {
            problems.append("events and ticks: \(figures)")
        }
        let gateway = store.unfinished.gateway
        if last > 0, gateway?.lastSeen != timestamp(last) {
            problems.append("the crash after \(last) is told as of \(gateway as Any)")
        }
        return (store, last, problems.isEmpty ? nil : problems.joined(separator: "; "))
    }

    /// Batches by their events (twice), by ticks, by the latest tick; samples too few or too many,
    /// and wrong ones.
    private static let figures = """
        SELECT (SELECT count(*) FROM child_sa_installed),
               (SELECT coalesce(max(child), 0) FROM child_sa_installed),
               (SELECT count(*) FROM ticks),
               (SELECT coalesce(max(at_ns), 0) / 1000000 FROM ticks),
               (SELECT coalesce(sum(child_sas), 0) FROM ticks)
                 - (SELECT count(*) FROM child_samples),
               (SELECT count(*) FROM child_samples WHERE bytes_in <> at_ns / 1000000)
        """
}
