import Vocabulary

/// The Child SAs that were in the latest tick, with their counters, in ascending order of series.
///
/// Its size follows the ticks': what is gone is forgotten, a quarter of all at a time.
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
    }
    private var groups: [Group] = []
    private var places: [ChildID: Int] = [:]

    var isEmpty: Bool { groups.isEmpty }

    /// - Returns: nil for a Child SA that is new, or forgotten.
    func place(of child: ChildID) -> Int? { places[child] }

    func series(at place: Int) -> Int64 { groups[place].series }

    /// Takes a sample of a Child SA that is known.
    ///
    /// - Returns: whether anything moved since.
    mutating func take(_ counters: Counters, at place: Int) -> Bool {
        groups[place].isPresent = true
        guard groups[place].latest != counters else { return false }
        groups[place].latest = counters
        groups[place].isMoved = true
        return true
    }

    /// Takes the first sample of a Child SA.
    ///
    /// - Parameter series: higher than any before.
    mutating func begin(_ child: ChildID, _ series: Int64, _ counters: Counters) {
        places[child] = groups.count
        groups.append(Group(child: child, series: series, latest: counters))
    }

    /// - Returns: the tick's row.
    mutating func endTick() -> JournalRow {
        var row = JournalRow(.tick)
        var gone = 0
        for place in groups.indices {
            groups[place].isGone = !groups[place].isPresent
            guard groups[place].isPresent else {
                gone += 1
                continue
            }
            row.add(groups[place].series, groups[place].isMoved ? groups[place].latest : nil)
            groups[place].isMoved = false
            groups[place].isPresent = false
        }
        if gone > groups.count / 4 { forgetGone() }
        return row
    }

    private mutating func forgetGone() {
        groups.removeAll(where: \.isGone)
        places.removeAll(keepingCapacity: true)
        for (place, group) in groups.enumerated() { places[group.child] = place }
    }
}
