import Encoding
import Glibc

func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
func codec() throws {
    var w = Workload(slots: 2000, hours: 6)
    var chunks = [Chunk](repeating: Chunk(begins: true, columns: 4, times: [], values: []), count: 2000)
    var bytes = 0, count = 0, samples = 0
    var enc = 0.0, dec = 0.0
    func seal(_ c: Chunk) throws {
        guard !c.times.isEmpty else { return }
        let a = cpu()
        let b = try c.encoded()
        let m = cpu()
        let back = try Chunk(decoding: b)
        dec += cpu() - m; enc += m - a
        if back != c { print("DIFFERENT") }
        bytes += b.count; count += 1; samples += c.values.count
    }
    while let r = w.advance() {
        for s in r { try seal(chunks[s]); chunks[s] = Chunk(begins: true, columns: 4, times: [], values: []) }
        for s in 0..<2000 {
            let c = w.children[s].counters
            chunks[s].times.append(w.seconds * 1_000_000_000)
            chunks[s].values.append(contentsOf: [c.2, c.0, c.3, c.1])
        }
    }
    for c in chunks { try seal(c) }
    print(count, samples, Double(bytes) / Double(samples), "enc ns", enc / Double(samples) * 1e9, "dec ns", dec / Double(samples) * 1e9)
}
try codec()
