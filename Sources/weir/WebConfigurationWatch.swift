import Dispatch
import Exporter
import Foundation
import Logging
import Settings
import Synchronization

extension Access {
    init(_ configuration: WebConfiguration) throws(TLSError) {
        var tls: TLS?
        if let certificate = configuration.certificate, let key = configuration.key {
            let version = { (version: WebConfiguration.TLSVersion) -> Version in
                version == .tls13 ? .tls13 : .tls12
            }
            tls = TLS(
                certificate: certificate, key: key,
                clients: configuration.clientAuthorities.map {
                    Clients(
                        authorities: $0,
                        mustHaveCertificate: configuration.requiresClientCertificate,
                        names: configuration.clientNames)
                },
                oldest: version(configuration.oldestVersion),
                newest: version(configuration.newestVersion),
                suites: configuration.suites.map(Suite.init),
                curves: configuration.curves.map(Curve.init),
                prefersServerOrder: configuration.prefersServerOrder)
        }
        try tls?.check()
        self.init(
            tls: tls, users: configuration.users, tokens: configuration.tokens,
            headers: configuration.headers,
            rateLimit: configuration.rateLimit.map {
                RateLimit(interval: $0.interval, burst: $0.burst)
            })
    }
}

extension Access.Suite {
    fileprivate init(_ suite: WebConfiguration.CipherSuite) {
        switch suite {
        case .ecdsaAES128: self.init(.ecdsa, .aes128)
        case .ecdsaAES256: self.init(.ecdsa, .aes256)
        case .ecdsaChaCha20: self.init(.ecdsa, .chaCha20)
        case .rsaAES128: self.init(.rsa, .aes128)
        case .rsaAES256: self.init(.rsa, .aes256)
        case .rsaChaCha20: self.init(.rsa, .chaCha20)
        }
    }
}

extension Access.Curve {
    fileprivate init(_ curve: WebConfiguration.Curve) {
        switch curve {
        case .x25519: self = .x25519
        case .p256: self = .p256
        case .p384: self = .p384
        case .p521: self = .p521
        }
    }
}

/// Looks once a second whether `web.yml` or a file that it names has changed, and lets the server
/// go by it then; and has the server hang up on slow clients. A file that is wrong changes
/// nothing, and is told of in the log.
final class WebConfigurationWatch: Sendable {
    private let path: String?
    private let server: MetricsServer
    private let logger: Logger
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    private struct State {
        var files: [String]
        var seen: [Mark?]
        var isOver = false
    }

    /// What tells that a file is another one than before.
    private struct Mark: Equatable {
        let inode: ino_t
        let size: off_t
        let seconds: Int
        let nanoseconds: Int
    }

    init(path: String?, files: [String], server: MetricsServer, logger: Logger) {
        self.path = path
        self.server = server
        self.logger = logger
        state = Mutex(State(files: files, seen: files.map(Self.mark)))
    }

    func start() {
        let thread = Thread { [self] in
            while wake.wait(timeout: .now() + .seconds(1)) == .timedOut {
                server.sweep()
                look()
            }
        }
        thread.name = "web"
        thread.start()
    }

    func stop() { wake.signal() }

    private func look() {
        guard let path else { return }
        let hasChanged = state.withLock { state in
            let marks = state.files.map(Self.mark)
            defer { state.seen = marks }
            return marks != state.seen
        }
        guard hasChanged else { return }
        do {
            let configuration = try WebConfiguration.load(path: path)
            try server.change(access: try Access(configuration))
            state.withLock { state in
                state.files = configuration.files
                state.seen = configuration.files.map(Self.mark)
            }
            logger.notice(
                "the metrics server goes by its changed file", metadata: ["file": "\(path)"])
        } catch {
            logger.error(
                "the metrics server's changed file is wrong; the old one holds",
                metadata: ["reason": "\(error)"])
        }
    }

    private static func mark(_ path: String) -> Mark? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Mark(
            inode: status.st_ino, size: status.st_size, seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }
}
