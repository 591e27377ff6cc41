/// A RADIUS server stopped answering, or never did.
package struct RadiusServerDown: Event {
    package var server: Public<String>

    package init(server: String) { self.server = Public(server) }

    package static let schema = Schema<Self>(
        "radius_server_down", since: 1, rfc: "2866 §2",
        "A RADIUS server left a request unanswered, and everything since.",
        fields: [Field("server", \.server, "the server, as it is configured")])

    package static let example = Self(server: "radius1")
}

/// A RADIUS server answers again.
package struct RadiusServerUp: Event {
    package var server: Public<String>
    package var downMilliseconds: Public<UInt64>

    package init(server: String, downMilliseconds: UInt64) {
        self.server = Public(server)
        self.downMilliseconds = Public(downMilliseconds)
    }

    package static let schema = Schema<Self>(
        "radius_server_up", since: 1, rfc: "5997 §2",
        "A RADIUS server that was down answers.",
        fields: [
            Field("server", \.server, "the server, as it is configured"),
            Field(
                "down_ms", \.downMilliseconds, in: .milliseconds,
                "since radius_server_down was told"),
        ])

    package static let example = Self(server: "radius1", downMilliseconds: 62_000)
}

/// Accounting that RADIUS servers will never hear of.
package struct AccountingLost: Event {
    package var reason: Public<AccountingLoss>
    package var count: Public<UInt64>

    package init(reason: AccountingLoss, count: UInt64) {
        self.reason = Public(reason)
        self.count = Public(count)
    }

    package static let schema = Schema<Self>(
        "accounting_lost", since: 1, rfc: "2866 §2",
        "Accounting records were given up; the sessions' own records have what they said.",
        fields: [
            Field("reason", \.reason, "why"),
            Field("count", \.count, in: .count, "how many since the last such event"),
        ],
        counters: [
            Counter(
                "weir_radius_accounting_lost_total", "Accounting records that were given up.",
                by: "reason", \.reason, adding: { $0.count.clear })
        ])

    package static let example = Self(reason: .queueFull, count: 7)
}
