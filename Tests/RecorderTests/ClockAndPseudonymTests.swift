import Clocks
import Crypto
import Testing
import Vocabulary

@testable import Recorder

@Suite("Clocks")
struct ClockTests {
    @Test(
        "a jump of more than a second is told, drift is followed",
        arguments: [
            (0, nil), (0.9, nil), (-0.9, nil), (1, nil), (1.5, 1_500), (-3_600, -3_600_000),
        ] as [(Double, Int64?)])
    func steps(_ example: (jump: Double, milliseconds: Int64?)) {
        var clock = WallClock(epoch)
        let later = epoch + 0.1
        let shown = Timestamp(
            nanoseconds: later.wall.nanoseconds + Int64(example.jump * 1_000_000_000))
        let step = clock.observe(ClockReading(instant: later.instant, wall: shown))
        #expect(step.map { $0.nanoseconds / 1_000_000 } == example.milliseconds)
        #expect(clock.timestamp(of: later.instant) == shown)
        #expect(clock.observe(ClockReading(instant: later.instant, wall: shown)) == nil)
    }

    @Test("times between readings")
    func between() {
        let clock = WallClock(epoch)
        #expect(clock.timestamp(of: (epoch + -2.5).instant) == (epoch + -2.5).wall)
        #expect(clock.timestamp(of: (epoch + 1).instant) == (epoch + 1).wall)
    }

    @Test("nonsense does not trap")
    func extremes() {
        var clock = WallClock(epoch)
        let last = ClockReading(
            instant: Instant(nanoseconds: .max), wall: Timestamp(nanoseconds: .min))
        #expect(clock.observe(last) != nil)
        _ = clock.timestamp(of: Instant(nanoseconds: .max))
    }

    @Test("the machine's own")
    func host() {
        let first = ClockReading.now
        let second = ClockReading.now
        #expect(first.instant <= second.instant)
        #expect(first.wall.nanoseconds > 1_700_000_000_000_000_000)
        #expect(ClockReading.bootID.count == 36)
    }
}

@Suite("Pseudonyms")
struct PseudonymTests {
    /// Made with Python: `base64.b32encode(hmac.new(bytes(range(32)), purpose + b"\0" + message,
    /// hashlib.sha256).digest()[:10]).decode().lower()`.
    @Test(
        "known answers",
        arguments: [
            (Purpose.identity, Array("alice@example.org".utf8), "id:o42kdvyxgy4sfjgw"),
            (.address, [192, 0, 2, 7], "addr:tija32eidgyqbfnu"),
            (.virtualAddress, [192, 0, 2, 7], "vip:7gdx6c3m4czhjxbk"),
            (.identity, [], "id:2d5lh4tkcyn4hbew"),
            (.identity, [11, 0xff], "id:23drz4py2a5c3wyc"),
        ] as [(Purpose, [UInt8], String)])
    func known(_ example: (purpose: Purpose, bytes: [UInt8], pseudonym: String)) {
        let pseudonymiser = KeyedPseudonymiser(key: key)
        #expect(
            pseudonymiser.pseudonym(of: example.bytes, for: example.purpose) == example.pseudonym)
    }

    @Test("one person, one pseudonym, however the name was written")
    func cases() {
        let names = [
            Identity("Alice@Example.ORG"),
            Identity(kind: .fqdn, bytes: Array("alice@example.org".utf8)),
        ]
        #expect(
            names.map(pseudonyms.disclose) == [
                .text("id:o42kdvyxgy4sfjgw"), .text("id:o42kdvyxgy4sfjgw"),
            ])
    }

    @Test("another key, other pseudonyms")
    func keys() {
        let other = KeyedPseudonymiser(key: SharedSecret(SecretBytes(copying: Array(1..<33))))
        #expect(other.pseudonym(of: [], for: .identity) != "id:2d5lh4tkcyn4hbew")
    }
}
