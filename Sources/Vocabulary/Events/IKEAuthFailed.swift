/// Somebody tried to log in and could not.
package struct IKEAuthFailed: Event {
    package var reason: Public<AuthFailure>
    package var method: Public<AuthMethod>
    package var proof: Public<ProofLevel>
    package var identity: Personal<Identity?>
    package var source: Personal<IPAddress>
    package var connection: Public<String?>

    package init(
        reason: AuthFailure, method: AuthMethod, proof: ProofLevel, identity: Identity?,
        source: IPAddress, connection: String?
    ) {
        self.reason = Public(reason)
        self.method = Public(method)
        self.proof = Public(proof)
        self.identity = Personal(identity)
        self.source = Personal(source)
        self.connection = Public(connection)
    }

    package static let schema = Schema<Self>(
        "ike_auth_failed", since: 1, rfc: "7296 §2.21.2",
        "An IKE_SA_INIT was answered and no session came of it.",
        fields: [
            Field("reason", \.reason, "what was wrong"),
            Field("method", \.method, "how the peer meant to prove itself"),
            Field("proof", \.proof, "how much the source address had proved"),
            Field("identity", \.identity, "who the peer said it was, if it came to that"),
            Field("source", \.source, "where it came from"),
            Field("connection", \.connection, "the configured connection, if one matched"),
        ],
        counters: [
            Counter(
                "ike_auth_failures_total", "Logins that failed.", by: "reason", \.reason,
                sparse: true),
            Counter(
                "ike_auth_failures_by_method_total",
                "Logins that failed, by how the peer meant to prove itself.", by: "method",
                \.method),
        ])

    package static let example = Self(
        reason: .wrongCredential, method: .psk, proof: .identity,
        identity: Identity("alice@example.org"), source: .v4(0xc000_0207), connection: "staff")
}
