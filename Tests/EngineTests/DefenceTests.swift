import Crypto
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// What is sent and kept for strangers (RFC 7296 §2.6).
@Suite("Under attack")
struct DefenceTests {
    private let spoofed = Endpoint(.v4(0xc633_6401), 500)

    /// A client's first request.
    private func initRequest(_ seed: UInt64 = 1) throws -> [UInt8] {
        let probe = Pair(seed: seed)
        _ = try #require(probe.connect())
        return try #require(probe.datagrams.first?.bytes)
    }

    private func policy(_ change: (inout DefencePolicy) -> Void) -> EnginePolicy {
        var policy = EnginePolicy.example
        change(&policy.defence)
        return policy
    }

    // MARK: Cookies

    @Test("a client returns the cookie and logs in")
    func cookie() throws {
        let pair = Pair(policy { $0.cookiesFrom = 0 })
        _ = try #require(pair.connect())
        pair.drive()
        let nat = "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)"
        #expect(
            pair.trace.prefix(4) == [
                "--> IKE_SA_INIT request 0 { SA, KE, N, \(nat) }",
                "<-- IKE_SA_INIT response 0 { N(COOKIE) }",
                "--> IKE_SA_INIT request 0 { N(COOKIE), SA, KE, N, \(nat) }",
                "<-- IKE_SA_INIT response 0 { SA, KE, N, \(nat), N(CHILDLESS_IKEV2_SUPPORTED) }",
            ])
        #expect(pair.virtualAddress != nil)
        #expect(pair.events(CookieChallenged.self).map(\.cause.clear) == [.halfOpen])
        #expect(pair.events(IKESAInitReceived.self).map(\.proof.clear) == [.spoofable, .cookie])
        let requests = pair.datagrams.filter(\.fromClient).map(\.bytes)
        #expect(requests[0].prefix(16) == requests[1].prefix(16), "the same SPI")
        #expect(requests[1].suffix(100) == requests[0].suffix(100), "all else unchanged")
    }

    @Test("a client that guessed the wrong group keeps its cookie")
    func cookieAndGroup() throws {
        var policy = policy { $0.cookiesFrom = 0 }
        policy.connections[0].ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256)
        ]
        let pair = Pair(policy)
        var client = ClientPolicy.example
        client.ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .x25519),
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256),
        ]
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.trace.filter { $0.contains("{ N(COOKIE) }") }.count == 1)
        #expect(pair.trace.filter { $0.contains("{ N(INVALID_KE_PAYLOAD) }") }.count == 1)
        #expect(pair.virtualAddress != nil)
    }

    @Test("a challenge keeps nothing and sends less than it got")
    func stateless() throws {
        let pair = Pair(policy { $0.cookiesFrom = 0 })
        pair.network.isCut = true
        let request = try initRequest()
        pair.inject(request, from: spoofed)
        #expect(pair.tick.halfOpen == 0)
        let answer = try #require(pair.datagrams.last?.bytes)
        #expect(answer.count == 28 + 8 + 17)
        #expect(answer.count < request.count)
        #expect(answer[8..<16].allSatisfy { $0 == 0 }, "no SPI of ours")
    }

    @Test("a cookie is good for its initiator and address, for a minute or two")
    func validity() throws {
        let pair = Pair(policy { $0.cookiesFrom = 0 })
        pair.network.isCut = true
        let request = try initRequest()
        pair.inject(request, from: spoofed)
        let challenge = try #require(pair.datagrams.last?.bytes)
        let returned = withCookie(request, Array(challenge[36...]))

        func outcome(_ bytes: [UInt8], from source: Endpoint) -> Bool {
            let before = pair.tick.halfOpen
            pair.inject(bytes, from: source)
            return pair.tick.halfOpen == before + 1
        }
        var otherSPI = returned
        otherSPI[0] ^= 1
        #expect(!outcome(otherSPI, from: spoofed))
        #expect(!outcome(returned, from: Endpoint(.v4(0xc633_6402), 500)))
        var otherNonce = returned
        otherNonce[returned.count - 60] ^= 1
        #expect(!outcome(otherNonce, from: spoofed))
        let causes = pair.events(CookieChallenged.self).map(\.cause.clear)
        #expect(causes == [.halfOpen, .invalid, .invalid, .invalid])

        pair.drive(for: .seconds(70))
        #expect(outcome(returned, from: spoofed), "of the generation before")
        pair.drive(for: .seconds(60))
        #expect(pair.tick.halfOpen == 0, "gave up")
        #expect(!outcome(returned, from: spoofed), "too old")
    }

    @Test("without pressure there are no cookies; one source alone may cause them for itself")
    func perSource() throws {
        let pair = Pair(policy { $0.cookiesFromPerSource = 3 })
        pair.network.isCut = true
        for seed in 0..<5 as Range<UInt64> {
            pair.inject(try initRequest(seed), from: spoofed)
        }
        pair.inject(try initRequest(9), from: Endpoint(.v4(0xc633_6402), 500))
        #expect(pair.tick.halfOpen == 4)
        #expect(
            pair.events(CookieChallenged.self).map(\.cause.clear)
                == [.halfOpenSource, .halfOpenSource])
    }

    @Test("an IPv6 /64 is one source")
    func prefix() throws {
        let pair = Pair(policy { $0.cookiesFromPerSource = 1 })
        pair.network.isCut = true
        let high: UInt64 = 0x2001_0db8_0000_0001
        pair.inject(try initRequest(1), from: Endpoint(.v6(high: high, low: 1), 500))
        pair.inject(try initRequest(2), from: Endpoint(.v6(high: high, low: 2), 500))
        pair.inject(try initRequest(3), from: Endpoint(.v6(high: high + 1, low: 1), 500))
        #expect(pair.tick.halfOpen == 2)
    }

    // MARK: Amplification

    @Test("no answer to a stranger is longer than what it answers")
    func amplification() throws {
        let request = try initRequest()
        var inputs: [[UInt8]] = (0...request.count).map { withLength(Array(request.prefix($0))) }
        for index in request.indices {
            var flipped = request
            flipped[index] ^= 0x81
            inputs += [flipped, withLength(Array(flipped.prefix(index + 1)))]
        }
        // Nothing but a header; an unknown critical payload; a short nonce.
        inputs.append(
            withLength(
                Array(request.prefix(16)) + [0, 0x20, 34, 8] + Array(repeating: 0, count: 8)))
        inputs.append(
            withLength(
                Array(request.prefix(16)) + [0, 0x30, 34, 8] + Array(repeating: 0, count: 8)))
        inputs.append(
            withLength(
                Array(request.prefix(16)) + [99, 0x20, 34, 8] + Array(repeating: 0, count: 8)
                    + [0, 0x80, 0, 4]))
        inputs.append(withShortNonce(request))
        var answered = 0
        for (index, input) in inputs.enumerated() {
            let pair = Pair()
            pair.network.isCut = true
            pair.inject(input, from: spoofed)
            pair.inject(input, from: spoofed)
            #expect(
                pair.datagrams.allSatisfy { $0.bytes.count <= input.count }, "input \(index)")
            answered += pair.datagrams.count
        }
        #expect(answered > 100)
    }

    @Test("a short request must return a cookie before the long answer")
    func shortNonce() throws {
        let pair = Pair()
        pair.network.isCut = true
        let request = withShortNonce(try initRequest())
        pair.inject(request, from: spoofed)
        #expect(pair.events(CookieChallenged.self).map(\.cause.clear) == [.amplification])
        let challenge = try #require(pair.datagrams.last?.bytes)
        pair.inject(withCookie(request, Array(challenge[36...])), from: spoofed)
        #expect(pair.tick.halfOpen == 1)
    }

    // MARK: Limits

    @Test("key exchanges of one source are limited, and the half is kept for the proven")
    func keyExchanges() throws {
        let pair = Pair(policy { $0.keyExchangesPerSecondPerSource = 2 })
        pair.network.isCut = true
        for seed in 0..<8 as Range<UInt64> {
            pair.inject(try initRequest(seed), from: spoofed)
        }
        // Four at once: after more than two of them a cookie is wanted.
        #expect(pair.tick.halfOpen == 3)
        #expect(pair.events(CookieChallenged.self).count { $0.cause.clear == .keyExchanges } == 5)
        let challenge = try #require(pair.datagrams.last?.bytes)
        let proven = withCookie(try initRequest(7), Array(challenge[36...]))
        pair.inject(proven, from: spoofed)
        #expect(pair.tick.halfOpen == 4)

        pair.drive(for: .seconds(1))
        pair.inject(try initRequest(9), from: spoofed)
        #expect(pair.tick.halfOpen == 5, "time gives leave again")
    }

    @Test("half-open SAs of one source are limited, cookie or not")
    func halfOpenSource() throws {
        let pair = Pair(policy { $0.halfOpenPerSource = 2 })
        pair.network.isCut = true
        for seed in 0..<3 as Range<UInt64> {
            pair.inject(try initRequest(seed), from: spoofed)
        }
        #expect(pair.tick.halfOpen == 2)
        let rejected = pair.events(IKESAInitRejected.self)
        #expect(rejected.map(\.reason.clear) == [.halfOpenSourceLimit])
        #expect(rejected.map(\.proof.clear) == [.spoofable])
    }

    @Test("messages that don't decrypt end a half-open SA, after a few")
    func invalidMessages() throws {
        let pair = Pair()
        pair.network.lost = Set(2..<100)
        _ = try #require(pair.connect())
        pair.drive(for: .milliseconds(100))
        var garbage = try #require(pair.datagrams.last { $0.fromClient }?.bytes)
        garbage[garbage.count - 1] ^= 1
        for count in 1...5 {
            #expect(pair.tick.halfOpen == 1)
            pair.inject(garbage, from: Endpoint(Pair.clientAddress, 4500), port: 4500)
            #expect(pair.events(MessageDropped.self).count == count)
        }
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.failureReasons == [.invalidMessages])
        pair.inject(garbage, from: Endpoint(Pair.clientAddress, 4500), port: 4500)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear).last == .unknownSPI)
    }

    @Test("messages that don't decrypt are limited on an established SA, too")
    func garbageAfterLogin() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        var garbage = try raw.seal([], as: .informational)
        garbage[garbage.count - 1] ^= 1
        for _ in 0..<200 { pair.inject(garbage, from: raw.source, port: 4500) }
        let dropped = pair.events(MessageDropped.self)
        #expect(dropped.count { $0.reason.clear == .integrity } == 100)
        #expect(dropped.count { $0.reason.clear == .rateLimit } == 100)
        #expect(dropped.allSatisfy { $0.proof.clear == .spoofable })
        #expect(pair.tick.sessions == 1)
        // The peer is heard again a moment later.
        pair.drive(for: .milliseconds(100))
        #expect(try raw.ask([], as: .informational) == [])
    }

    @Test("several shards have no more between them than one, but for rounding")
    func shares() {
        var whole = DefencePolicy()
        whole.cookiesFrom = 10
        whole.keyExchangesPerSecond = 1_000
        let part = whole.share(of: 4)
        #expect(part.cookiesFrom == 3)
        #expect(part.keyExchangesPerSecond == 250)
        #expect(part.halfOpenPerSource == whole.halfOpenPerSource / 4)
        #expect(part.requestsPerSecond == whole.requestsPerSecond, "one peer's alone")
        #expect(whole.share(of: 1) == whole)
    }

    @Test("an honest IKE_AUTH after some garbage is taken")
    func garbageThenHonest() throws {
        let pair = Pair()
        pair.network.late = [2]
        _ = try #require(pair.connect())
        pair.drive(for: .milliseconds(100))
        var garbage = try #require(pair.datagrams.last { $0.fromClient }?.bytes)
        garbage[garbage.count - 1] ^= 1
        for _ in 1...4 {
            pair.inject(garbage, from: Endpoint(Pair.clientAddress, 4500), port: 4500)
        }
        pair.drive(for: .seconds(5))
        #expect(pair.virtualAddress != nil)
    }

    @Test("a peer that rekeys without end is slowed down, not cut off")
    func rekeyStorm() throws {
        let pair = Pair()
        let handle = try #require(pair.connect())
        pair.drive()
        for _ in 0..<100 {
            pair.act { $0.rekeyChild(handle, at: $1, &$2) }
            pair.drive(for: .milliseconds(50))
        }
        let dropped = pair.events(MessageDropped.self)
        #expect(dropped.contains { $0.reason.clear == .rateLimit })
        #expect(dropped.allSatisfy { $0.proof.clear == .authenticated })
        pair.drive(for: .seconds(30))
        // Ten at once, then two per second, and a Delete with each.
        #expect((10...40).contains(pair.events(ChildSARekeyed.self).count))
        #expect(pair.tick.sessions == 1)
    }

    @Test("an endless IKE_SA_INIT is dropped, and version errors are limited")
    func oddities() throws {
        let pair = Pair()
        pair.network.isCut = true
        var request = try initRequest()
        request += [UInt8](repeating: 0, count: 4_000)
        pair.inject(withLength(request), from: spoofed)
        var version = try initRequest()
        version[17] = 0x30
        for _ in 0..<1_000 { pair.inject(version, from: spoofed) }
        #expect(pair.datagrams.count == 200)
        #expect(pair.tick.halfOpen == 0)
    }
}

