import Glibc
import Vocabulary

/// What the kernel tells of this process. A figure that can't be read stays as it was: zero.
struct ProcessFigures: Sendable {
    private(set) var values: [(metric: HealthMetric, value: Number)] = []

    init() {}

    static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        if let stat = Stat.current() {
            figures.values.append((.cpuSeconds, .real(stat.cpuSeconds)))
            figures.values.append((.residentBytes, .count(stat.residentBytes)))
        }
        if let startTime { figures.values.append((.startTime, .real(startTime))) }
        if let open = openFiles() { figures.values.append((.openFiles, .count(open))) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.values.append((.maxOpenFiles, .count(UInt64(limit.rlim_cur))))
        }
        return figures
    }

    /// Seconds since the Unix epoch. Read once: the kernel derives it from the wall clock, and it
    /// must not move when that steps.
    private static let startTime: Double? = {
        guard let stat = Stat.current(), let text = contents(of: "/proc/stat"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst(6))
        else { return nil }
        return boot + stat.secondsAfterBoot
    }()

    /// Not counting the one that this takes to find out.
    private static func openFiles() -> UInt64? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var entries: UInt64 = 0
        while readdir(folder) != nil { entries += 1 }
        return entries >= 3 ? entries - 3 : nil
    }
}

/// Fields of `/proc/self/stat` (proc(5)).
private struct Stat {
    let cpuSeconds: Double
    let secondsAfterBoot: Double
    let residentBytes: UInt64

    static func current() -> Stat? {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        guard ticks > 0, let text = contents(of: "/proc/self/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // The name may hold blanks and parentheses; what follows its end is field 3 onwards.
        let fields = text[end...].split(separator: " ").dropFirst().map { UInt64($0) }
        guard fields.count > 21, let user = fields[11], let system = fields[12],
            let start = fields[19], let pages = fields[21]
        else { return nil }
        return Stat(
            cpuSeconds: (Double(user) + Double(system)) / ticks,
            secondsAfterBoot: Double(start) / ticks,
            residentBytes: pages.multipliedReportingOverflow(
                by: UInt64(clamping: sysconf(Int32(_SC_PAGESIZE)))
            ).partialValue)
    }
}

/// The first 64 KiB of a file under `/proc`.
private func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < 65_536 {
        let count = read(file, &part, part.count)
        guard count > 0 else { break }
        bytes += part.prefix(count)
    }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
}
