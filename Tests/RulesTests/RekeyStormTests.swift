import Testing
import Vocabulary

@testable import Rules

@Suite("Rekey storm")
struct RekeyStormTests {
    var rule = RekeyStorm()

    @Test("fires with its figures, rises to critical, and resolves after a calm window")
    mutating func lifecycle() throws {
        // 100 Child SAs of an hour: 8.33 rekeys to be expected in 300 s.
        for child in 0..<100 as Range<UInt64> { install(child, lifetime: 3_600, at: 0) }
        var verdicts: [Verdict] = []
        for second in stride(from: 1_000, to: 1_090, by: 3) { verdicts += rekey(at: second) }
        #expect(
            verdicts == [
                fires(.warning, "30 rekeys in 300 s, 8.3 expected of 100 Child SAs")
            ])

        verdicts = []
        for second in 1_090..<1_190 { verdicts += rekey(at: second) }
        #expect(
            verdicts == [
                over, fires(.critical, "84 rekeys in 300 s, 8.3 expected of 100 Child SAs"),
            ])

        // The last rekey is at 1,189: few enough are left in the window from about 1,475 on.
        var end: Int?
        for second in stride(from: 1_200, to: 2_400, by: 15) where end == nil {
            if tick(at: second) == [over] { end = second }
        }
        #expect(try (1_475...1_830).contains(#require(end)) == true)
        #expect(tick(at: 2_400).isEmpty)
    }

    @Test("expects what the lifetimes say", arguments: [(60, 3_600), (1_000, 900), (7, 30)])
    mutating func expects(_ children: Int, _ lifetime: Int) {
        for child in 0..<UInt64(children) { install(child, lifetime: UInt64(lifetime), at: 0) }
        let due = Double(children) / Double(lifetime)
        var count = 0
        for second in 600..<2_000 {
            let total = Int(Double(second - 600) * due * 1.1)
            while count < total {
                #expect(rekey(at: second).isEmpty)
                count += 1
            }
        }
    }

    @Test("learns a successor from its rekey, before or after its installation")
    mutating func successors() {
        install(1, lifetime: 3_600, at: 0)
        rekey(1, to: 2, at: 1)
        #expect(rule.tracked == 2)
        close(1, at: 1)
        install(2, lifetime: 3_600, at: 2)
        #expect(rule.tracked == 1)
        install(3, lifetime: 3_600, at: 3)
        rekey(2, to: 3, at: 3)
        close(2, at: 3)
        close(2, at: 3)
        #expect(rule.tracked == 1)
    }

    @Test("forgets Child SAs when the gateway starts anew")
    mutating func start() {
        install(1, lifetime: 3_600, at: 0)
        #expect(rule.observe(GatewayStarted.example, at: .second(1)).isEmpty)
        #expect(rule.tracked == 0)
    }

    @Test("takes any lifetime, any gap and any order of times")
    mutating func extremes() {
        install(1, lifetime: 0, at: 0)
        install(2, milliseconds: 1, at: 0)
        install(3, milliseconds: .max, at: 0)
        #expect(rule.tick(Tick(), at: Instant(nanoseconds: 0)).isEmpty)
        #expect(rule.tick(Tick(), at: Instant(nanoseconds: .max)).isEmpty)
        #expect(rule.tick(Tick(), at: Instant(nanoseconds: 5)).isEmpty)
        #expect(rule.observe(IKESARekeyed.example, at: Instant(nanoseconds: .max)).isEmpty)
        #expect(rule.observe(ChildSAClosed.example, at: Instant(nanoseconds: 1)).isEmpty)
    }

    @Test("tracks as many Child SAs as it has room for, and counts the rest")
    mutating func isBounded() throws {
        rule = RekeyStorm(childLimit: 100)
        for child in 0..<103 as Range<UInt64> { install(child, milliseconds: .max, at: 0) }
        #expect(rule.tracked == 100)
        #expect(rule.untracked == 3)
        close(101, at: 1)
        #expect(rule.untracked == 2)
        close(0, at: 1)
        #expect(rule.tracked == 99)
        let finding = try #require((0..<30).flatMap { rekey(at: $0) }.first)
        let figures = "30 rekeys in 300 s, 0.0 expected of 99 Child SAs"
        #expect(finding == fires(.critical, figures + " and 2 more that were not tracked"))
    }

    @Test("has nothing left of rates that came and went")
    mutating func isExact() {
        for child in 0..<1_000 as Range<UInt64> { install(child, lifetime: 1 + child, at: 0) }
        for child in 0..<1_000 as Range<UInt64> { close(child, at: 0) }
        #expect(tick(at: 1_000).isEmpty)
        #expect(
            (1_000..<1_030).flatMap { rekey(at: $0) }.map(\.fired?.evidence) == [
                "30 rekeys in 300 s, 0.0 expected of 0 Child SAs"
            ])
    }

    private var over: Verdict { .resolves(rule: .rekeyStorm, subject: Personal(nil)) }

    private func fires(_ severity: Severity, _ evidence: String) -> Verdict {
        .fires(
            Finding(
                rule: .rekeyStorm, severity: severity, subject: Personal(nil), evidence: evidence))
    }

    private mutating func install(_ child: UInt64, lifetime seconds: UInt64, at second: Int) {
        install(child, milliseconds: seconds * 1_000, at: second)
    }

    private mutating func install(_ child: UInt64, milliseconds: UInt64, at second: Int) {
        let event = ChildSAInstalled(
            session: .example, child: ChildID(child), inboundSPI: ESPSPI(1),
            outboundSPI: ESPSPI(2), suite: "aes128gcm16", lifetimeMilliseconds: milliseconds)
        #expect(take(event, at: second).isEmpty)
    }

    private mutating func close(_ child: UInt64, at second: Int) {
        let event = ChildSAClosed(
            session: .example, child: ChildID(child), reason: .rekeyed, total: Traffic())
        #expect(take(event, at: second).isEmpty)
    }

    private mutating func rekey(_ retired: UInt64, to successor: UInt64, at second: Int) {
        let event = ChildSARekeyed(
            session: .example, retired: ChildID(retired), successor: ChildID(successor),
            initiator: .us, ageMilliseconds: 0)
        #expect(take(event, at: second).isEmpty)
    }

    /// Of a Child SA that nobody told the rule of.
    private mutating func rekey(at second: Int) -> [Verdict] {
        rule.observe(
            ChildSARekeyed(
                session: .example, retired: ChildID(.max), successor: ChildID(.max - 1),
                initiator: .peer, ageMilliseconds: 0),
            at: .second(second))
    }

    private mutating func take(_ event: any Event, at second: Int) -> [Verdict] {
        rule.observe(event, at: .second(second))
    }

    private mutating func tick(at second: Int) -> [Verdict] {
        rule.tick(Tick(), at: .second(second))
    }
}
