package import Crypto
import ESP
import Engine
package import Vocabulary
package import Wire

/// A peer that does what a test says and nothing else: derives its keys by itself (RFC 7296 §2.14,
/// a second opinion on the engine's), and sends any payloads, in the clear or encrypted.
package final class RawClient {
    package let pair: Pair
    package let source: Endpoint
    package let initiatorSPI: UInt64
    package private(set) var responderSPI: UInt64 = 0
    /// Whole first messages, for AUTH.
    package private(set) var request: [UInt8] = []
    package private(set) var response: [UInt8] = []
    /// The last one that this peer sent.
    package private(set) var lastSent: [UInt8] = []
    package var nextID: UInt32 = 1

    let suite = IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519)
    private let random: SeededRandom
    private let nonce: [UInt8]
    private var responderNonce: [UInt8] = []
    private var nextIV: UInt64 = 0
    private var keys: Keys?

    /// RFC 7296 §2.14: SK_d, (SK_ai, SK_ar: none for AEADs), SK_ei, SK_er, SK_pi, SK_pr.
    private final class Keys {
        var sealer: Sealer
        var opener: Opener
        let d: SecretBytes
        let pi: SecretBytes
        let pr: SecretBytes

        init(_ material: borrowing SecretBytes) throws(CryptoError) {
            sealer = try Sealer(.aes128GCM16, key: material.slice(32..<52))
            opener = try Opener(.aes128GCM16, key: material.slice(52..<72))
            d = material.slice(0..<32)
            pi = material.slice(72..<104)
            pr = material.slice(104..<136)
        }
    }

    package init(_ pair: Pair, seed: UInt64 = 1) {
        self.pair = pair
        random = SeededRandom(seed: seed &+ 7_000_000)
        initiatorSPI = random.uint64() | 1
        nonce = random.bytes(32)
        source = Endpoint(.v4(0xcb00_7100 | UInt32(truncatingIfNeeded: seed & 0xff)), 4500)
    }

    // MARK: IKE_SA_INIT

    package func initHeader(exchange: ExchangeType = .ikeSAInit, messageID: UInt32 = 0) -> Header {
        Header(
            initiatorSPI: initiatorSPI, responderSPI: responderSPI, exchange: exchange,
            fromInitiator: true, isResponse: false, messageID: messageID)
    }

    /// Exchanges IKE_SA_INIT and derives the keys.
    ///
    /// - Parameter extra: payloads after the usual ones.
    /// - Returns: whether the gateway answered with an SA.
    package func initiate(extra: [AnyPayload] = []) throws(CryptoError) -> Bool {
        let exchange = try KeyExchange(.x25519, random: random)
        request = Message.plain(
            initHeader(),
            payloads: [
                .securityAssociation(
                    SecurityAssociationPayload([
                        Proposal(
                            number: 1, protocolID: .ike,
                            transforms: [
                                Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                                Transform(.prf, TransformID.prfHMACSHA256),
                                Transform(.keyExchange, TransformID.x25519),
                            ])
                    ])),
                .keyExchange(
                    KeyExchangePayload(group: TransformID.x25519, publicValue: exchange.publicValue)
                ),
                .nonce(NoncePayload(nonce)), Self.padding,
            ] + extra)
        guard let answer = exchangeBytes(request),
            case .plain(let header, let payloads) = try? Message(parsing: answer)
        else { return false }
        var theirs: [UInt8]?
        for payload in payloads {
            if case .keyExchange(let body) = payload { theirs = body.publicValue }
            if case .nonce(let body) = payload { responderNonce = body.bytes }
        }
        guard let theirs, header.responderSPI != 0 else { return false }
        response = answer
        responderSPI = header.responderSPI
        try derive(
            suite.prf.secret(nonce + responderNonce, over: exchange.sharedSecret(with: theirs)))
        return true
    }

    private func derive(_ seed: borrowing SecretBytes) throws(CryptoError) {
        var salt = nonce + responderNonce
        salt.put(initiatorSPI)
        salt.put(responderSPI)
        keys = try Keys(suite.prf.plus(seed, salt, count: 136))
    }

    // MARK: IKE_SESSION_RESUME (RFC 5723)

    /// Shows a ticket that another of these was given, and derives the keys (§5.1).
    ///
    /// - Returns: whether the gateway took it.
    package func resume(_ ticket: [UInt8], of other: RawClient) throws(CryptoError) -> Bool {
        guard let old = other.keys else { return false }
        request = Message.plain(
            initHeader(exchange: .ikeSessionResume),
            payloads: [
                .nonce(NoncePayload(nonce)),
                .notify(NotifyPayload(.ticketOpaque, data: ticket)), Self.padding,
            ])
        guard let answer = exchangeBytes(request),
            case .plain(let header, let payloads) = try? Message(parsing: answer),
            header.responderSPI != 0
        else { return false }
        for case .nonce(let body) in payloads { responderNonce = body.bytes }
        response = answer
        responderSPI = header.responderSPI
        try derive(
            suite.prf.secret(old.d, Array("Resumption".utf8) + nonce + responderNonce))
        return true
    }

    /// The payloads of a good IKE_AUTH request after that (§4.3.3).
    package func resumedAuthPayloads(
        identity: Identity = Identity("alice@lab"), childSPI: UInt32 = 0xc0ff_ee02
    ) throws(CryptoError) -> [AnyPayload] {
        guard let keys else { return [] }
        let id = IdentificationPayload(type: identity.kind.rawValue, data: identity.bytes)
        let auth = try suite.prf.authenticator(
            keys.pi, request + responderNonce + suite.prf.authenticator(keys.pi, id.bytes))
        return authPayloads(id, auth, childSPI: childSPI)
    }

    /// Makes the request longer than its answer, as real clients' are: a shorter one would have to
    /// come again with a cookie.
    private static var padding: AnyPayload {
        .notify(
            NotifyPayload(
                NotifyPayload.Kind(rawValue: 40_960), data: Array(repeating: 0, count: 64)))
    }

    // MARK: Anything else

    /// The payloads of a good IKE_AUTH request.
    package func authPayloads(
        identity: Identity = Identity("alice@lab"), secret: String = "correct horse battery staple",
        childSPI: UInt32 = 0xc0ff_ee01
    ) throws(CryptoError) -> [AnyPayload] {
        guard let keys else { return [] }
        let id = IdentificationPayload(type: identity.kind.rawValue, data: identity.bytes)
        let padded = try suite.prf.secret(
            SecretBytes(copying: Array(secret.utf8)), Array("Key Pad for IKEv2".utf8))
        let auth = try suite.prf.authenticator(
            padded, request + responderNonce + suite.prf.authenticator(keys.pi, id.bytes))
        return authPayloads(id, auth, childSPI: childSPI)
    }

    private func authPayloads(
        _ id: IdentificationPayload, _ auth: [UInt8], childSPI: UInt32
    ) -> [AnyPayload] {
        [
            .identificationInitiator(id),
            .authentication(AuthenticationPayload(method: .sharedKey, data: auth)),
            .configuration(ConfigurationPayload(.request, [.init(.ip4Address)])),
            Self.childOffer(spi: childSPI), Self.anySelector(AnyPayload.trafficSelectorInitiator),
            Self.anySelector(AnyPayload.trafficSelectorResponder),
        ]
    }

    package static func childOffer(spi: UInt32) -> AnyPayload {
        var bytes: [UInt8] = []
        bytes.put(spi)
        return .securityAssociation(
            SecurityAssociationPayload([
                Proposal(
                    number: 1, protocolID: .esp, spi: bytes,
                    transforms: [
                        Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                        Transform(.extendedSequenceNumbers, TransformID.none),
                    ])
            ]))
    }

    package static func anySelector(_ wrap: (TrafficSelectorPayload) -> AnyPayload) -> AnyPayload {
        wrap(
            TrafficSelectorPayload([
                .addresses(
                    .init(
                        protocolID: 0, firstPort: 0, lastPort: 0xffff, first: [0, 0, 0, 0],
                        last: [255, 255, 255, 255]))
            ]))
    }

    /// Encrypts a message; `nextID` is not moved.
    package func seal(
        _ payloads: [AnyPayload], as exchange: ExchangeType, id: UInt32? = nil,
        isResponse: Bool = false
    ) throws(CryptoError) -> [UInt8] {
        guard let keys else { return [] }
        let counter = nextIV
        nextIV += 1
        var iv: [UInt8] = []
        iv.put(counter)
        var header = initHeader(exchange: exchange, messageID: id ?? nextID)
        header.isResponse = isResponse
        var (datagram, sealed) = Message.laidOut(
            header, payloads: payloads, iv: iv, tagLength: 16)
        let body = (sealed.range.lowerBound + 8)..<(sealed.range.upperBound - 16)
        var bytes = datagram.mutableSpan
        try keys.sealer.seal(&bytes, aad: 0..<sealed.range.lowerBound, iv: counter, body: body)
        return datagram
    }

    /// Encrypts a fragment of a request (RFC 7383 §2.5); `nextID` is not moved.
    ///
    /// - Parameter contents: its part of the chain of payloads.
    package func seal(
        _ contents: [UInt8], _ fragment: Fragment, first: PayloadType, as exchange: ExchangeType
    ) throws(CryptoError) -> [UInt8] {
        guard let keys else { return [] }
        let counter = nextIV
        nextIV += 1
        var iv: [UInt8] = []
        iv.put(counter)
        var (datagram, sealed) = Message.laidOut(
            initHeader(exchange: exchange, messageID: nextID), first: first, contents: contents,
            fragment: fragment, iv: iv, tagLength: 16)
        let body = (sealed.range.lowerBound + 8)..<(sealed.range.upperBound - 16)
        var bytes = datagram.mutableSpan
        try keys.sealer.seal(&bytes, aad: 0..<sealed.range.lowerBound, iv: counter, body: body)
        return datagram
    }

    /// Sends an encrypted request under the next message id.
    ///
    /// - Returns: the answer's payloads; nil if there is none.
    package func ask(
        _ payloads: [AnyPayload], as exchange: ExchangeType
    ) throws(CryptoError) -> [AnyPayload]? {
        let datagram = try seal(payloads, as: exchange)
        guard let answer = exchangeBytes(datagram) else { return nil }
        nextID += 1
        return try open(answer)
    }

    /// Logs in as it should be done.
    package func logIn() throws(CryptoError) -> Bool {
        guard try initiate(), let answer = try ask(authPayloads(), as: .ikeAuth) else {
            return false
        }
        return answer.contains { if case .authentication = $0 { true } else { false } }
    }

    /// Decrypts a message of the gateway's.
    package func open(_ datagram: [UInt8]) throws(CryptoError) -> [AnyPayload]? {
        guard let keys, case .protected(_, let sealed) = try? Message(parsing: datagram),
            sealed.range.count >= 25
        else { return nil }
        var packet = datagram
        let body = (sealed.range.lowerBound + 8)..<(sealed.range.upperBound - 16)
        var bytes = packet.mutableSpan
        try keys.opener.open(
            &bytes, aad: 0..<sealed.range.lowerBound,
            iv: sealed.range.lowerBound..<body.lowerBound, body: body)
        return try? parseDecrypted(packet.span.extracting(body), first: sealed.first)
    }

    /// The AUTH value that the gateway must show (RFC 7296 §2.15).
    package func gatewayAuth(
        identity: IdentificationPayload, secret: String = "correct horse battery staple"
    ) throws(CryptoError) -> [UInt8] {
        guard let keys else { return [] }
        let padded = try suite.prf.secret(
            SecretBytes(copying: Array(secret.utf8)), Array("Key Pad for IKEv2".utf8))
        return try suite.prf.authenticator(
            padded, response + nonce + suite.prf.authenticator(keys.pr, identity.bytes))
    }

    /// Sends bytes as they are.
    ///
    /// - Returns: what the gateway said at once, if anything.
    package func exchangeBytes(_ bytes: [UInt8]) -> [UInt8]? {
        lastSent = bytes
        return pair.inject(bytes, from: source, port: 4500).last
    }
}
