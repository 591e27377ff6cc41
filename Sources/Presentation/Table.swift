package import Vocabulary

/// A result as data: what it says, not how it looks. Every answer of Weir that has rows is one.
package struct Table: Hashable, Sendable {
    /// A word or a few; empty for none.
    package var title: String
    package var columns: [Column]
    /// Each as long as `columns`. A longer row is cut, a shorter one is filled up with null.
    package var rows: [[Datum]]
    /// Sentences about the rows: totals, limits of the evidence.
    package var notes: [String]
    /// Drawn below the rows on a terminal, and nowhere else.
    package var charts: [Chart]

    package init(
        title: String = "", columns: [Column], rows: [[Datum]], notes: [String] = [],
        charts: [Chart] = []
    ) {
        self.title = title
        self.columns = columns
        self.rows = rows
        self.notes = notes
        self.charts = charts
    }

    /// What machines call the columns, each name once: a repeated one gets `_2`, `_3`, ….
    package var keys: [String] {
        var seen: Set<String> = []
        return columns.map { column in
            var key = column.key
            var number = 2
            while !seen.insert(key).inserted {
                key = "\(column.key)_\(number)"
                number += 1
            }
            return key
        }
    }
}

/// A row of numbers drawn as one line of bars.
package struct Chart: Hashable, Sendable {
    package let label: String
    /// In the order of time; nil where nothing was observed.
    package let values: [Double?]

    package init(label: String, values: [Double?]) {
        self.label = label
        self.values = values
    }
}

/// What a table's column holds.
package struct Column: Hashable, Sendable {
    package enum Alignment: Sendable { case left, right }

    /// Words joined by `_`. The unit may be left out; ``key`` adds it.
    package let name: String
    package let kind: Kind
    package let alignment: Alignment
    /// What a terminal shows for null.
    package let absent: String

    package init(
        _ name: String, _ kind: Kind, alignment: Alignment? = nil, absent: String = "-"
    ) {
        self.name = name
        self.kind = kind
        self.alignment = alignment ?? (kind.isNumber ? .right : .left)
        self.absent = absent
    }

    /// What machines call it: the name, ending in the unit unless the name has it already.
    package var key: String {
        guard let unit = kind.unit else { return name }
        let words = name.split(separator: "_").map(String.init)
        return words.contains(unit) || name.hasSuffix(unit) ? name : "\(name)_\(unit)"
    }

    /// What people call it.
    var heading: String { String(name.map { $0 == "_" ? " " : $0 }) }
}

/// What a value means, and so how people read it. Machines get it as it is, in this unit.
package enum Kind: String, CaseIterable, Sendable {
    case text
    /// Things, whole or on average.
    case count
    case bytes
    case bitsPerSecond = "bits_per_second"
    /// Events per second.
    case perSecond = "per_second"
    /// Nanoseconds.
    case duration
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// A timestamp that is told to the day, because it is not known any better.
    case date
    /// 1 is all of it.
    case ratio
    /// 0 to 23, UTC.
    case hourOfDay = "hour_of_day"
    /// What the values of this row's ``measured`` columns are: the name of another kind.
    /// Not shown on a terminal, where the values carry their units.
    case unit
    /// A quantity of the kind that the row's ``unit`` column names.
    case measured

    /// The word that ends a machine's name for it.
    var unit: String? {
        switch self {
        case .bytes: "bytes"
        case .bitsPerSecond, .perSecond, .ratio: rawValue
        case .duration, .timestamp, .date: "ns"
        case .text, .count, .hourOfDay, .unit, .measured: nil
        }
    }

    var isNumber: Bool {
        switch self {
        case .text, .timestamp, .date, .unit: false
        default: true
        }
    }
}
