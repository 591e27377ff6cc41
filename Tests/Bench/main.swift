// What strangers and sessions cost a gateway: memory by the C library's own count, CPU by the
// thread's clock. `swift run -c release defence-bench [NUMBER]`.

import CLinux
import Crypto
import ESP
import Engine
import Glibc
import Vocabulary

let number = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
let secret = SharedSecret(SecretBytes(copying: Array("correct horse battery staple".utf8)))
let suite = IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519)
let esp = ESPSuite(cipher: .aes128GCM16)
let gatewayIdentity = Identity("gw.lab")
let local = Endpoint(.v4(0xc000_0201), 500)

func policy(cookiesFrom: Int = .max) -> EnginePolicy {
    var policy = EnginePolicy(
        connections: [
            Connection(
                name: "staff", localIdentity: gatewayIdentity, remoteIdentities: [.suffix("@lab")],
                secret: secret, ikeSuites: [suite], espSuites: [esp], pool: "rw")
        ],
        pools: [
            PoolPolicy(
                name: "rw",
                ipv4: AddressBlock(first: .v4(0x0a00_0001), last: .v4(0x0aff_fffe)))
        ])
    policy.halfOpenLimit = .max
    policy.sessionLimit = .max
    policy.defence.cookiesFrom = cookiesFrom
    policy.defence.keyExchangesPerSecond = 1_000_000
    return policy
}

/// CPU time of this thread, in seconds.
func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Bytes of memory in use, as malloc counts them.
func heap() -> Int { Int(clinux_heap_bytes()) }

/// Each client is at an address of its own.
func path(_ index: Int, nat: Bool, fromClient: Bool) -> Path {
    let port: UInt16 = nat ? 4_500 : 500
    let ends = (Endpoint(local.address, port), Endpoint(.v4(0x0b00_0000 + UInt32(index)), port))
    return fromClient
        ? Path(local: ends.1, remote: ends.0, encapsulated: nat)
        : Path(local: ends.0, remote: ends.1, encapsulated: nat)
}

/// One client's engine, and what it sends.
struct Client {
    let engine: Engine
    var output = Output()

    init(_ index: Int, at now: Instant) {
        engine = Engine(EnginePolicy(connections: []), dataplane: Tunnels(), random: SystemRandom())
        let client = ClientPolicy(
            localIdentity: Identity("user\(index)@lab"), remoteIdentity: gatewayIdentity,
            secret: secret, ikeSuites: [suite], espSuites: [esp])
        _ = engine.connect(
            client, on: path(index, nat: false, fromClient: true),
            natPath: path(index, nat: true, fromClient: true), at: now, &output)
    }

    mutating func take() -> [UInt8] {
        defer { output.clear() }
        return output.transmits.first?.bytes ?? []
    }
}

func line(_ name: String, _ value: Double, _ unit: String) {
    let rounded = (value * 100).rounded() / 100
    print(name + String(repeating: " ", count: max(1, 44 - name.count)) + "\(rounded) \(unit)")
}

func measureMemory() {
    let plane = Tunnels()
    let gateway = Engine(policy(), dataplane: plane, random: SystemRandom())
    let now = Instant(nanoseconds: 1_000_000_000)
    var output = Output()
    // The clients' memory must not be counted: their requests are made first, and what they
    // answer is worth a client each.
    var requests: [[UInt8]] = []
    for index in 0..<number {
        var client = Client(index, at: now)
        requests.append(client.take())
    }
    var before = heap()
    var started = cpu()
    for index in 0..<number {
        gateway.receive(
            requests[index], on: path(index, nat: false, fromClient: false), at: now, &output)
        output = Output()
    }
    var tick = Tick()
    gateway.fill(&tick)
    line("half-open IKE SAs", Double(tick.halfOpen), "")
    line("memory of each", Double(heap() - before) / Double(number), "bytes")
    line("CPU of each IKE_SA_INIT", (cpu() - started) / Double(number) * 1e6, "µs")

    let other = Tunnels()
    let second = Engine(policy(), dataplane: other, random: SystemRandom())
    var spent = 0.0
    before = heap()
    for index in 0..<number {
        var client = Client(index, at: now)
        for nat in [false, true] {
            let request = client.take()
            started = cpu()
            second.receive(
                request, on: path(index, nat: nat, fromClient: false), at: now, &output)
            spent += cpu() - started
            let answer = output.transmits.first?.bytes ?? []
            output = Output()
            client.engine.receive(
                answer, on: path(index, nat: nat, fromClient: true), at: now, &client.output)
        }
    }
    tick = Tick()
    second.fill(&tick)
    line("established sessions", Double(tick.sessions), "")
    line("memory of each, Child SA included", Double(heap() - before) / Double(number), "bytes")
    line("CPU of each handshake", spent / Double(number) * 1e6, "µs")
}

