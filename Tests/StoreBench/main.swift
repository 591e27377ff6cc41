import Glibc
import Store
import Vocabulary

// Measures the store in process, with the workload of so many sessions (2,000) and hours (6):
//     store-bench run FILE [SLOTS [HOURS]]      one JSON object; FILE must not be there
//     store-bench ask FILE [SLOTS [HOURS]]      the questions alone, of such a file
//     store-bench write FILE [SLOTS [HOURS]]    only takes the samples in
//     store-bench events FILE                   only the events
//     store-bench text UNIT [SLOTS [HOURS]]     the same samples as OpenMetrics text; UNIT of the
//                                               times is `s` or `ms`

typealias Results = [(String, Double)]

func write(_ path: String, slots: Int, hours: Double) throws -> Results {
    var bench = try Bench(path: path, slots: slots, hours: hours)
    let wall = seconds(CLOCK_MONOTONIC)
    let written = figure("write_bytes", of: "io")
    try bench.run()
    let live = Int(bench.store.sizeBytes)
    try bench.finish()
    let samples = Double(bench.load.ticks * slots * 4)
    return [
        ("samples", samples), ("cpu_s_per_million", bench.cpuSeconds / samples * 1e6),
        ("samples_per_s", samples / (seconds(CLOCK_MONOTONIC) - wall)),
        ("device_bytes_per_sample", Double(figure("write_bytes", of: "io") - written) / samples),
        ("peak_rss_mib", Double(figure("VmHWM", of: "status")) / 1_024),
        ("live_bytes_per_sample", Double(live) / samples),
        ("bytes_per_sample", Double(size(path)) / samples),
    ]
}

func run(_ path: String, slots: Int, hours: Double) throws -> Results {
    var results = try write(path, slots: slots, hours: hours)
    results += try ask(path, slots: slots, hours: hours)
    results += try eventsPerSecond(path + ".events")
    results += try yearOfMinutes(path + ".year")
    return results
}

func show(_ results: Results) {
    print(
        "{" + results.map { "\"\($0)\": \(($1 * 1_000).rounded() / 1_000)" }.joined(separator: ", ")
            + "}")
}

/// Every sample by name and labels, tick after tick.
func text(_ unit: String, slots: Int, hours: Double) {
    var load = Workload(slots: slots, hours: hours)
    print("# TYPE ipsec_child_sa_bytes counter\n# TYPE ipsec_child_sa_packets counter")
    let end = unit == "ms" ? "000" : ""
    while load.advance() != nil {
        var lines = ""
        for child in load.children {
            let (bytesIn, bytesOut, packetsIn, packetsOut) = child.counters
            let labels =
                "sa=\"\(child.number)\",ike=\"\(child.slot)\",user=\"user\(child.slot % (slots * 4 / 5))\""
                + ",vip=\"10.64.\(child.slot / 256).\(child.slot % 256)\",conn=\"staff\",direction="
            for (name, direction, value) in [
                ("bytes", "in", bytesIn), ("bytes", "out", bytesOut),
                ("packets", "in", packetsIn), ("packets", "out", packetsOut),
            ] {
                lines +=
                    "ipsec_child_sa_\(name)_total{\(labels)\"\(direction)\"} \(value) \(load.seconds)\(end)\n"
            }
        }
        print(lines, terminator: "")
    }
    print("# EOF")
}

let words = CommandLine.arguments
let slots = words.count > 3 ? Int(words[3]) ?? 2_000 : 2_000
let hours = words.count > 4 ? Double(words[4]) ?? 6 : 6
do {
    switch words.dropFirst().first {
    case "run" where words.count > 2: show(try run(words[2], slots: slots, hours: hours))
    case "ask" where words.count > 2: show(try ask(words[2], slots: slots, hours: hours))
    case "write" where words.count > 2: show(try write(words[2], slots: slots, hours: hours))
    case "events" where words.count > 2: show(try eventsPerSecond(words[2]))
    case "text" where words.count > 2: text(words[2], slots: slots, hours: hours)
    default:
        print(
            "usage: store-bench run|ask|write FILE [SLOTS [HOURS]] | events FILE | text s|ms [SLOTS [HOURS]]"
        )
    }
} catch {
    print(error)
    exit(1)
}
