import Vocabulary

extension AuthenticationFailures {
    package static let examples: [Example] = [
        .fires("ten failures in nine seconds", failures(10, every: 1)),
        .fires("ten failures in 54 seconds", failures(10, every: 6)),
        .staysQuiet("nine failures in nine seconds", failures(9, every: 1)),
        .staysQuiet("ten failures, one every seven seconds", failures(10, every: 7)),
        .staysQuiet(
            "a hundred failures of sources that may be spoofed",
            failures(100, every: 0.1, proof: .cookie)),
        .staysQuiet(
            "ten failures of ten sources",
            (0..<10).map { failure(at: Double($0), from: .v4(0xc000_0200 + UInt32($0))) }),
    ]

    private static func failures(
        _ count: Int, every gap: Double, proof: ProofLevel = .keyExchange
    ) -> [Moment] {
        (0..<count).map { failure(at: gap * Double($0), from: .v4(0xc000_0207), proof: proof) }
    }

    private static func failure(
        at seconds: Double, from source: IPAddress, proof: ProofLevel = .keyExchange
    ) -> Moment {
        .event(
            IKEAuthFailed(
                reason: .wrongCredential, method: .psk, proof: proof, identity: nil,
                source: source, connection: nil),
            at: seconds)
    }
}
