import Recorder
import Store
import TestFiles
import Testing
import Transfer
import Vocabulary

@Suite("Import of records")
struct ImportTests {
    private let folder: Folder
    private let session = SessionID.example.description

    init() throws { folder = try Folder() }

    private var store: String { folder("s.db") }

    private func raw(_ identity: String, _ source: String = "192.0.2.7") -> String {
        """
        {"kind":"session_established","at_ns":1795000000000000000,"session":"\(session)",\
        "identity":"\(identity)","source":"\(source)"}

        """
    }

    @Test("after any interruption it goes on: no line twice, none lost")
    func resume() throws {
        try History.write(to: folder("original.db"), ticks: 41)
        let text = try ndjson(folder("original.db"))
        let file = try folder.write(text, to: "export.ndjson")
        var calls = 0
        var isOver = false
        while !isOver, calls < 100 {
            calls += 1
            let target = try StoreImporter(path: store)
            var blocks = 0
            // Each call ends after so many blocks, most of them within a batch, as if killed.
            let importer = Importer(
                into: target, policy: policy, batch: 15, block: 4_000
            ) { _ throws(TransferError) in
                blocks += 1
                if blocks == 4 { throw .file(path: "", reason: "interrupted") }
            }
            do {
                let done = try importer.take(path: file, as: nil)
                #expect(done.lines == text.split(separator: "\n").count)
                isOver = true
            } catch {
                #expect(error == .file(path: "", reason: "interrupted"))
            }
            target.close()
        }
        #expect(isOver && calls > 5)
        #expect(
            try ndjson(store).split(separator: "\n").sorted()
                == text.split(separator: "\n").sorted())
    }

    @Test("a file is imported once, whatever its name; what was added to it is imported, too")
    func once() throws {
        let first = try folder.write(raw("alice@example.org"), to: "a.ndjson")
        #expect(try imported(first, into: store).lines == 1)
        let copy = try folder.write(raw("alice@example.org"), to: "b.ndjson")
        let again = try imported(copy, into: store)
        #expect((again.lines, again.resumed) == (1, 1))
        let longer = try folder.write(
            raw("alice@example.org") + raw("bob@example.org"), to: "c.ndjson")
        #expect(try imported(longer, into: store).lines == 2)
        let other = try folder.write(raw("carol@example.org"), to: "a.ndjson")
        #expect(try imported(other, into: store).resumed == 0)
        #expect(
            try StoreReader(path: store).all("SELECT count(*) FROM session_established")
                == [[.integer(3)]])
    }

    struct Redaction: Sendable {
        let treatment: Disclosure.Treatment
        let identity: String
        let source: String
        let keptIdentity: String?
        let keptSource: String?

        init(
            _ treatment: Disclosure.Treatment, _ identity: String, _ source: String,
            _ keptIdentity: String?, _ keptSource: String?
        ) {
            self.treatment = treatment
            self.identity = identity
            self.source = source
            self.keptIdentity = keptIdentity
            self.keptSource = keptSource
        }
    }

    private static let alice = pseudonyms.pseudonym(
        of: Array("alice@example.org".utf8), for: .identity)
    private static let address = pseudonyms.pseudonym(of: [192, 0, 2, 7], for: .address)
    private static let escaped = pseudonyms.pseudonym(of: Array("aa".utf8), for: .identity)

    static let redactions = [
        Redaction(.pseudonym, "Alice@example.org", "192.0.2.7", alice, address),
        Redaction(.clear, "alice@example.org", "192.0.2.7", "alice@example.org", "192.0.2.7"),
        Redaction(.prefix, "alice@example.org", "192.0.2.7", "@example.org", "192.0.2.0/24"),
        Redaction(.omit, "alice@example.org", "192.0.2.7", nil, nil),
        // What is a pseudonym already stays one, unless the policy has less than that.
        Redaction(
            .pseudonym, "id:o42kdvyxgy4sfjgw", "addr:o42kdvyxgy4sfjgw", "id:o42kdvyxgy4sfjgw",
            "addr:o42kdvyxgy4sfjgw"),
        Redaction(.prefix, "id:o42kdvyxgy4sfjgw", "addr:o42kdvyxgy4sfjgw", nil, nil),
        Redaction(.omit, "id:o42kdvyxgy4sfjgw", "192.0.2.0/24", nil, nil),
        Redaction(.pseudonym, "@example.org", "192.0.2.0/24", "@example.org", "192.0.2.0/24"),
        Redaction(.pseudonym, "a\\\\x41", "2001:db8::/48", escaped, "2001:db8::/48"),
    ]

    @Test("clear values go through the policy in force", arguments: redactions)
    func redaction(_ example: Redaction) throws {
        var policy = policy
        policy.identities = example.treatment
        policy.addresses = example.treatment
        let file = try folder.write(raw(example.identity, example.source), to: "raw.ndjson")
        try imported(file, into: store, under: policy)
        let row = try StoreReader(path: store).all(
            "SELECT identity, source FROM session_established")
        let kept = [example.keptIdentity, example.keptSource]
        #expect(row == [kept.map { $0.map { .text($0) } ?? .null }])
    }

    @Test(
        "what can't be taken is named by file and line, and what is before it is in the store",
        arguments: [
            (#"{"kind":"nonsense","at_ns":1}"#, "unknown kind nonsense"),
            (#"{"kind":"gateway_started","at_ns":1,"colour":"red"}"#, "no field colour"),
            (#"{"kind":"gateway_started","at_ns":1,"version":5}"#, "field version is no text"),
            (#"{"kind":"gateway_started","version":"1"}"#, "no at_ns"),
            (#"{"kind":"gateway_started","at_ns":-5}"#, "at_ns is no count"),
            (#"{"kind":"session_closed","at_ns":1,"session":"x"}"#, "session id"),
            (#"{"kind":"session_closed","at_ns":1,"bytes_in":-1}"#, "negative"),
            (#"{"kind":"address_changed","at_ns":1,"old":"nowhere"}"#, ""),
            (#"{"kind":"tick","run":1,"at_ns":1}"#, "is missing"),
            (#"{"kind":"pool_sample","run":1,"at_ns":1,"pool":"p","size":1,"used":"x"}"#, "used"),
            (#"{"kind":"child_sample","run":1,"at_ns":1,"child":1}"#, "session id"),
            (#"{"kind":"run","run":1}"#, "is missing"),
            (#"{"kind":"weir_export","format":99}"#, "newer Weir"),
            (#"{"kind":"imported_sample"}"#, "OpenMetrics"),
            (#"{"at_ns":1}"#, "no kind"), ("nonsense", "flat JSON"),
            (#"{"kind":{}}"#, "flat"), (String(repeating: "x", count: 70_000), "longer than"),
        ])
    func refusals(_ line: String, _ reason: String) throws {
        let file = try folder.write(raw("alice@example.org") + line + "\n", to: "bad.ndjson")
        do {
            try imported(file, into: store, as: .ndjson)
            Issue.record("it was taken")
        } catch let error as TransferError {
            #expect(error.description.hasPrefix("\(file):2: "))
            #expect(error.description.contains(reason), "\(error)")
        }
        #expect(
            try StoreReader(path: store).all("SELECT count(*) FROM events") == [[.integer(1)]])
        // Corrected, the same command goes on.
        let good = try folder.write(
            raw("alice@example.org") + raw("bob@example.org"), to: "bad.ndjson")
        #expect(try imported(good, into: store).resumed == 1)
    }

    @Test("a store's own runs are not imported into it")
    func own() throws {
        try History.write(to: store, ticks: 5)
        let file = try folder.write(try ndjson(store), to: "own.ndjson")
        #expect(throws: TransferError.self) { try imported(file, into: store) }
    }

    @Test("a gateway's history comes into another gateway's store beside its own")
    func beside() throws {
        try History.write(to: store, ticks: 30)
        let own = try StoreReader(path: store).sorted("SELECT * FROM child_samples")
        try History.write(to: folder("other.db"), ticks: 30)
        // Another gateway has another boot id; here only that tells their runs apart.
        let text = try ndjson(folder("other.db")).replacing("\"boot-", with: "\"other-")
        try imported(try folder.write(text, to: "other.ndjson"), into: store)
        let reader = try StoreReader(path: store)
        #expect(try reader.all("SELECT run FROM runs ORDER BY run").count == 4)
        #expect(try reader.sorted("SELECT * FROM child_samples WHERE run <= 2") == own)
        #expect(try reader.check() == [])
    }

    @Test("a missing file, a folder, and a running gateway are refused")
    func unfit() throws {
        #expect(throws: TransferError.self) { try imported(folder("none"), into: store) }
        #expect(throws: TransferError.self) { try imported(folder.path, into: store) }
        let gateway = try Store(
            path: store, version: "0.1.0", at: Timestamp(nanoseconds: 0), bootID: "boot")
        defer { gateway.close() }
        #expect(throws: StoreError.self) { try StoreImporter(path: store) }
    }
}
