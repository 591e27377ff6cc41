import ArgumentParser
import Clocks
import Crypto
import Foundation
import Gateway
import Glibc
import LoadTest
import Logging
import Presentation
import ServiceLifecycle
import Settings
import UnixSignals
import Vocabulary

struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put simulated clients on a gateway, and say how it bears them.",
        discussion: """
            Logs in with a pre-shared key, X25519 and AES-128-GCM, at any IKEv2 gateway. Says how \
            it goes on standard error each second, and the result on standard output. Meant for \
            this machine, and for namespaces without a default route; elsewhere it wants \
            --allow-remote, and the consent of who runs the gateway.
            Examples:
              weir load --to 127.0.0.1:500 --psk-file users.psk --rate 200 --duration 30s
              weir load --to 192.0.2.1 --psk-file users.psk --sessions 10000 --hold --duration 5m
              weir load --to 127.0.0.1 --psk-file users.psk --half-open --rate 5000
              weir load --to 127.0.0.1 --psk-file users.psk --resume --sessions 1000
            """)

    @Option(help: "The gateway: ADDRESS or ADDRESS:PORT, IPv4.")
    var to: String

    @Option(help: "The gateway's NAT traversal port.")
    var natPort: UInt16 = 4_500

    @Option(help: "The file with the pre-shared key.")
    var pskFile: String

    @Option(help: "What the gateway must call itself. Default: anything.")
    var gatewayID: String?

    @Option(help: "Clients are load0@DOMAIN, load1@DOMAIN and so on.")
    var domain = "load.test"

    @Option(help: "Logins per second. Default: as many as --parallel allows.")
    var rate: Double?

    @Option(help: "Sessions to have at once; with --half-open, requests in all.")
    var sessions = 100

    @Option(help: "Logins that may be under way at once.")
    var parallel = 64

    @Option(help: "How long, such as 30s, 10m; Ctrl-C ends it too.")
    var duration = Span(.seconds(30))

    @Option(help: "Seconds after which a silent gateway is asked whether it lives.")
    var dpd = 3_600

    @Flag(help: "Keep every session to the end. Else the oldest logs out for each new one.")
    var hold = false

    @Flag(help: "Only begin: IKE_SA_INIT, and never IKE_AUTH.")
    var halfOpen = false

    @Flag(help: "Log in, vanish, and come back by ticket (RFC 5723), all sessions each time.")
    var resume = false

    @Flag(help: "With --resume: come back only after a line on standard input.")
    var wait = false

    @Option(help: "With --resume: measure the CPU time of this process, the gateway's.")
    var gatewayPid: Int32?

    @Flag(help: "Allow a gateway that is not this machine's, over a network with a default route.")
    var allowRemote = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(sessions) else {
            throw ValidationError("--sessions takes 1 to 1000000")
        }
        guard (1...10_000).contains(parallel) else {
            throw ValidationError("--parallel takes 1 to 10000")
        }
        guard rate.map({ $0 >= 0.01 && $0 <= 1_000_000 }) ?? true else {
            throw ValidationError("--rate takes 0.01 to 1000000")
        }
        guard (1...86_400).contains(dpd) else { throw ValidationError("--dpd takes 1 to 86400") }
        guard [hold, halfOpen, resume].count(where: \.self) <= 1 else {
            throw ValidationError("--hold, --half-open and --resume exclude each other")
        }
        guard resume || !wait && gatewayPid == nil else {
            throw ValidationError("--wait and --gateway-pid go with --resume")
        }
    }

    func run() async throws {
        let plan = try plan()
        let load: LoadRun
        do throws(GatewayError) {
            load = try LoadRun(plan)
        } catch {
            throw Failure.trouble(error)
        }
        let watch = LoadWatch(load: load, waits: wait)
        var logger = Logger(label: "weir") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: watch, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        try await group.run()
        let report = load.report
        output.show(resume ? [table(report.parts)] : tables(report, isFlood: halfOpen))
        if report.logins == 0, report.answers == 0 {
            throw Failure.trouble(
                "\(to) let nobody in; is it a gateway, and is \(pskFile) its clients' key?")
        }
    }

    private func plan() throws(Failure) -> LoadPlan {
        guard let gateway = endpoint(to) else {
            throw .misuse("--to \(visible(to)): expected an IPv4 address, such as 192.0.2.1:500")
        }
        guard allowRemote || isWithinReach(gateway.address) else {
            throw .misuse(
                "--to \(gateway.address) is another machine's; load on it needs --allow-remote")
        }
        let secret: SharedSecret
        do throws(SecretError) {
            secret = try SecretSource.system.secret(.file(pskFile))
        } catch {
            throw .misuse("--psk-file \(visible(pskFile)): \(error.reason)")
        }
        var plan = LoadPlan(
            halfOpen ? .flood : resume ? .resume : hold ? .hold : .churn, gateway: gateway,
            natPort: natPort,
            gatewayIdentity: gatewayID.map { Identity($0) }, secret: secret, rate: rate,
            sessions: sessions, parallel: parallel, duration: duration.duration)
        plan.domain = domain
        plan.livenessInterval = .seconds(dpd)
        plan.waits = wait
        plan.gatewayProcess = gatewayPid
        return plan
    }
}

