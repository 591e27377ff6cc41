/// What a number counts. The unit's word ends the field's name, as in `duration_ms`.
package enum Unit: String, Sendable {
    case none = ""
    case bytes, packets, microseconds, milliseconds, nanoseconds, seconds, count
}

/// One column of one kind of event: name, place, privacy class, unit and meaning in one line.
package struct Field<E: Event>: Sendable {
    package let description: FieldDescription
    let datum: @Sendable (E, Disclosure) -> Datum

    package init<Value: Recordable>(
        _ name: String, _ path: any KeyPath<E, Public<Value>> & Sendable, in unit: Unit = .none,
        _ meaning: String
    ) {
        description = FieldDescription(
            name: name, storage: Value.storage, privacy: PublicClass.name, purpose: nil,
            unit: unit, meaning: meaning)
        datum = { event, policy in event[keyPath: path].datum(under: policy) }
    }

    package init<Value: PersonalValue>(
        _ name: String, _ path: any KeyPath<E, Personal<Value>> & Sendable, _ meaning: String
    ) {
        description = FieldDescription(
            name: name, storage: .text, privacy: PersonalClass.name, purpose: Value.purpose,
            unit: .none, meaning: meaning)
        datum = { event, policy in event[keyPath: path].datum(under: policy) }
    }
}

package struct FieldDescription: Hashable, Sendable {
    package let name: String
    package let storage: Storage
    /// `public` or `personal`.
    package let privacy: String
    package let purpose: Purpose?
    package let unit: Unit
    package let meaning: String
}

/// Everything there is to know about one kind of event. Tables, metrics, documentation and help
/// are made from it.
package final class Schema<E: Event>: Sendable {
    package let name: String
    /// The version of the vocabulary that brought it.
    package let since: Int
    /// Where the behaviour is specified, such as `7296 §2.8`; empty if nowhere.
    package let rfc: String
    /// One sentence.
    package let meaning: String
    package let fields: [Field<E>]
    package let counters: [Counter<E>]
    package let histograms: [Histogram<E>]
    // What is done with each event: closures, so that they are compiled for this kind of event,
    // not for any.
    let values: @Sendable (E, Disclosure) -> [Datum]
    let increments: @Sendable (E) -> [Increment]
    let observations: @Sendable (E) -> [Observation]

    package init(
        _ name: String, since: Int, rfc: String = "", _ meaning: String, fields: [Field<E>],
        counters: [Counter<E>] = [], histograms: [Histogram<E>] = []
    ) {
        self.name = name
        self.since = since
        self.rfc = rfc
        self.meaning = meaning
        self.fields = fields
        self.counters = counters
        self.histograms = histograms
        values = { event, policy in fields.map { $0.datum(event, policy) } }
        increments = { event in
            counters.map {
                Increment(family: $0.family.name, slot: $0.slot(event), amount: $0.amount(event))
            }
        }
        observations = { event in
            var observations: [Observation] = []
            for histogram in histograms {
                let session = histogram.session(event)?.description
                for (slot, seconds) in histogram.observations(event) {
                    observations.append(
                        Observation(
                            family: histogram.family.name, slot: slot, value: seconds,
                            session: session))
                }
            }
            return observations
        }
    }
}
