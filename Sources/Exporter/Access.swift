import CGnuTLS
package import Crypto
import Vocabulary

/// Who may talk to the server, and how: what a `web.yml` of Prometheus's exporter-toolkit says.
package struct Access: Sendable {
    package var tls: TLS?
    /// bcrypt hashes by user name.
    package var users: [String: SharedSecret]
    package var tokens: [SharedSecret]
    /// Added to each answer.
    package var headers: [String: String]
    package var rateLimit: RateLimit?

    /// A token bucket over all requests together.
    package struct RateLimit: Hashable, Sendable {
        /// One request in this time, in the long run; more than zero.
        package var interval: Duration
        /// So many may come at once.
        package var burst: Int

        package init(interval: Duration, burst: Int) {
            self.interval = interval
            self.burst = burst
        }
    }

    package struct TLS: Sendable {
        /// PEM, the server's own certificate first.
        package var certificate: [UInt8]
        /// PEM.
        package var key: SharedSecret
        package var clients: Clients?
        package var oldest: Version
        package var newest: Version
        /// Best first; empty for GnuTLS's own choice.
        package var suites: [Suite]
        /// Best first; empty for GnuTLS's own choice.
        package var curves: [Curve]
        /// Of what both sides have, ours goes first.
        package var prefersServerOrder: Bool

        package init(
            certificate: [UInt8], key: SharedSecret, clients: Clients? = nil,
            oldest: Version = .tls12, newest: Version = .tls13, suites: [Suite] = [],
            curves: [Curve] = [], prefersServerOrder: Bool = true
        ) {
            self.certificate = certificate
            self.key = key
            self.clients = clients
            self.oldest = oldest
            self.newest = newest
            self.suites = suites
            self.curves = curves
            self.prefersServerOrder = prefersServerOrder
        }
    }

    /// A cipher suite of TLS 1.2 with ECDHE.
    package struct Suite: Hashable, Sendable {
        package var signature: Signature
        package var cipher: Cipher

        package enum Signature: Sendable { case ecdsa, rsa }

        /// By GnuTLS's names.
        package enum Cipher: String, Sendable {
            case aes128 = "AES-128-GCM"
            case aes256 = "AES-256-GCM"
            case chaCha20 = "CHACHA20-POLY1305"
        }

        package init(_ signature: Signature, _ cipher: Cipher) {
            self.signature = signature
            self.cipher = cipher
        }
    }

    /// By GnuTLS's names.
    package enum Curve: String, Sendable {
        case x25519 = "X25519"
        case p256 = "SECP256R1"
        case p384 = "SECP384R1"
        case p521 = "SECP521R1"
    }

    package enum Version: String, CaseIterable, Sendable {
        case tls12 = "TLS12"
        case tls13 = "TLS13"
    }

    /// Client certificates.
    package struct Clients: Sendable {
        /// PEM of the authorities.
        package var authorities: [UInt8]
        /// Otherwise a client without a certificate is served, too.
        package var mustHaveCertificate: Bool
        /// One of them must be in the certificate; empty for any.
        package var names: [String]

        package init(authorities: [UInt8], mustHaveCertificate: Bool, names: [String]) {
            self.authorities = authorities
            self.mustHaveCertificate = mustHaveCertificate
            self.names = names
        }
    }

    package init(
        tls: TLS? = nil, users: [String: SharedSecret] = [:], tokens: [SharedSecret] = [],
        headers: [String: String] = [:], rateLimit: RateLimit? = nil
    ) {
        self.tls = tls
        self.users = users
        self.tokens = tokens
        self.headers = headers
        self.rateLimit = rateLimit
    }

    /// When the first certificate of each of the server's roles expires, in seconds since the Unix
    /// epoch; nil where there is none.
    var expiries: [(role: CertificateRole, expiry: Int64?)] {
        let files: [(role: CertificateRole, certificates: [UInt8]?)] = [
            (.metricsServer, tls?.certificate),
            (.metricsClientAuthority, tls?.clients?.authorities),
        ]
        return files.map { role, certificates in
            let expiry = certificates.map { weir_tls_first_expiry($0, $0.count) } ?? 0
            return (role, expiry > 0 ? expiry : nil)
        }
    }

    var needsCredentials: Bool { !users.isEmpty || !tokens.isEmpty }
}

/// The files of TLS can't be used.
package struct TLSError: Error, CustomStringConvertible {
    package let description: String
}

extension Access.TLS {
    /// Finds out before the server starts what would only fail later, or silently.
    package func check() throws(TLSError) {
        let pair = key.bytes.withBytes { span in
            let key = (0..<span.count).map { span[$0] }
            return weir_tls_check_pair(certificate, certificate.count, key, key.count)
        }
        guard pair == 0 else {
            throw TLSError(
                description: "cert_file and key_file are no pair: "
                    + String(cString: gnutls_strerror(pair)))
        }
        guard weir_tls_check_priorities(priorities) == 0 else {
            throw TLSError(description: "no cipher suite is left of those that were asked for")
        }
        guard let clients else { return }
        let count = weir_tls_check_trust(clients.authorities, clients.authorities.count)
        guard count > 0 else {
            throw TLSError(
                description: "client_ca_file has no certificate"
                    + (count < 0 ? ": " + String(cString: gnutls_strerror(count)) : ""))
        }
    }

    /// GnuTLS's priority string. The ciphers hold for TLS 1.3, too: it has the same ones. A suite
    /// of the other kind of key can't be used, and must not let its cipher in.
    var priorities: String {
        var words = ["NORMAL", "-VERS-ALL"]
        if oldest == .tls12 { words.append("+VERS-TLS1.2") }
        if newest == .tls13 { words.append("+VERS-TLS1.3") }
        if !suites.isEmpty {
            let signature = isRSA ? Access.Suite.Signature.rsa : .ecdsa
            words += ["-KX-ALL", isRSA ? "+ECDHE-RSA" : "+ECDHE-ECDSA", "-CIPHER-ALL"]
            words += suites.filter { $0.signature == signature }.map { "+" + $0.cipher.rawValue }
        }
        if !curves.isEmpty { words += ["-GROUP-ALL"] + curves.map { "+GROUP-" + $0.rawValue } }
        if prefersServerOrder { words.append("%SERVER_PRECEDENCE") }
        return words.joined(separator: ":")
    }

    private var isRSA: Bool { weir_tls_is_rsa(certificate, certificate.count) }
}