func measureCookies() {
    let gateway = Engine(policy(cookiesFrom: 0), dataplane: Tunnels(), random: SystemRandom())
    var client = Client(0, at: Instant(nanoseconds: 1))
    var request = client.take()
    var output = Output()
    let count = 100 * number
    let before = heap()
    var random = SystemRandomNumberGenerator()
    let started = cpu()
    for index in 0..<count {
        let spi = UInt64.random(in: 1 ... .max, using: &random)
        for byte in 0..<8 { request[byte] = UInt8(truncatingIfNeeded: spi >> UInt64(8 * byte)) }
        gateway.receive(
            request, on: path(index & 0xff_ffff, nat: false, fromClient: false),
            at: Instant(nanoseconds: UInt64(index) * 20_000), &output)
        output.clear()
    }
    let seconds = cpu() - started
    line("spoofed IKE_SA_INITs", Double(count), "")
    line("CPU of each cookie challenge", seconds / Double(count) * 1e6, "µs")
    line("memory that they left", Double(heap() - before), "bytes")
}

/// Logs in clients `range`, and adds up what it costs the gateway, in seconds of CPU.
func logIn(_ range: Range<Int>, at gateway: Engine, _ now: Instant) -> Double {
    var output = Output()
    var spent = 0.0
    for index in range {
        var client = Client(index, at: now)
        for nat in [false, true] {
            let request = client.take()
            let started = cpu()
            gateway.receive(
                request, on: path(index, nat: nat, fromClient: false), at: now, &output)
            spent += cpu() - started
            // The last is the answer: who was evicted is told before.
            let answer = output.transmits.last?.bytes ?? []
            output = Output()
            client.engine.receive(
                answer, on: path(index, nat: nat, fromClient: true), at: now, &client.output)
        }
    }
    return spent
}

/// A login that has to end another session, against one that has not.
func measureEviction() {
    let more = number / 10
    for eviction in [EvictionPolicy.refuse, .oldest, .longestIdle] {
        var policy = policy()
        policy.eviction = eviction
        policy.sessionLimit = eviction == .refuse ? .max : number
        let gateway = Engine(policy, dataplane: Tunnels(), random: SystemRandom())
        _ = logIn(0..<number, at: gateway, Instant(nanoseconds: 1_000_000_000))
        // The first makes the queue.
        let first = logIn(number..<(number + 1), at: gateway, Instant(nanoseconds: 2_000_000_000))
        let spent = logIn(
            (number + 1)..<(number + 1 + more), at: gateway, Instant(nanoseconds: 3_000_000_000))
        var tick = Tick()
        gateway.fill(&tick)
        let name = eviction == .refuse ? "no limit" : "at a full limit, \(eviction.rawValue)"
        line("sessions, \(name)", Double(tick.sessions), "")
        line("CPU of the first handshake more", first * 1e6, "µs")
        line("CPU of each handshake after that", spent / Double(more) * 1e6, "µs")
    }
}

measureMemory()
measureCookies()
measureEviction()
