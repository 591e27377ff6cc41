import Capacity
import Clocks
import Crypto
import Foundation
import Glibc
import Presentation
import Recorder
import Store
import Vocabulary

/// Where a demonstration keeps what it makes: a configuration to read, a secret, a key, a store.
struct DemoFolder {
    let path: String

    var configurationFile: String { path + "/weir.yaml" }
    var storeFile: String { path + "/weir.db" }
    var controlSocket: String { path + "/control.sock" }
    private var secretFile: String { path + "/users.psk" }

    /// How a person would call this program again.
    var binary: String { CommandLine.arguments.first ?? "weir" }

    /// Makes the folder and its files; a store that is there is gone on with.
    init(at path: String) throws(Failure) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let secret = hex(SystemRandom().bytes(24))
            try write(secret + "\n", to: secretFile, mode: 0o600)
            try write(yaml(), to: configurationFile, mode: 0o644)
        } catch {
            throw .misuse("\(path): cannot be written; name another folder with --dir")
        }
    }

    private func write(_ text: String, to file: String, mode: Int) throws {
        let made = FileManager.default.createFile(
            atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        if !made { throw CocoaError(.fileWriteUnknown) }
    }

    private func yaml() -> String {
        let ports = freePorts(3)
        return """
            # Written by `weir demo`. `weir run -c` takes a file like this.
            gateway:
              name: demo
              listen: [127.0.0.1]
              port: \(ports[0])
              nat_port: \(ports[1])
              dataplane: memory
              control: control.sock
            pools:
              - name: users
                addresses: 10.88.0.0/24
                dns: [10.99.0.1]
            connections:
              - name: users
                local_id: gw.demo
                remote_ids: ["*@demo"]
                secret: {file: users.psk}
                pool: users
                local_ts: [10.99.0.0/24]
                ike_proposals: [aes128gcm16-prfsha256-x25519]
                esp_proposals: [aes128gcm16]
            telemetry:
              store: weir.db
              interval: 1s
              metrics: {listen: 127.0.0.1, port: \(ports[2])}

            """
    }

    /// What has happened, in short, and what to try next.
    func report() throws {
        let store: StoreReader
        do {
            store = try StoreReader(path: storeFile)
        } catch {
            throw Failure.trouble(error)
        }
        let counts = try reporting {
            let found = try store.rows(
                """
                SELECT (SELECT count(*) FROM session_established) AS logins,
                       (SELECT count(*) FROM ike_auth_failed) AS failed,
                       (SELECT count(*) FROM child_sa_rekeyed) + (SELECT count(*) FROM ike_sa_rekeyed)
                           AS rekeys,
                       (SELECT count(*) FROM address_changed) AS moves,
                       (SELECT sum(bytes_in + bytes_out) FROM sessions) AS bytes
                """, [:])
            let alerts = try store.rows(
                "SELECT rule, subject, evidence FROM alerts ORDER BY fired_ns", [:])
            return [
                Table(
                    title: "What the store holds",
                    columns: [
                        Column("logins", .count), Column("failed", .count),
                        Column("rekeys", .count), Column("moves", .count),
                        Column("bytes", .bytes),
                    ], rows: found.rows),
                Table(
                    title: "Alerts",
                    columns: ["rule", "subject", "evidence"].map { Column($0, .text) },
                    rows: alerts.rows),
            ]
        }
        OutputOptions.plain.show(counts)
        let moment = Timestamp(nanoseconds: ClockReading.now.wall.nanoseconds - 5_000_000_000)
            .rfc3339
        say(
            """

            Try next:
              \(binary) report sessions --store \(storeFile)
              \(binary) report traffic --by identity --store \(storeFile)
              \(binary) report capacity --store \(storeFile)
              \(binary) query failures-by-source --store \(storeFile)
              \(binary) query who-held-address --address 10.88.0.1 --at \(moment) --store \(storeFile)
              \(binary) pseudonym user0@demo --store \(storeFile)
            """)
    }
}

extension OutputOptions {
    static var plain: OutputOptions {
        var options = OutputOptions()
        options.format = .table
        return options
    }
}

/// Ports of loopback that nobody has now.
private func freePorts(_ count: Int) -> [UInt16] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    return (0..<count).map { _ in
        // One that is free for both transports.
        for _ in 0..<64 {
            let (udp, port) = bound(Int32(SOCK_DGRAM.rawValue), port: 0)
            let (tcp, _) = bound(Int32(SOCK_STREAM.rawValue), port: port)
            descriptors += [udp, tcp].filter { $0 >= 0 }
            if udp >= 0, tcp >= 0 { return port }
        }
        return 0
    }
}

private func bound(_ kind: Int32, port: UInt16) -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { return (-1, 0) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    name.sin_port = port.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            let status = bind(descriptor, pointer, length)
            return status == 0 ? getsockname(descriptor, pointer, &length) : status
        }
    }
    guard status == 0 else {
        close(descriptor)
        return (-1, 0)
    }
    return (descriptor, UInt16(bigEndian: name.sin_port))
}
