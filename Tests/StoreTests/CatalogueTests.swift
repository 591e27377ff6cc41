import SQLite
import Store
import TestFiles
import Testing
import Vocabulary

/// The tables are made from the vocabulary: what it can say, the store can hold.
@Suite("Every kind of event")
struct CatalogueTests {
    private static func disclose(_ event: some Event, _ policy: Disclosure) -> DisclosedEvent {
        event.disclosed(under: policy)
    }

    private static let policies = Disclosure.Treatment.allCases.map {
        Disclosure(
            identities: $0, addresses: $0, virtualAddresses: $0, pseudonymiser: PlainPseudonyms())
    }

    @Test("comes back as it was recorded", arguments: Catalogue.events.indices)
    func roundTrips(_ index: Int) throws {
        let kind = Catalogue.events[index]
        let folder = try Folder()
        let store = try folder.open()
        let events = Self.policies.map { Self.disclose(kind.example, $0) }
        try store.append(
            events: events.map {
                RecordedEvent(at: .seconds(5), instant: Instant(nanoseconds: .max), event: $0)
            }, ticks: [])

        let names = kind.fields.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let rows = try folder.read().rows(
            "SELECT id, run, at_ns, mono_ns, \(names) FROM \(kind.name) ORDER BY id"
        ).rows
        #expect(rows.map { Array($0.dropFirst(4)) } == events.map(\.values))
        #expect(rows.map { $0[0] } == (1...4).map { .integer($0) })
        #expect(rows.allSatisfy { $0[1] == .integer(1) })
        #expect(rows.allSatisfy { $0[2] == .integer(1_795_000_005_000_000_000) })
        #expect(rows.allSatisfy { $0[3] == .integer(.max) })
    }

    @Test("is in the timeline with all its fields", arguments: Catalogue.events.indices)
    func isInTheTimeline(_ index: Int) throws {
        let kind = Catalogue.events[index]
        let folder = try Folder()
        let store = try folder.open()
        let event = Self.disclose(kind.example, policy)
        try store.append(
            events: [
                RecordedEvent(at: .seconds(5), instant: Instant(nanoseconds: 1), event: event)
            ],
            ticks: [])

        let fields = kind.fields.map {
            "json_extract(fields, '$.\($0.name)')"
        }.joined(separator: ", ")
        let row = try #require(
            try folder.read().rows("SELECT kind, session, \(fields) FROM events").rows.first)
        #expect(row[0] == .text(kind.name))
        #expect(Array(row.dropFirst(2)) == event.values)
        let session = zip(kind.fields, event.values).first { $0.0.name == "session" }
        #expect(row[1] == session?.1 ?? .null)
    }

    @Test("has a strict table with an index by time, and by session if it has one")
    func tables() throws {
        let folder = try Folder()
        _ = try folder.open()
        let connection = try folder.read().connection
        for kind in Catalogue.events {
            let strict = try connection.value(
                "SELECT strict FROM pragma_table_list WHERE name = ?", [.text(kind.name)])
            #expect(strict == 1, "\(kind.name)")
            let indexes = try connection.rows(
                "SELECT name FROM pragma_index_list(?)", [.text(kind.name)]
            ) { $0.text(0) ?? "" }
            #expect(indexes.contains("\(kind.name)_by_at_ns"))
            let hasSession = kind.fields.contains { $0.name == "session" }
            #expect(indexes.contains("\(kind.name)_by_session") == hasSession)
        }
    }

    @Test("ids are one sequence over all kinds and runs, in the order of recording")
    func ids() throws {
        let folder = try Folder()
        let first = try folder.open()
        try first.append(
            events: [
                RecordedEvent(GatewayStarted.example, at: 1), RecordedEvent(granted(1), at: 1),
            ],
            ticks: [])
        try first.append(events: [RecordedEvent(released(1), at: 2)], ticks: [])
        first.close()
        let second = try folder.open(at: 3)
        try second.append(events: [RecordedEvent(GatewayStarted.example, at: 3)], ticks: [])

        let rows = try folder.read().rows("SELECT id, kind, run FROM events ORDER BY id").rows
        #expect(
            rows == [
                [.integer(1), .text("gateway_started"), .integer(1)],
                [.integer(2), .text("lease_granted"), .integer(1)],
                [.integer(3), .text("lease_released"), .integer(1)],
                [.integer(4), .text("gateway_started"), .integer(2)],
            ])
    }
}
