import Foundation
import Testing

@testable import Settings

/// The file of Prometheus's exporter-toolkit.
@Suite("web.yml")
struct WebConfigurationTests {
    private static let certificate =
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"

    /// Under `key`, as a block of YAML.
    private static func block(_ key: String, _ text: String) -> String {
        "  \(key): |\n" + text.split(separator: "\n").map { "    \($0)\n" }.joined()
    }

    private static let inline =
        "tls_server_config:\n" + block("cert", certificate) + block("key", key)

    /// Writes `web.yml` and two files beside it, and reads it.
    private func load(
        _ yaml: String, mode: Int = 0o600
    ) throws -> Result<WebConfiguration, SettingsError> {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text, mode) in [
            ("web.yml", yaml, mode), ("a.pem", Self.certificate, 0o644), ("a.key", Self.key, 0o600),
        ] {
            let file = folder.appending(path: name)
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: file.path)
        }
        do throws(SettingsError) {
            return .success(
                try WebConfiguration.load(path: folder.appending(path: "web.yml").path))
        } catch {
            return .failure(error)
        }
    }

    /// What the user is told, without the folder.
    private func complaints(_ yaml: String, mode: Int = 0o600) throws -> [String] {
        switch try load(yaml, mode: mode) {
        case .success: []
        case .failure(let error):
            error.problems.map { $0.description.replacing(/^.*?\/web\.yml/, with: "web.yml") }
        }
    }

    @Test("says everything that exporter-toolkit's format has for TLS")
    func tls() throws {
        let web = try load(
            """
            tls_server_config:
              cert_file: a.pem
              key_file: a.key
              client_auth_type: RequireAndVerifyClientCert
              client_ca_file: a.pem
              client_allowed_sans: [prometheus.lab, 192.0.2.1]
              min_version: TLS12
              max_version: TLS12
              cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
              prefer_server_cipher_suites: false
              curve_preferences: [X25519, CurveP256]
            http_server_config: {http2: true, headers: {X-Frame-Options: deny}}
            rate_limit: {interval: 100ms, burst: 5}
            """
        ).get()
        #expect(web.certificate == Array(Self.certificate.utf8))
        #expect(isSecret(try #require(web.key), Array(Self.key.utf8.dropLast())))
        #expect(web.requiresClientCertificate)
        #expect(web.clientNames == ["prometheus.lab", "192.0.2.1"])
        #expect(web.newestVersion == .tls12)
        #expect(web.suites == [.rsaAES256, .ecdsaAES128])
        #expect(web.curves == [.x25519, .p256])
        #expect(!web.prefersServerOrder)
        #expect(web.headers == ["X-Frame-Options": "deny"])
        #expect(web.rateLimit == .init(interval: .milliseconds(100), burst: 5))
        #expect(web.files.count == 4)
    }

    @Test("may hold certificates itself")
    func pem() throws {
        let clients =
            "  client_auth_type: VerifyClientCertIfGiven\n"
            + Self.block("client_ca", Self.certificate)
        let web = try load(Self.inline + clients).get()
        #expect(web.certificate == Array(Self.certificate.utf8))
        #expect(isSecret(try #require(web.key), Array(Self.key.utf8)))
        #expect(web.clientAuthorities == Array(Self.certificate.utf8))
        #expect(web.files.count == 1)
    }

    @Test("is refused with its line where a key stands in an open file")
    func openKey() throws {
        let told = try complaints(Self.inline, mode: 0o644)
        #expect(told.count == 1)
        #expect(told.first?.hasPrefix("web.yml:6: tls_server_config.key: stands in a file") == true)
    }

    @Test("an interval of 0 is no limit")
    func noLimit() throws {
        #expect(try load("rate_limit: {interval: 0s, burst: 1}").get().rateLimit == nil)
        #expect(try load("{}").get().rateLimit == nil)
    }

    @Test(
        "is refused with line and remedy",
        arguments: [
            ("rate_limit: {}", "web.yml:1: rate_limit: lacks \"interval\""),
            ("rate_limit: {interval: 1s, burst: 0}", "web.yml:1: rate_limit.burst: 0 is out of"),
            (
                "\nrate_limits: {}",
                "web.yml:2: rate_limits: unknown key; did you mean \"rate_limit\"?"
            ),
            (
                "tls_server_config:\n  cert_file: a.pem\n  key_file: a.key\n  cipher_suites: [TLS_RSA]",
                "web.yml:4: tls_server_config.cipher_suites[1]: \"TLS_RSA\" is unknown"
            ),
            (
                "tls_server_config:\n  cert_file: a.pem\n  key_file: a.key\n  curve_preferences: P256",
                "web.yml:4: tls_server_config.curve_preferences: \"P256\" is unknown"
            ),
            (
                "tls_server_config:\n  cert_file: a.pem\n  cert: x\n  key_file: a.key",
                "web.yml:3: tls_server_config.cert: and cert_file: only one of them"
            ),
            (
                "tls_server_config:\n  cert_file: a.pem\n  key_file: a.key\n  client_allowed_sans: [a]",
                "web.yml:4: tls_server_config.client_allowed_sans: needs client_auth_type"
            ),
            (
                "http_server_config:\n  header: {}",
                "web.yml:2: http_server_config.header: unknown key; did you mean \"headers\"?"
            ),
        ])
    func refusals(_ yaml: String, _ start: String) throws {
        let told = try complaints(yaml)
        #expect(told.contains { $0.hasPrefix(start) }, "\(told)")
    }

    @Test("never tells what might be a key")
    func silence() throws {
        for key in ["key", "cert", "client_ca"] {
            let told = try complaints("tls_server_config: {\(key): swordfish}")
            #expect(!told.isEmpty && !told.joined().contains("swordfish"), "\(told)")
        }
    }
}
