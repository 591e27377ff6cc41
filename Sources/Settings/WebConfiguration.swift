package import Crypto
import Vocabulary
import Yams

/// What a `web.yml` says, in the format of Prometheus's exporter-toolkit, as far as this server
/// can do it. What it can't do is refused.
package struct WebConfiguration: Sendable {
    package var certificate: [UInt8]?
    package var key: SharedSecret?
    package var clientAuthorities: [UInt8]?
    package var requiresClientCertificate = false
    package var clientNames: [String] = []
    package var oldestVersion = TLSVersion.tls12
    package var newestVersion = TLSVersion.tls13
    /// bcrypt hashes by user name.
    package var users: [String: SharedSecret] = [:]
    package var tokens: [SharedSecret] = []
    package var headers: [String: String] = [:]
    /// All files that it was made of, itself first.
    package var files: [String] = []

    package enum TLSVersion: String, CaseIterable, Sendable {
        case tls12 = "TLS12"
        case tls13 = "TLS13"
    }

    /// exporter-toolkit's names, without those that ask for a certificate and don't look at it.
    enum ClientAuthentication: String, CaseIterable, Sendable {
        case noClientCert = "NoClientCert"
        case verifyClientCertIfGiven = "VerifyClientCertIfGiven"
        case requireAndVerifyClientCert = "RequireAndVerifyClientCert"
    }

    /// Reads the file and all that it names.
    package static func load(path: String) throws(SettingsError) -> WebConfiguration {
        let report = Report(file: path)
        let bytes: [UInt8]
        do throws(SecretError) {
            bytes = try readConfigurationFile(path)
        } catch {
            throw SettingsError([Problem(Place(file: path), error.reason)])
        }
        let node = try Document.compose(bytes, report: report)
        let place = Place(file: path, line: node == nil ? nil : 1)
        let root = Section(node, path: "", schemaPath: "", place: place, report: report)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var loader = WebLoader(folder: folder)
        loader.configuration.files = [path]
        loader.read(root)
        try report.throwIfAny()
        return loader.configuration
    }
}

private struct WebLoader {
    let folder: String
    var configuration = WebConfiguration()

    mutating func read(_ root: Section) {
        if root.has("tls_server_config") { tls(root.section("tls_server_config")) }
        let server = root.section("http_server_config")
        // There is only HTTP/1.1 here, which every client knows.
        _ = server.optional("http2", .truth)
        headers(server.section("headers"))
        server.finish()
        users(root.section("basic_auth_users"))
        for token in root.list("bearer_token_files", of: .path("/etc/weir/scrape.token")) ?? [] {
            if let secret = secret(token, root, "bearer_token_files") {
                configuration.tokens.append(secret)
            }
        }
        root.finish()
    }

    private mutating func tls(_ section: Section) {
        if let file = section.require("cert_file", .path("/etc/weir/tls.pem")) {
            configuration.certificate = text(file, section, "cert_file")
        }
        if let file = section.require("key_file", .path("/etc/weir/tls.key")) {
            configuration.key = secret(file, section, "key_file")
        }
        let method = section.read(
            "client_auth_type", .word, or: WebConfiguration.ClientAuthentication.noClientCert
        ).value
        let authorities = section.optional("client_ca_file", .path("/etc/weir/clients.pem"))
        if method == .noClientCert, authorities != nil {
            section.fail(
                "client_ca_file", "has no effect; set client_auth_type: RequireAndVerifyClientCert")
        }
        if method != .noClientCert {
            if let authorities {
                configuration.clientAuthorities = text(authorities, section, "client_ca_file")
            } else {
                section.fail("lacks \"client_ca_file\", the authorities of client certificates")
            }
        }
        configuration.requiresClientCertificate = method == .requireAndVerifyClientCert
        configuration.clientNames =
            (section.list("client_allowed_sans", of: .text(limit: 256)) ?? []).map(\.value)
        configuration.oldestVersion = section.read("min_version", .word, or: .tls12).value
        configuration.newestVersion = section.read("max_version", .word, or: .tls13).value
        if configuration.oldestVersion == .tls13, configuration.newestVersion == .tls12 {
            section.fail("max_version", "is below min_version")
        }
        section.finish()
    }

    private mutating func users(_ section: Section) {
        for name in section.names {
            guard let hash = section.optional(name, .bcrypt) else { continue }
            configuration.users[name] = SharedSecret(
                SecretBytes(copying: Array(hash.value.utf8)))
        }
        if section.names.count > 1_000 { section.fail("has more than 1000 users") }
    }

    /// Those that exporter-toolkit allows.
    private mutating func headers(_ section: Section) {
        for name in [
            "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options",
            "X-XSS-Protection", "Content-Security-Policy",
        ] {
            if let value = section.optional(name, .text(limit: 1_024)) {
                configuration.headers[name] = value.value
            }
        }
        section.finish()
    }

    private mutating func text(
        _ file: Located<String>, _ section: Section, _ key: String
    ) -> [UInt8]? {
        let path = absolute(file.value)
        configuration.files.append(path)
        do throws(SecretError) {
            return try readConfigurationFile(path)
        } catch {
            section.fail(key, error.reason)
            return nil
        }
    }

    /// One line end after a secret does not count.
    private mutating func secret(
        _ file: Located<String>, _ section: Section, _ key: String
    ) -> SharedSecret? {
        let path = absolute(file.value)
        configuration.files.append(path)
        do throws(SecretError) {
            let secret = try readSecretFile(path, limit: 65_536)
            let count = secret.withBytes { bytes in
                var count = bytes.count
                if count > 0, bytes[count - 1] == 0x0a { count -= 1 }
                if count > 0, bytes[count - 1] == 0x0d { count -= 1 }
                return count
            }
            guard count > 0 else {
                section.fail(key, "\(path) is empty")
                return nil
            }
            return SharedSecret(secret.slice(0..<count))
        } catch {
            section.fail(key, error.reason)
            return nil
        }
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
}

extension Kind where Value == String {
    /// Printable ASCII.
    fileprivate static func text(limit: Int) -> Self {
        Self(
            "up to \(limit) printable characters",
            optional: { text in
                let isGood =
                    (1...limit).contains(text.utf8.count)
                    && text.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
                return isGood ? text : nil
            })
    }

    /// A hash as `htpasswd -nBC 10 ""` makes it. A cost above 14 would hold up the server.
    fileprivate static var bcrypt: Self {
        Self("a bcrypt hash as `htpasswd -nBC 10 NAME` makes it, with a cost of 4 to 14") {
            (text: String) throws(Refusal) in
            guard let match = text.wholeMatch(of: /\$2[aby]\$([0-9]{2})\$[.\/A-Za-z0-9]{53}/),
                let cost = decimal(match.1), (4...14).contains(cost)
            else { throw Refusal("this is none") }
            return text
        }
    }
}

extension Kind where Value == Bool {
    fileprivate static var truth: Self {
        Self("true or false", optional: { ["true": true, "false": false][$0] })
    }
}
