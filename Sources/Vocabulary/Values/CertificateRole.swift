/// What a configured certificate is for.
package enum CertificateRole: String, Label {
    /// The metrics server shows it (`tls_server_config.cert_file` of web.yml), with its chain.
    case metricsServer = "metrics_server"
    /// The metrics server takes client certificates of these authorities (`client_ca_file`).
    case metricsClientAuthority = "metrics_client_ca"
}
