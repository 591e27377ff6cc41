import Interchange
import Store
import Vocabulary

/// What the members of a line of NDJSON are called: as the columns, but for a column `kind`, since
/// a record has that member already.
enum Member {
    static func name(of column: String) -> String { column == "kind" ? "of_kind" : column }
    static func column(of name: String) -> String { name == "of_kind" ? "kind" : name }
}

/// A line of NDJSON, before it is known what it says.
struct ImportedRecord {
    private let kind: String
    private let members: [String: Datum]

    init(_ object: FlatObject) throws(ImportError) {
        guard case .text(let kind)? = object["kind"] else {
            throw .refused("no kind; every line says what it is, as \"kind\":\"session_closed\"")
        }
        self.kind = kind
        members = Dictionary(
            object.members.filter { $0.name != "kind" }
                .map { (Member.column(of: $0.name), $0.value) }
        ) { first, _ in first }
    }

    func take(into store: StoreImporter, under policy: Disclosure) throws(ImportError) {
        switch kind {
        case "weir_export": try checkHeader()
        case "run": try store.take(run: members)
        case "tick": try store.take(tick: members)
        case "pool_sample": try store.take(pool: members)
        case "child_sample": try store.take(childSample: members)
        case RecordKind.importedSample.name:
            throw .refused(
                "imported_sample comes by OpenMetrics; export it as --format openmetrics")
        default:
            guard let event = Catalogue.events.first(where: { $0.name == kind }) else {
                throw .refused(
                    "unknown kind \(escaped(Array(kind.utf8.prefix(64)))); see weir records")
            }
            try take(event, into: store, under: policy)
        }
    }

    private func checkHeader() throws(ImportError) {
        guard case .integer(let format)? = members["format"], format <= Exporter.format else {
            throw .refused(
                "exported by a newer Weir; this one reads format \(Exporter.format), use that Weir")
        }
    }

    /// Without `run` it is of a run that the file does not name; without `mono_ns` the wall clock
    /// stands in for the monotonic one.
    private func take(
        _ event: EventKind, into store: StoreImporter, under policy: Disclosure
    ) throws(ImportError) {
        var fields = members
        let times = ["run", "at_ns", "mono_ns"].map { fields.removeValue(forKey: $0) }
        var numbers: [Int64?] = []
        for (name, time) in zip(["run", "at_ns", "mono_ns"], times) {
            switch time {
            case .integer(let number)? where number >= 0: numbers.append(number)
            case nil, .null?: numbers.append(nil)
            default: throw .refused("field \(name) is no count")
            }
        }
        guard let at = numbers[1] else {
            throw .refused("no at_ns; every event has its time, in nanoseconds since 1970")
        }
        let time = ImportedTime(
            run: numbers[0] ?? StoreImporter.unnamedRun, at: at, instant: numbers[2] ?? at)
        let disclosed: DisclosedEvent
        do throws(ReadmissionError) {
            disclosed = try event.readmitted(fields, under: policy)
        } catch { throw .refused(error.description) }
        try store.take(disclosed, time)
    }
}
