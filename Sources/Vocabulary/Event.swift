/// A fact. Its type says what it holds, how private each part is, and which counters it moves.
package protocol Event: Sendable {
    static var schema: Schema<Self> { get }
    /// A plausible value, for documentation and tests.
    static var example: Self { get }
    /// Itself, if a flood can cause it.
    var coalescing: (any CoalescingEvent)? { get }
}

extension Event {
    package var coalescing: (any CoalescingEvent)? { nil }
}

/// Properties of an event that several kinds of event share; each is a field of its own.
package protocol FieldGroup: Sendable {}

/// An event that a flood can cause. Like ones of one second are recorded as one with a count.
package protocol CoalescingEvent: Event {
    associatedtype Likeness: Hashable & Sendable
    /// Events with equal likeness may be added up.
    var likeness: Likeness { get }
    var count: Public<UInt64> { get set }
    /// Says only which network the source belongs to: the first `v4` bits of an IPv4 address, or
    /// `v6` of an IPv6 one. For when there are too many sources to tell apart.
    mutating func generaliseSource(v4: Int, v6: Int)
}

extension CoalescingEvent {
    package var coalescing: (any CoalescingEvent)? { self }
    package mutating func generaliseSource(v4 _: Int, v6 _: Int) {}
}

/// A coalescing event that anybody can cause, and that tells of a source.
package protocol SourcedEvent: CoalescingEvent where Likeness == SourcedLikeness<Why> {
    associatedtype Why: Hashable & Sendable
    /// All but the source and the count.
    var why: Why { get }
    var origin: EventOrigin { get set }
}

/// Where like events came from, and how many there were.
package struct EventOrigin: FieldGroup {
    fileprivate var source: Personal<IPAddress>
    /// How many bits of the source are told.
    fileprivate var sourceBits: Public<UInt64>
    fileprivate var count: Public<UInt64> = Public(1)

    init(_ source: IPAddress) {
        self.source = Personal(source)
        sourceBits = Public(source.bits)
    }
}

package struct SourcedLikeness<Why: Hashable & Sendable>: Hashable, Sendable {
    let why: Why
    let source: Personal<IPAddress>
    let bits: Public<UInt64>
}

/// What makes events alike, where that is two things.
package struct Both<First: Hashable & Sendable, Second: Hashable & Sendable>: Hashable, Sendable {
    let first: First
    let second: Second

    init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }
}

extension SourcedEvent {
    package var source: Personal<IPAddress> { origin.source }
    package var sourceBits: Public<UInt64> { origin.sourceBits }
    package var count: Public<UInt64> {
        get { origin.count }
        set { origin.count = newValue }
    }

    package var likeness: SourcedLikeness<Why> {
        SourcedLikeness(why: why, source: origin.source, bits: origin.sourceBits)
    }

    package mutating func generaliseSource(v4: Int, v6: Int) {
        let (network, bits) = origin.source.network(v4: v4, v6: v6)
        origin.source = network
        origin.sourceBits = Public(bits)
    }
}

extension Array {
    /// The last fields of every ``SourcedEvent``.
    static func origin<E: SourcedEvent>(_ source: String) -> Self where Element == Field<E> {
        [
            Field("source", \.source, source),
            Field(
                "source_bits", \.sourceBits, in: .none,
                "how many bits of source are told: all, or under a flood 24, 48 or 0"),
            Field("count", \.count, in: .count, "how many within the second"),
        ]
    }
}

/// An event after the redaction policy. The only form that a sink accepts.
package struct DisclosedEvent: Hashable, Sendable {
    /// The schema's name.
    package let kind: String
    /// In the order of the schema's fields.
    package let values: [Datum]

    init(kind: String, values: [Datum]) {
        self.kind = kind
        self.values = values
    }
}

extension Event {
    package var kind: String { Self.schema.name }

    package func disclosed(under policy: Disclosure) -> DisclosedEvent {
        DisclosedEvent(kind: Self.schema.name, values: Self.schema.values(self, policy))
    }

    /// What this event adds to which series.
    package var increments: [Increment] { Self.schema.increments(self) }

    /// What this event adds to which histograms.
    package var observations: [Observation] { Self.schema.observations(self) }
}

package struct Increment: Hashable, Sendable {
    package let family: String
    package let slot: Int
    package let amount: UInt64
}

package struct Observation: Hashable, Sendable {
    package let family: String
    package let slot: Int
    package let value: Double
    /// The session that it came from, for an exemplar.
    package let session: String?

    package init(family: String, slot: Int, value: Double, session: String?) {
        self.family = family
        self.slot = slot
        self.value = value
        self.session = session
    }
}

/// A kind of event with its type forgotten: what the store, the exporter and the documentation
/// need to know of it.
package struct EventKind: Sendable {
    package let name: String
    package let since: Int
    package let rfc: String
    package let meaning: String
    package let fields: [FieldDescription]
    package let families: [MetricFamily]
    package let coalesces: Bool
    package let example: any Event

    init<E: Event>(_ type: E.Type) {
        let schema = type.schema
        name = schema.name
        since = schema.since
        rfc = schema.rfc
        meaning = schema.meaning
        fields = schema.fields.map(\.description)
        families = schema.counters.map(\.family) + schema.histograms.map(\.family)
        coalesces = type is any CoalescingEvent.Type
        example = type.example
    }
}
