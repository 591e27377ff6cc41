import Crypto
import Testing
import Vocabulary

@testable import Exporter

@Suite("Certificates")
struct CertificateTests {
    /// Expires 2036-11-20T21:42:36Z.
    private static let late = """
        -----BEGIN CERTIFICATE-----
        MIIBbjCCAROgAwIBAgIUEoEPZ08ryYqwilUtS/2fEJmdFUcwCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBYTAeFw0yNjExMjMyMTQyMzZaFw0zNjExMjAyMTQyMzZaMAwx
        CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATI1OZpBzCDj2Rx
        rK/NE1vYGVAGwJ5xGo4turSwPPJqziFjb42zh0yrjH0mLj74QGGjHtsJcG/W1ne2
        ujPyNkf/o1MwUTAdBgNVHQ4EFgQUfK+VweD48EDeaZ5VaWjEqMxYqkwwHwYDVR0j
        BBgwFoAUfK+VweD48EDeaZ5VaWjEqMxYqkwwDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNJADBGAiEAj3T2O/9dY+ppDG8TI14QD6JyEGilr27rvPqbeXxt2ZAC
        IQD6qlAiXU4WRZqesmxYnNXsarcGwl5p/6tVpqtz0c76hA==
        -----END CERTIFICATE-----

        """

    /// Expires 2027-11-23T21:42:36Z.
    private static let early = """
        -----BEGIN CERTIFICATE-----
        MIIBbDCCAROgAwIBAgIUZKW7oL4RLU1H2L09GOcsZkgfysswCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBYjAeFw0yNjExMjMyMTQyMzZaFw0yNzExMjMyMTQyMzZaMAwx
        CjAIBgNVBAMMAWIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQMc4ahh4wb8nzu
        MUC8iBm/oVZrRlXoC2A85B6AIKVs8vYVMpeAx5G/rbpwERAVKADYF3RZoQroJeHP
        FQTkhXngo1MwUTAdBgNVHQ4EFgQUurGWbPGJeGl6dBDgTer1ZJBY/SkwHwYDVR0j
        BBgwFoAUurGWbPGJeGl6dBDgTer1ZJBY/SkwDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNHADBEAiAEIxfe1JiP7Zy1oSXkgeWWZnCG/9Z8Hp+FYWKQUhxQIgIg
        Aqjz9xQisbXg9Cp09J7XtKCtcgHvJcGRigqWqHZzjkE=
        -----END CERTIFICATE-----

        """

    private func access(_ certificate: String, clients: String? = nil) -> Access {
        Access(
            tls: Access.TLS(
                certificate: Array(certificate.utf8),
                key: SharedSecret(SecretBytes(copying: [])),
                clients: clients.map {
                    .init(authorities: Array($0.utf8), mustHaveCertificate: true, names: [])
                }))
    }

    private func expiries(_ access: Access) -> [CertificateRole: Int64] {
        access.expiries.reduce(into: [:]) { $0[$1.role] = $1.expiry }
    }

    @Test("are told by the first of a file to expire, wherever it stands in it")
    func first() {
        #expect(expiries(access(Self.late)) == [.metricsServer: 2_110_830_156])
        #expect(expiries(access(Self.late + Self.early)) == [.metricsServer: 1_827_006_156])
        #expect(expiries(access(Self.early + Self.late)) == [.metricsServer: 1_827_006_156])
        #expect(
            expiries(access(Self.late, clients: Self.early + Self.late))
                == [.metricsServer: 2_110_830_156, .metricsClientAuthority: 1_827_006_156])
    }

    @Test("that can't be read, or are not there, have no expiry")
    func none() {
        #expect(expiries(Access()).isEmpty)
        #expect(expiries(access("")).isEmpty)
        #expect(expiries(access("-----BEGIN CERTIFICATE-----\n\0")).isEmpty)
        #expect(expiries(access(String(Self.late.dropFirst(100)))).isEmpty)
    }

    @Test("have a series by role as long as one is configured")
    func series() {
        let registry = Registry(version: "1")
        let name = "weir_certificate_expiry_timestamp_seconds"
        func lines() -> [String] { registry.lines().filter { $0.hasPrefix(name) } }
        #expect(lines().isEmpty)
        registry.set(.metricsClientAuthority, expiry: 1_827_006_156)
        #expect(lines() == ["\(name){role=\"metrics_client_ca\"} 1827006156"])
        registry.set(.metricsClientAuthority, expiry: nil)
        #expect(lines().isEmpty)
    }
}
