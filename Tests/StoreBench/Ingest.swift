import Glibc
import Store
import Vocabulary

struct Hidden: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "id:" + String(decoding: canonicalBytes, as: UTF8.self)
    }
}

struct Bench {
    let path: String
    let policy = Disclosure(pseudonymiser: Hidden())
    var store: Store
    var load: Workload
    let slots: Int
    var traffic = Traffic()
    var before: [Traffic]
    /// That the store took; making the samples is not in it.
    var cpuSeconds = 0.0

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
            let start = seconds(CLOCK_THREAD_CPUTIME_ID)
            try store.append(
                events: [],
                ticks: [
                    RecordedTick(
                        at: Timestamp(nanoseconds: at), instant: Instant(nanoseconds: UInt64(at)),
                        tick: tick)
                ])
            cpuSeconds += seconds(CLOCK_THREAD_CPUTIME_ID) - start
        }
    }

    mutating func finish() throws {
        let start = seconds(CLOCK_THREAD_CPUTIME_ID)
        try store.fold()
        store.close()
        cpuSeconds += seconds(CLOCK_THREAD_CPUTIME_ID) - start
    }
}
