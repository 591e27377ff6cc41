import Glibc
import SQLite
import Store

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

/// Milliseconds by the wall, and of the processor's time, which other load does not touch.
func median(
    _ sql: String, of reader: StoreReader
) throws -> (first: Double, median: Double, cpu: Double, rows: Int) {
    var times: [Double] = []
    var cpu: [Double] = []
    var rows = 0
    for _ in 0..<9 {
        let start = seconds(CLOCK_MONOTONIC)
        let used = seconds(CLOCK_THREAD_CPUTIME_ID)
        rows = try reader.rows(sql).rows.count
        times.append((seconds(CLOCK_MONOTONIC) - start) * 1_000)
        cpu.append((seconds(CLOCK_THREAD_CPUTIME_ID) - used) * 1_000)
    }
    return (times[0], times.sorted()[4], cpu.sorted()[4], rows)
}
