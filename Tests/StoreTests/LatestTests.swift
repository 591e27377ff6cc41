import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// `series_last`, which a tick of many Child SAs writes only a part of.
@Suite("The latest counters")
struct LatestTests {
    let folder: Folder
    let store: Store
    private static let count: UInt64 = 300

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    /// All Child SAs but those of `gone` have carried so much.
    private func tick(_ total: UInt64, at second: Int64, without gone: Set<UInt64> = []) throws {
        let children = (1...Self.count).filter { !gone.contains($0) }
        try store.append(
            events: [],
            ticks: [
                RecordedTick(
                    at: second, children: children.map { sample($0, child: $0, total + $0) })
            ])
    }

    /// How many Child SAs have which latest packets, less their number.
    private func latest(in folder: Folder) throws -> [Int64: Int64] {
        let rows = try folder.read().rows(
            "SELECT packets_in - child, count(*) FROM child_last GROUP BY 1 ORDER BY 1"
        ).rows
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                guard case .integer(let packets) = row[0], case .integer(let count) = row[1] else {
                    return (-1, 0)
                }
                return (packets, count)
            })
    }

    @Test("each has its turn within a few ticks")
    func turns() throws {
        for second in 1...4 as ClosedRange<Int64> { try tick(10, at: second) }
        #expect(try latest(in: folder) == [10: 256])
        try tick(20, at: 5)
        #expect(try latest(in: folder) == [10: 256, 20: 44])
        for second in 6...9 as ClosedRange<Int64> { try tick(20, at: second) }
        #expect(try latest(in: folder) == [20: 300])
    }

    @Test("one that ends is told with its end, so that what came after its last sample is right")
    func ends() throws {
        try tick(10, at: 1)
        try store.append(
            events: [RecordedEvent(childClosed(300, child: 300, 315), at: 2)], ticks: [])
        #expect(try latest(in: folder) == [10: 65])
        #expect(
            try folder.read().rows(
                """
                SELECT packets_in FROM traffic_between(\(Timestamp.seconds(2).nanoseconds),
                       \(Timestamp.seconds(3).nanoseconds))
                """
            ).rows == [[.integer(5)]])
        // One that is gone without a word.
        try tick(20, at: 3, without: [299, 300])
        #expect(try latest(in: folder) == [10: 66, 20: 64])
    }

    @Test("are all there after a crash, and after a stop")
    func afterwards() throws {
        for second in 1...3 as ClosedRange<Int64> { try tick(UInt64(second) * 10, at: second) }
        let crashed = try folder.afterCrash()
        #expect(try latest(in: crashed) == [10: 64, 20: 64, 30: 64])
        try crashed.open().close()
        #expect(try latest(in: crashed) == [30: 300])
        store.close()
        #expect(try latest(in: folder) == [30: 300])
    }

    @Test("never go back where the journal is damaged")
    func damaged() throws {
        for second in 1...5 as ClosedRange<Int64> { try tick(UInt64(second) * 10, at: second) }
        // Some of the fifth tick's are stored, and the tick itself is not to be read any more.
        try store.connection.execute(
            "UPDATE journal SET data = x'00' WHERE id = (SELECT max(id) FROM journal)")
        let before = try latest(in: folder)
        #expect(before[50] != nil)
        let crashed = try folder.afterCrash()
        try crashed.open().close()
        let after = try latest(in: crashed)
        #expect(after[50] == before[50])
        #expect(after[40] == 300 - (before[50] ?? 0))
    }

    @Test("a fold forgets the ended and keeps the others")
    func folded() throws {
        for second in 1...3 as ClosedRange<Int64> {
            try tick(UInt64(second) * 10, at: second, without: second == 3 ? [1] : [])
        }
        try store.append(events: [RecordedEvent(childClosed(1, child: 1, 99), at: 4)], ticks: [])
        try store.fold()
        let crashed = try folder.afterCrash()
        try crashed.open().close()
        #expect(try latest(in: crashed) == [30: 299])
    }
}
