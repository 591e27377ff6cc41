import Rules
import Testing
import Vocabulary

@Suite("Every rule")
struct ExampleTests {
    @Test("does what its examples say", arguments: RuleBook.rules.map(RuleUnderTest.init))
    func keepsItsPromises(_ rule: RuleUnderTest) {
        rule.check()
    }

    @Test("is in the book once, with something to read", arguments: RuleID.allCases)
    func isInTheBook(_ id: RuleID) {
        #expect(RuleBook.rules.count { $0.id == id } == 1)
        #expect(RuleBook.rule(id)?.meaning.hasSuffix(".") == true)
        #expect(RuleBook.rule(id)?.runbook.hasSuffix(".") == true)
    }

    @Test("is run by the detector, beside the others")
    func detects() {
        for rule in RuleBook.rules {
            for example in rule.examples where example.fires {
                var detector = Detector()
                let verdicts = example.timeline.flatMap { detector.take($0) }
                #expect(verdicts.contains { $0.fired?.rule == rule.id }, "\(example.name)")
            }
        }
    }
}

struct RuleUnderTest: CustomTestStringConvertible, Sendable {
    let rule: any Rule.Type
    var testDescription: String { rule.id.rawValue }

    func check() {
        #expect(rule.examples.contains { $0.fires }, "no example that fires")
        #expect(rule.examples.contains { !$0.fires }, "no example that stays quiet")
        for example in rule.examples {
            var rule = rule.init()
            let fired = example.timeline.contains { moment in
                rule.take(moment).contains { $0.fired != nil }
            }
            #expect(fired == example.fires, "\(example.name)")
        }
    }
}

extension Verdict {
    var fired: Finding? {
        if case .fires(let finding) = self { finding } else { nil }
    }
}

extension Rule {
    mutating func take(_ moment: Moment) -> [Verdict] {
        switch moment.fact {
        case .event(let event): observe(event, at: moment.at)
        case .tick(let tick): self.tick(tick, at: moment.at)
        }
    }
}

extension Detector {
    mutating func take(_ moment: Moment) -> [Verdict] {
        switch moment.fact {
        case .event(let event): observe(event, at: moment.at)
        case .tick(let tick): self.tick(tick, at: moment.at)
        }
    }
}
