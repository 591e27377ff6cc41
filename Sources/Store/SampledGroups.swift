import Vocabulary

/// The Child SAs that were in the latest tick, with their counters, in ascending order of series.
///
/// Its size follows the ticks': what is gone is forgotten, a quarter of all at a time.
///
/// Knows what of them `series_last` has: what a Child SA carried is written there when it ends, and
/// of one that runs in turn, so that a tick costs no row for each.
struct SampledGroups {
    private struct Group {
        let child: ChildID
        let series: Int64
        var latest: Counters
        var isMoved = true
        /// In the tick that is being taken.
        var isPresent = true
        /// Not in the latest tick.
        var isGone = false
        /// It was told that this one ended: there may be a last sample, but nothing comes after it.
        var isClosed = false
        /// The journal no longer tells where it was, as it was gone when that was folded.
        var isUntold = false
        /// Its end was summed up with what came before: a sample after that is of no use.
        var isSettled = false
        /// `series_last` has what is latest.
        var isStored = false
        /// The place of the sample that came after this one's in the latest tick.
        var next = 0
    }

    /// A row of `series_last`.
    typealias Latest = (series: Int64, counters: Counters)

    /// Of so many Child SAs each tick stores what is latest, in turn; of more, if there are many.
    private static let turn = 64
    /// Ticks after which each has had its turn, however many there are.
    static let lag = 16

    private var groups: [Group] = []
    private var places: [ChildID: Int] = [:]
    /// The place of the sample before, whose `next` tells where this one belongs: ticks keep to
    /// one order.
    private var previous = 0
    /// Whose turn it is to be stored.
    private var nextStored = 0
    /// Came again in the tick that is being taken, and where they were.
    private var back: [Latest] = []

    var isEmpty: Bool { groups.isEmpty }

    /// - Returns: nil for a Child SA that is new, or forgotten.
    mutating func place(of child: ChildID) -> Int? {
        let expected = groups.indices.contains(previous) ? groups[previous].next : 0
        if groups.indices.contains(expected), groups[expected].child == child {
            previous = expected
            return expected
        }
        guard let place = places[child] else { return nil }
        follow(place)
        return place
    }

    private mutating func follow(_ place: Int) {
        if groups.indices.contains(previous) { groups[previous].next = place }
        previous = place
    }

    /// It may get another sample.
    func hasSeries(_ series: Int64) -> Bool { groups.contains { $0.series == series } }

    /// Takes a sample of a Child SA that is known.
    ///
    /// - Returns: whether anything moved since.
    mutating func take(_ counters: Counters, at place: Int) -> Bool {
        guard !groups[place].isSettled else { return false }
        groups[place].isPresent = true
        if groups[place].isUntold {
            groups[place].isUntold = false
            back.append((groups[place].series, groups[place].latest))
        }
        guard groups[place].latest != counters else { return false }
        groups[place].latest = counters
        groups[place].isMoved = true
        groups[place].isStored = false
        return true
    }

    /// Takes the first sample of a Child SA.
    ///
    /// - Parameter series: higher than any before.
    mutating func begin(_ child: ChildID, _ series: Int64, _ counters: Counters) {
        places[child] = groups.count
        var group = Group(child: child, series: series, latest: counters)
        group.isStored = counters == Counters()
        groups.append(group)
        follow(groups.count - 1)
    }

    /// A Child SA has ended.
    ///
    /// - Returns: what `series_last` does not have of it yet.
    mutating func close(_ child: ChildID) -> Latest? {
        guard let place = places[child] else { return nil }
        groups[place].isClosed = true
        return takeUnstored(at: place)
    }

    /// The journal was folded: it tells where the Child SAs of the latest tick are.
    mutating func noteFold() {
        for place in groups.indices where groups[place].isGone { groups[place].isUntold = true }
    }

    /// The ends that were told were summed up: what comes of these Child SAs is passed over, for
    /// it is in their totals.
    mutating func settleClosed() {
        for place in groups.indices where groups[place].isClosed { groups[place].isSettled = true }
    }

    /// - Returns: all that `series_last` does not have yet.
    mutating func takeUnstored() -> [Latest] {
        groups.indices.compactMap { takeUnstored(at: $0) }
    }

    private mutating func takeUnstored(at place: Int) -> Latest? {
        guard !groups[place].isStored else { return nil }
        groups[place].isStored = true
        return (groups[place].series, groups[place].latest)
    }

    /// - Returns: rows of the journal: the tick's, and before it a state of what came again that the
    ///   journal does not tell of; and what `series_last` is to have with them: all that ended, and
    ///   those whose turn it is.
    mutating func endTick() -> (rows: [JournalRow], latest: [Latest]) {
        var row = JournalRow(.tick)
        var latest: [Latest] = []
        var gone = 0
        let turn = takeTurn()
        for place in groups.indices {
            groups[place].isGone = !groups[place].isPresent
            if turn.contains(place) || groups[place].isGone || groups[place].isClosed,
                let row = takeUnstored(at: place)
            {
                latest.append(row)
            }
            guard groups[place].isPresent else {
                gone += 1
                continue
            }
            row.add(groups[place].series, groups[place].isMoved ? groups[place].latest : nil)
            groups[place].isMoved = false
            groups[place].isPresent = false
        }
        if gone > groups.count / 4 { forgetGone() }
        return (takeBack() + [row], latest)
    }

    private mutating func takeBack() -> [JournalRow] {
        guard !back.isEmpty else { return [] }
        var state = JournalRow(.state)
        for (series, counters) in back.sorted(by: { $0.series < $1.series }) {
            state.add(series, counters)
        }
        back.removeAll()
        return [state]
    }

    /// - Returns: the places whose turn it is.
    private mutating func takeTurn() -> Range<Int> {
        let size = max(Self.turn, (groups.count + Self.lag - 1) / Self.lag)
        let start = size < groups.count && nextStored < groups.count ? nextStored : 0
        nextStored = min(start + size, groups.count)
        return start..<nextStored
    }

    private mutating func forgetGone() {
        nextStored -= groups[..<nextStored].count(where: \.isGone)
        groups.removeAll(where: \.isGone)
        places.removeAll(keepingCapacity: true)
        for place in groups.indices {
            places[groups[place].child] = place
            groups[place].next = place + 1
        }
        previous = 0
    }
}
