import Testing
import Vocabulary

@testable import Rules

@Suite("Authentication failures")
struct AuthenticationFailuresTests {
    var rule = AuthenticationFailures()

    @Test("fires once while active, resolves after 300 quiet seconds, and can fire again")
    mutating func lifecycle() throws {
        var verdicts: [Verdict] = []
        for second in 0..<20 { verdicts += fail(1, at: second) }
        #expect(verdicts.count == 1)
        let finding = try #require(verdicts.first?.fired)
        #expect(finding.subject == Personal(.v4(1)))
        #expect(finding.severity == .warning)
        #expect(finding.evidence == "10 failed logins in 9 s, 10 in 60 s is the limit")

        #expect(tick(at: 19 + 299).isEmpty)
        #expect(
            tick(at: 19 + 300)
                == [.resolves(rule: .authenticationFailures, subject: Personal(.v4(1)))])
        #expect(tick(at: 2_000).isEmpty)
        #expect((2_000..<2_010).flatMap { fail(1, at: $0) }.count == 1)
    }

    @Test("keeps an alert up while failures go on")
    mutating func staysActive() {
        for second in 0..<10 { _ = fail(1, at: second) }
        for second in stride(from: 200, to: 3_000, by: 200) {
            #expect(fail(1, at: second).isEmpty)
            #expect(tick(at: second + 100).isEmpty)
        }
    }

    @Test("tells sources apart")
    mutating func bySource() {
        let verdicts = (0..<10).flatMap { fail(1, at: $0) + fail(2, at: $0) }
        #expect(
            Set(verdicts.compactMap(\.fired?.subject)) == [Personal(.v4(1)), Personal(.v4(2))])
    }

    @Test(
        "counts only sources that completed a key exchange",
        arguments: [
            (ProofLevel.spoofable, false), (.cookie, false), (.keyExchange, true),
            (.identity, true), (.authenticated, true),
        ])
    mutating func needsProof(_ proof: ProofLevel, _ fires: Bool) {
        let verdicts = (0..<10).flatMap { fail(1, at: $0, proof: proof) }
        #expect(verdicts.isEmpty != fires)
        #expect(rule.tracked == 0)
    }

    @Test("remembers at most 4,096 sources, and no flood ends an active alert unresolved")
    mutating func isBounded() {
        for second in 0..<10 { _ = fail(1, at: second) }
        for source in 0..<20_000 { _ = fail(1_000 + UInt32(source), at: 10 + source / 1_000) }
        #expect(rule.tracked <= 4_096)
        #expect(rule.tracked > 3_000)
        #expect(
            tick(at: 400) == [.resolves(rule: .authenticationFailures, subject: Personal(.v4(1)))])
    }

    @Test("forgets the least recently seen source first")
    mutating func evicts() {
        for second in 0..<9 { _ = fail(1, at: second) }
        for source in 0..<4_095 { _ = fail(1_000 + UInt32(source), at: 9) }
        // Full. Source 2 makes room at the cost of source 1, whose nine failures are older.
        _ = fail(2, at: 10)
        #expect(fail(1, at: 11).isEmpty)
        for second in 11..<19 { _ = fail(2, at: second) }
        #expect(fail(2, at: 19).count == 1)
    }

    @Test("raises one critical alert for all sources beyond the first 256")
    mutating func crowd() throws {
        var verdicts: [Verdict] = []
        for source in 0..<300 as Range<UInt32> {
            for second in 0..<10 { verdicts += fail(source, at: second) }
        }
        let findings = verdicts.compactMap(\.fired)
        #expect(findings.count == 257)
        #expect(findings.count { $0.severity == .warning } == 256)
        #expect(findings.last?.subject == Personal(nil))
        #expect(findings.last?.severity == .critical)

        let over = tick(at: 309)
        #expect(over.count == 257)
        #expect(over.contains(.resolves(rule: .authenticationFailures, subject: Personal(nil))))
        #expect(tick(at: 1_000).isEmpty)
    }

    @Test("takes times out of order")
    mutating func outOfOrder() {
        let times = [9, 3, 5, 1, 8, 2, 7, 0, 4, 6]
        #expect(times.flatMap { fail(1, at: $0) }.count == 1)
        #expect(tick(at: 0).isEmpty)
    }

    @Test("never puts the address into the evidence")
    mutating func isDiscreet() {
        let verdicts = (0..<10).flatMap { fail(0xc000_0207, at: $0) }
        #expect(!"\(verdicts)".contains("192.0.2.7"))
    }

    private mutating func fail(
        _ source: UInt32, at second: Int, proof: ProofLevel = .keyExchange
    ) -> [Verdict] {
        let event = IKEAuthFailed(
            reason: .wrongCredential, method: .psk, proof: proof, identity: nil,
            source: .v4(source), connection: nil)
        return rule.observe(event, at: .second(second))
    }

    private mutating func tick(at second: Int) -> [Verdict] {
        rule.tick(Tick(), at: .second(second))
    }
}

extension Instant {
    static func second(_ second: Int) -> Instant {
        Instant(nanoseconds: 7_000_000_000_000) + .seconds(second)
    }
}
