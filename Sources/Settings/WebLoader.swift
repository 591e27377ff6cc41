import Crypto
import Vocabulary

/// Reads a `web.yml`, and the files that it names, relative to its own folder.
struct WebLoader {
    /// Empty, or ends with `/`.
    let folder: String
    /// Why secrets must not stand in the file itself; nil if they may.
    let openness: String?
    var configuration = WebConfiguration()

    init(path: String, openness: String?) {
        folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        self.openness = openness
        configuration.files = [path]
    }

    mutating func read(_ root: Section) {
        let tls = root.section("tls_server_config")
        if root.has("tls_server_config") { self.tls(tls) }
        let server = root.section("http_server_config")
        // There is only HTTP/1.1 here, which every client knows.
        _ = server.optional("http2", .truth)
        headers(server.section("headers"))
        server.finish()
        users(root.section("basic_auth_users"))
        let rate = root.section("rate_limit")
        if root.has("rate_limit") { self.rate(rate) }
        for token in root.list("bearer_token_files", of: .path("/etc/weir/scrape.token")) ?? [] {
            if let secret = secret(token, root, "bearer_token_files") {
                configuration.tokens.append(secret)
            }
        }
        root.finish()
    }

    // MARK: TLS

    private mutating func tls(_ section: Section) {
        certificate(section)
        clients(section)
        configuration.oldestVersion = section.read("min_version", .word, or: .tls12).value
        configuration.newestVersion = section.read("max_version", .word, or: .tls13).value
        if configuration.oldestVersion == .tls13, configuration.newestVersion == .tls12 {
            section.fail("max_version", "is below min_version")
        }
        configuration.suites = (section.list("cipher_suites", of: .word) ?? []).map(\.value)
        configuration.curves = (section.list("curve_preferences", of: .word) ?? []).map(\.value)
        configuration.prefersServerOrder =
            section.optional("prefer_server_cipher_suites", .truth)?.value ?? true
        section.finish()
    }

    /// The server's own: a file or PEM text, of either one of the two.
    private mutating func certificate(_ section: Section) {
        if isOnly("cert", of: section),
            let file = section.require("cert_file", .path("/etc/weir/tls.pem"))
        {
            configuration.certificate = text(file, section, "cert_file")
        } else if let text = section.optional("cert", .pem) {
            configuration.certificate = Array(text.value.utf8)
        }
        if isOnly("key", of: section),
            let file = section.require("key_file", .path("/etc/weir/tls.key"))
        {
            configuration.key = secret(file, section, "key_file")
        } else if let text = section.optional("key", .pem) {
            if let openness { section.fail("key", openness) }
            configuration.key = SharedSecret(SecretBytes(copying: Array(text.value.utf8)))
        }
    }

    private mutating func clients(_ section: Section) {
        let method = section.read(
            "client_auth_type", .word, or: WebConfiguration.ClientAuthentication.noClientCert
        ).value
        let file = section.optional("client_ca_file", .path("/etc/weir/clients.pem"))
        let inline = section.optional("client_ca", .pem)
        let key = inline == nil ? "client_ca_file" : "client_ca"
        if method == .noClientCert {
            if file != nil || inline != nil {
                section.fail(
                    key, "has no effect; set client_auth_type: RequireAndVerifyClientCert")
            }
        } else if let inline {
            if file != nil { section.fail("client_ca", "and client_ca_file: only one of them") }
            configuration.clientAuthorities = Array(inline.value.utf8)
        } else if let file {
            configuration.clientAuthorities = text(file, section, "client_ca_file")
        } else {
            section.fail("lacks \"client_ca_file\", the authorities of client certificates")
        }
        configuration.requiresClientCertificate = method == .requireAndVerifyClientCert
        configuration.clientNames =
            (section.list("client_allowed_sans", of: .text(limit: 256)) ?? []).map(\.value)
        if !configuration.clientNames.isEmpty, method != .requireAndVerifyClientCert {
            section.fail(
                "client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert")
        }
    }

    /// - Returns: whether the file is meant, and not the text; both are a mistake.
    private func isOnly(_ key: String, of section: Section) -> Bool {
        guard section.has(key) else { return true }
        if section.optional("\(key)_file", .path("")) != nil {
            section.fail(key, "and \(key)_file: only one of them")
        }
        return false
    }

    // MARK: HTTP

    private mutating func users(_ section: Section) {
        for name in section.names {
            guard let hash = section.optional(name, .bcrypt) else { continue }
            configuration.users[name] = SharedSecret(
                SecretBytes(copying: Array(hash.value.utf8)))
        }
        if section.names.count > 1_000 { section.fail("has more than 1000 users") }
    }

    private mutating func rate(_ section: Section) {
        let interval = section.require("interval", .duration(.zero...Duration.seconds(3_600), "1s"))
        let burst = section.require("burst", .integer(1...1_000_000))
        section.finish()
        guard let interval, let burst, interval.value > .zero else { return }
        configuration.rateLimit = WebConfiguration.RateLimit(
            interval: interval.value, burst: burst.value)
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

    // MARK: Files

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

    /// What it is not is not told: it may be a key.
    fileprivate static var pem: Self {
        Self("PEM text, as a block that begins with \"|\"") { (text: String) throws(Refusal) in
            guard text.hasPrefix("-----BEGIN "), text.utf8.count <= 65_536, !text.utf8.contains(0)
            else { throw Refusal("this is none") }
            return text
        }
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
