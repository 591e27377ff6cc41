import Glibc
import SQLite
import Store
import Vocabulary

// Measures the store with the workload of 2,000 or as many sessions as asked for, in process:
//     store-bench FILE [SLOTS [HOURS]]
// The file must not be there. Prints one JSON object.

struct Hidden: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "id:" + String(decoding: canonicalBytes, as: UTF8.self)
    }
}

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A number of `/proc/self/NAME`, such as `write_bytes` of `io`.
func figure(_ name: String, of file: String) -> Int {
    guard let stream = fopen("/proc/self/" + file, "r") else { return 0 }
    defer { fclose(stream) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, stream) != nil {
        let text = String(
            decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix(name) else { continue }
        return Int(text.filter { $0.isNumber }) ?? 0
    }
    return 0
}

func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

struct Bench {
    let path: String
    let policy = Disclosure(pseudonymiser: Hidden())
    var store: Store
    var load: Workload
    let slots: Int
    var traffic = Traffic()
    var before: [Traffic]

    init(path: String, slots: Int, hours: Double) throws {
        self.path = path
        self.slots = slots
        store = try Store(
            path: path, version: "bench",
            at: Timestamp(nanoseconds: Workload.start * 1_000_000_000), bootID: "bench")
        load = Workload(slots: slots, hours: hours)
        before = [Traffic](repeating: Traffic(), count: slots)
    }

    func session(_ slot: Int) -> SessionID {
        SessionID(milliseconds: UInt64(Workload.start) * 1_000 + UInt64(slot), random: [])
    }

    func record(_ event: some Event) -> RecordedEvent {
        RecordedEvent(
            at: Timestamp(nanoseconds: load.seconds * 1_000_000_000),
            instant: Instant(nanoseconds: UInt64(load.seconds) * 1_000_000_000),
            event: event.disclosed(under: policy))
    }

    mutating func logins() throws {
        var events: [RecordedEvent] = []
        for slot in 0..<slots {
            var event = SessionEstablished.example
            event.session = Public(session(slot))
            event.identity = Personal(Identity("user\(slot % (slots * 4 / 5))"))
            events.append(record(event))
        }
        try store.append(events: events, ticks: [])
    }

    mutating func run() throws {
        try logins()
        while load.advance() != nil {
            var tick = Tick()
            tick.sessions = UInt64(slots)
            for slot in 0..<slots {
                let child = load.children[slot]
                let now = Traffic(
                    bytesIn: child.counters.0, packetsIn: child.counters.2,
                    bytesOut: child.counters.1, packetsOut: child.counters.3)
                tick.children.append(
                    ChildSample(session: session(slot), child: ChildID(child.number), traffic: now))
                let old = now.packetsIn < before[slot].packetsIn ? Traffic() : before[slot]
                traffic.bytesIn &+= now.bytesIn &- min(old.bytesIn, now.bytesIn)
                before[slot] = now
            }
            tick.traffic = traffic
            let at = load.seconds * 1_000_000_000
            try store.append(
                events: [],
                ticks: [
                    RecordedTick(
                        at: Timestamp(nanoseconds: at), instant: Instant(nanoseconds: UInt64(at)),
                        tick: tick)
                ])
        }
    }
}

func median(
    _ sql: String, of reader: StoreReader
) throws -> (first: Double, median: Double, rows: Int) {
    var times: [Double] = []
    var rows = 0
    for _ in 0..<5 {
        let start = seconds(CLOCK_MONOTONIC)
        rows = try reader.rows(sql).rows.count
        times.append((seconds(CLOCK_MONOTONIC) - start) * 1_000)
    }
    return (times[0], times.sorted()[2], rows)
}

func round(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

func bench() throws {
    let words = CommandLine.arguments
    guard words.count > 1 else { return print("usage: store-bench FILE [SLOTS [HOURS]]") }
    let slots = words.count > 2 ? Int(words[2]) ?? 2_000 : 2_000
    let hours = words.count > 3 ? Double(words[3]) ?? 6 : 6
    var bench = try Bench(path: words[1], slots: slots, hours: hours)
    let wall = seconds(CLOCK_MONOTONIC)
    let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID)
    let written = figure("write_bytes", of: "io")
    try bench.run()
    let live = Int(bench.store.sizeBytes)
    try bench.store.fold()
    bench.store.close()
    let folded = size(words[1])
    let samples = Double(bench.load.ticks * slots * 4)
    let usedCPU = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu
    let usedWall = seconds(CLOCK_MONOTONIC) - wall
    let writes = Double(figure("write_bytes", of: "io") - written)
    let peak = figure("VmHWM", of: "status")

    if words.count > 4 { return print(usedCPU / samples * 1e6) }
    _ = try StoreCare.compact(path: words[1])
    let reader = try StoreReader(path: words[1])
    let end = (Workload.start + Int64(hours * 3_600) - 15) * 1_000_000_000
    let questions = [
        (
            "total_rate_60s",
            "SELECT at_ns / 60000000000 AS m, max(bytes_in) - min(bytes_in) FROM ticks GROUP BY m"
        ),
        (
            "total_rate_60s_from_samples",
            "SELECT at_ns / 60000000000 AS m, sum(bytes_in_step) FROM child_samples WHERE moved = 1 GROUP BY m"
        ),
        (
            "top_10_users_1h",
            """
            SELECT e.identity, sum(u.b) AS b FROM (
                SELECT session, sum(bytes_in_step + bytes_out_step) AS b FROM child_samples
                 WHERE at_ns > \(end - 3_600_000_000_000) AND moved = 1 GROUP BY session) u
              JOIN session_established e ON e.session = u.session
             GROUP BY e.identity ORDER BY b DESC LIMIT 10
            """
        ),
        (
            "one_sa_raw",
            "SELECT at_ns, bytes_in, packets_in, bytes_out, packets_out FROM child_samples"
                + " WHERE run = 1 AND child = \(slots + 5)"
        ),
        (
            "active_sas_per_minute",
            """
            SELECT at_ns / 60000000000 AS m, count(DISTINCT child) FROM child_samples
             WHERE moved = 1 AND bytes_in_step > 0 GROUP BY m
            """
        ),
    ]
    var lines = [
        "\"slots\":\(slots)", "\"hours\":\(hours)", "\"samples\":\(Int(samples))",
        "\"bytes_per_sample\":\(round(Double(size(words[1])) / samples))",
        "\"bytes_per_sample_with_free_space\":\(round(Double(folded) / samples))",
        "\"live_bytes_per_sample\":\(round(Double(live) / samples))",
        "\"device_bytes_per_sample\":\(round(writes / samples))",
        "\"cpu_s_per_million\":\(round(usedCPU / samples * 1e6))",
        "\"samples_per_s\":\(Int(samples / usedWall))",
        "\"peak_rss_mib\":\(round(Double(peak) / 1_024))",
    ]
    for (name, sql) in questions {
        let result = try median(sql, of: reader)
        lines.append(
            "\"\(name)_ms\":[\(round(result.first)),\(round(result.median)),\(result.rows)]")
    }
    print("{" + lines.joined(separator: ",") + "}")
}

do { try bench() } catch { print(error); exit(1) }
