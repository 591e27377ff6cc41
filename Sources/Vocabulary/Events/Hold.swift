/// Something is kept, whatever its age.
package struct HoldPlaced: Event {
    package var hold: Public<UInt64>
    package var scope: Public<HoldScope>

    package init(hold: UInt64, scope: HoldScope) {
        self.hold = Public(hold)
        self.scope = Public(scope)
    }

    package static let schema = Schema<Self>(
        "hold_placed", since: 1,
        "A legal hold was placed: what it covers is not deleted, whatever its age.",
        fields: [
            Field("hold", \.hold, "its number; the table `holds` has the rest"),
            Field("scope", \.scope, "what it covers"),
        ])

    package static let example = Self(hold: 1, scope: .session)
}

/// It may go again.
package struct HoldReleased: Event {
    package var hold: Public<UInt64>

    package init(hold: UInt64) { self.hold = Public(hold) }

    package static let schema = Schema<Self>(
        "hold_released", since: 1, "A legal hold was released.",
        fields: [Field("hold", \.hold, "its number")])

    package static let example = Self(hold: 1)
}
