/// The configuration was read again, and holds.
package struct ConfigReloaded: Event {
    package var changes: Public<UInt64>
    package var difference: Public<String>

    package init(changes: UInt64, difference: String) {
        self.changes = Public(changes)
        self.difference = Public(difference)
    }

    package static let schema = Schema<Self>(
        "config_reloaded", since: 1,
        "The configuration was read again; sessions stayed, and what is new follows it.",
        fields: [
            Field("changes", \.changes, in: .count, "values that changed"),
            Field(
                "difference", \.difference,
                "which, from what to what; without secrets, identities, or more than 4096 bytes"),
        ],
        counters: [
            Counter("weir_config_reloads_total", "Times that the configuration was read again.")
        ])

    package static let example = Self(
        changes: 1, difference: "gateway.max_sessions: 10000 -> 20000")
}

/// The configuration was read again, and the old one stays.
package struct ConfigReloadRefused: Event {
    package var reason: Public<ReloadRefusal>

    package init(reason: ReloadRefusal) { self.reason = Public(reason) }

    package static let schema = Schema<Self>(
        "config_reload_refused", since: 1,
        "The configuration was read again and can't be taken over; the old one stays.",
        fields: [Field("reason", \.reason, "why; the log has the lines to mend")],
        counters: [
            Counter(
                "weir_config_reload_refusals_total", "Reloads that changed nothing.",
                by: "reason", \.reason)
        ])

    package static let example = Self(reason: .needsRestart)
}
