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
    /// Best first; empty for the library's own choice.
    package var suites: [CipherSuite] = []
    /// Best first; empty for the library's own choice.
    package var curves: [Curve] = []
    /// Of what both sides have, the server's best is taken, and not the client's.
    package var prefersServerOrder = true
    /// bcrypt hashes by user name.
    package var users: [String: SharedSecret] = [:]
    package var tokens: [SharedSecret] = []
    package var headers: [String: String] = [:]
    package var rateLimit: RateLimit?
    /// All files that it was made of, itself first.
    package var files: [String] = []

    package enum TLSVersion: String, CaseIterable, Sendable {
        case tls12 = "TLS12"
        case tls13 = "TLS13"
    }

    /// Go's names of the cipher suites of TLS 1.2 that Go calls secure, without those that are not
    /// authenticated encryption.
    package enum CipherSuite: String, CaseIterable, Sendable {
        case ecdsaAES128 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        case ecdsaAES256 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        case ecdsaChaCha20 = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        case rsaAES128 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        case rsaAES256 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        case rsaChaCha20 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    }

    /// Go's names.
    package enum Curve: String, CaseIterable, Sendable {
        case x25519 = "X25519"
        case p256 = "CurveP256"
        case p384 = "CurveP384"
        case p521 = "CurveP521"
    }

    /// A token bucket over all requests together.
    package struct RateLimit: Hashable, Sendable {
        /// One request in this time, in the long run.
        package let interval: Duration
        /// So many may come at once.
        package let burst: Int
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
        var loader = WebLoader(path: path, openness: opennessToEverybody(of: path))
        loader.read(root)
        try report.throwIfAny()
        return loader.configuration
    }
}