// MARK: Bytes

/// With the header's length field set right, if there is room for one.
func withLength(_ datagram: [UInt8]) -> [UInt8] {
    guard datagram.count >= 28 else { return datagram }
    var bytes = datagram
    for index in 0..<4 {
        bytes[24 + index] = UInt8(truncatingIfNeeded: datagram.count >> (24 - 8 * index))
    }
    return bytes
}

/// As a client sends a request again: COOKIE first, all else unchanged (RFC 7296 §2.6).
func withCookie(_ request: [UInt8], _ cookie: [UInt8]) -> [UInt8] {
    var bytes = Array(request[..<28])
    let notify: [UInt8] = [request[16], 0, 0, UInt8(8 + cookie.count), 0, 0, 0x40, 0x06] + cookie
    bytes[16] = 41
    return withLength(bytes + notify + request[28...])
}

/// The same with the shortest nonce that there may be: 16 bytes (RFC 7296 §2.10).
func withShortNonce(_ request: [UInt8]) -> [UInt8] {
    var offset = 28
    var type = request[16]
    while type != 40 {
        type = request[offset]
        offset += Int(request[offset + 2]) << 8 | Int(request[offset + 3])
    }
    var bytes = request
    let length = Int(bytes[offset + 3])
    bytes[offset + 3] = 20
    bytes.removeSubrange((offset + 20)..<(offset + length))
    return withLength(bytes)
}
