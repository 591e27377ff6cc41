import Glibc
import Store
import Vocabulary

// store-crash-helper FILE
//     Writes to the store until it is killed, and prints the number of each batch once that is
//     durable. After n batches the sessions n - 2, n - 1 and n are open.
// store-crash-helper kills FOLDER ROUNDS SEED
//     Kills such a writer so many times, at random moments, and looks each time at what is left.

func write(to path: String) throws(StoreError) {
    let store = try Store(
        path: path, version: "0.1.0", at: Timestamp(nanoseconds: 0), bootID: "crash")
    let batches = Batches(first: 1)
    for batch in 1...1_000_000 as ClosedRange<UInt64> {
        let at = Timestamp(nanoseconds: Int64(batch))
        let instant = Instant(nanoseconds: batch)
        let started = batch == 1 ? [batches.disclosed(GatewayStarted.example)] : []
        try store.append(
            events: (started + batches.events(batch)).map {
                RecordedEvent(at: at, instant: instant, event: $0)
            },
            ticks: [RecordedTick(at: at, instant: instant, tick: batches.tick(batch))])
        print(batch)
        fflush(nil)
    }
}

let words = CommandLine.arguments
if words.count == 5, words[1] == "kills", let rounds = Int(words[3]), let seed = UInt64(words[4]) {
    var kills = Kills(folder: words[2], seed: seed)
    let problem = kills.run(rounds)
    print(problem ?? "\(rounds) kills, \(kills.batches) batches, no loss")
    exit(problem == nil ? 0 : 1)
}
do throws(StoreError) {
    try write(to: words.last ?? "")
} catch {
    print(error)
    exit(1)
}