/// Shows how a load goes on until it is over.
private struct LoadWatch: Service {
    let load: LoadRun
    let waits: Bool

    func run() async throws {
        var isAsked = false
        while !load.isOver, !Task.isShuttingDownGracefully {
            try? await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .milliseconds(waits ? 100 : 1_000))
            }
            let report = load.report
            if !waits || report.away == nil { complain(progress(report)) }
            guard waits, !isAsked, let away = report.away else { continue }
            isAsked = true
            complain("gone; \(away) have a ticket; Enter lets them come back")
            // Nobody waits for this thread: the process may end first.
            Thread.detachNewThread {
                _ = readLine()
                load.goOn()
            }
        }
        load.stop()
    }

    private func progress(_ report: LoadReport) -> String {
        let seconds = Int(report.elapsed.seconds.rounded())
        return "\(seconds) s: \(report.attempts) begun, \(report.logins) logins, "
            + "\(report.up) up, \(report.waiting) waiting, \(report.failed) failed, "
            + "\(report.lost) lost" + (report.isComplete ? ", complete" : "")
    }
}

/// A row for each part of a load with ``Load/resume``.
private func table(_ parts: [LoadPart]) -> Table {
    func count(_ value: Int) -> Datum { .integer(Int64(value)) }
    let rows = zip(["login", "return"], parts).map { name, part in
        [.text(name), count(part.attempts), count(part.logins), count(part.resumed)]
            + [count(part.failed)]
            + [0.5, 0.95, 0.99].map { share -> Datum in
                part.latencies.percentile(share).map {
                    .integer(Int64(clamping: $0 * 1_000))
                } ?? .null
            }
            + [
                part.processorTime.map { time -> Datum in
                    .integer(time.nanoseconds / Int64(max(part.logins, 1)))
                } ?? .null
            ]
    }
    return Table(
        columns: [
            Column("part", .text), Column("attempts", .count), Column("logins", .count),
            Column("resumed", .count), Column("failed", .count), Column("p50", .duration),
            Column("p95", .duration), Column("p99", .duration),
            Column("cpu_per_login", .duration),
        ], rows: rows)
}

private func tables(_ report: LoadReport, isFlood: Bool) -> [Table] {
    func count(_ value: Int) -> Datum { .integer(Int64(value)) }
    let seconds = max(report.lastLogin.seconds, 0.001)
    func milliseconds(_ share: Double) -> Datum {
        report.latencies.percentile(share).map { .integer(Int64(clamping: $0 * 1_000)) } ?? .null
    }
    guard !isFlood else {
        return [
            Table(
                columns: ["requests", "answers", "cookies"].map { Column($0, .count) },
                rows: [[count(report.attempts), count(report.answers), count(report.cookies)]])
        ]
    }
    let result = Table(
        columns: [
            Column("attempts", .count), Column("logins", .count),
            Column("logins_per_second", .perSecond), Column("failed", .count),
            Column("lost", .count), Column("up", .count), Column("p50", .duration),
            Column("p95", .duration), Column("p99", .duration),
        ],
        rows: [
            [
                count(report.attempts), count(report.logins),
                .real(Double(report.logins) / seconds), count(report.failed), count(report.lost),
                count(report.up), milliseconds(0.5), milliseconds(0.95), milliseconds(0.99),
            ]
        ])
    guard !report.failures.isEmpty else { return [result] }
    let failures = report.failures.sorted {
        ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue)
    }
    return [
        result,
        Table(
            title: "Failures", columns: [Column("reason", .text), Column("count", .count)],
            rows: failures.map { [.text($0.key.rawValue), count($0.value)] }),
    ]
}

/// `ADDRESS` or `ADDRESS:PORT`.
private func endpoint(_ text: String) -> Endpoint? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let address = IPAddress(String(parts[0])), address.isIPv4
    else { return nil }
    guard parts.count == 2 else { return Endpoint(address, 500) }
    return UInt16(parts[1]).map { Endpoint(address, $0) }
}

/// Whether an address is this machine's, or we are in a network that has no way out: one of
/// namespaces, made for tests.
private func isWithinReach(_ address: IPAddress) -> Bool {
    if case .v4(let word) = address, word >> 24 == 127 { return true }
    // Only an address of this machine can be bound.
    if (try? UDPSocket(Endpoint(address, 0), encapsulated: false)) != nil { return true }
    guard let routes = try? String(contentsOfFile: "/proc/self/net/route", encoding: .utf8) else {
        return false
    }
    return !routes.split(separator: "\n").dropFirst().contains { line in
        let fields = line.split(separator: "\t")
        return fields.count > 7 && fields[1] == "00000000" && fields[7] == "00000000"
    }
}
