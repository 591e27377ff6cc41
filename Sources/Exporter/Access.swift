import CGnuTLS
package import Crypto

/// Who may talk to the server, and how: what a `web.yml` of Prometheus's exporter-toolkit says.
package struct Access: Sendable {
    package var tls: TLS?
    /// bcrypt hashes by user name.
    package var users: [String: SharedSecret]
    package var tokens: [SharedSecret]
    /// Added to each answer.
    package var headers: [String: String]

    package struct TLS: Sendable {
        /// PEM, the server's own certificate first.
        package var certificate: [UInt8]
        /// PEM.
        package var key: SharedSecret
        package var clients: Clients?
        package var oldest: Version
        package var newest: Version

        package init(
            certificate: [UInt8], key: SharedSecret, clients: Clients? = nil,
            oldest: Version = .tls12, newest: Version = .tls13
        ) {
            self.certificate = certificate
            self.key = key
            self.clients = clients
            self.oldest = oldest
            self.newest = newest
        }
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
        headers: [String: String] = [:]
    ) {
        self.tls = tls
        self.users = users
        self.tokens = tokens
        self.headers = headers
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
        guard let clients else { return }
        let count = weir_tls_check_trust(clients.authorities, clients.authorities.count)
        guard count > 0 else {
            throw TLSError(
                description: "client_ca_file has no certificate"
                    + (count < 0 ? ": " + String(cString: gnutls_strerror(count)) : ""))
        }
    }
}
