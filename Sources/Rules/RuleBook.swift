package import Vocabulary

/// Every rule there is. To add one: write its file, its `RuleID`, and its name here.
package enum RuleBook {
    package static let rules: [any Rule.Type] = [AuthenticationFailures.self, RekeyStorm.self]

    /// - Returns: nil only if the book lacks a rule, which a test forbids.
    package static func rule(_ id: RuleID) -> (any Rule.Type)? {
        rules.first { $0.id == id }
    }
}

/// Runs every rule over the same facts.
package struct Detector: Sendable {
    private var rules: [any Rule]

    package init() {
        rules = RuleBook.rules.map { $0.init() }
    }

    package mutating func observe(_ event: any Event, at time: Instant) -> [Verdict] {
        var verdicts: [Verdict] = []
        for index in rules.indices { verdicts += rules[index].observe(event, at: time) }
        return verdicts
    }

    package mutating func tick(_ tick: Tick, at time: Instant) -> [Verdict] {
        var verdicts: [Verdict] = []
        for index in rules.indices { verdicts += rules[index].tick(tick, at: time) }
        return verdicts
    }
}
