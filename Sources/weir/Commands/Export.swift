import ArgumentParser
import Clocks
import Glibc
import Presentation
import Store
import Transfer
import Vocabulary

enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
    case ndjson, csv, openmetrics
}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what the store holds in a format that other programs read.",
        discussion: """
            ndjson has everything, one flat JSON object to a line; weir import makes the same \
            store of it again. csv has one kind of record. openmetrics has the gateway's figures, \
            pools, Child SAs and imported time series, for promtool tsdb create-blocks-from \
            openmetrics. Identities and addresses come out as the store holds them: as \
            pseudonyms, unless your privacy policy discloses more. The gateway may be running; \
            what it records meanwhile stays out.
            Examples:
              weir export --output weir.ndjson
              weir export --format csv --kind session_closed --since -7d
              weir export --format openmetrics --output weir.om
              weir export --session 019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071
            """)

    @Option(help: "ndjson, csv or openmetrics.") var format = ExportFormat.ndjson

    @Option(
        help: """
            Only this kind of record: an event (weir records), run, tick, pool_sample, \
            child_sample or imported_sample. May be repeated; csv needs exactly one.
            """)
    var kind: [String] = []

    @Option(help: "Only what belongs to this session.") var session: String?

    @Option(
        parsing: .unconditional,
        help: "From this time on: RFC 3339, or such as -7d. Default: everything.")
    var since: String?

    @Option(parsing: .unconditional, help: "Up to this time, excluded.") var until: String?

    @Option(name: [.short, .long], help: "The file to write. Default: standard output.")
    var output: String?

    @OptionGroup var store: StoreOptions

    func run() throws {
        let selection = try selection()
        let csv = format == .csv ? try onlyKind() : nil
        let reader = try store.open()
        do {
            let target = try ExportTarget(output)
            let exporter = Exporter(reader, selection) { bytes throws(TransferError) in
                try target.write(bytes)
            }
            switch (format, csv) {
            case (.ndjson, _): try exporter.exportNDJSON(version: version)
            case (.csv, let kind?): try exporter.exportCSV(kind)
            case (.csv, nil): break
            case (.openmetrics, _): try exporter.exportOpenMetrics()
            }
            try target.finish()
            warn(exporter, reader)
        } catch { throw Failure.trouble(error) }
    }

    private func warn(_ exporter: Exporter, _ reader: StoreReader) {
        if exporter.leftOut > 0 {
            complain(
                "weir: \(exporter.leftOut) samples are left out: the clock stepped back, and"
                    + " OpenMetrics has no second value for a time; ndjson has them all")
        }
        if reader.damagedChunks > 0 {
            complain(
                "weir: \(reader.damagedChunks) chunks of samples are damaged and left out;"
                    + " run: weir store check")
        }
    }

    private func selection() throws -> ExportSelection {
        let known = RecordKind.all.map(\.name) + [RecordKind.importedSample.name]
        if let stranger = kind.first(where: { !known.contains($0) }) {
            throw Failure.misuse(
                "no kind \(visible(stranger)); there are: " + known.joined(separator: ", "))
        }
        if let session, !SessionID.isWellFormed(session) {
            throw Failure.misuse("--session \(visible(session)): expected 36 characters")
        }
        let now = ClockReading.now.wall
        let start = try since.map { try WindowOptions.time($0, option: "--since", now: now) }
        let end = try until.map { try WindowOptions.time($0, option: "--until", now: now) }
        let (from, to) = (start?.nanoseconds ?? .min, end?.nanoseconds ?? .max)
        guard from < to else { throw Failure.misuse("--since must be before --until") }
        return ExportSelection(
            times: start == nil && end == nil ? nil : from..<to,
            kinds: kind.isEmpty ? nil : Set(kind), session: session)
    }

    private func onlyKind() throws -> RecordKind {
        let kinds = (RecordKind.all + [RecordKind.importedSample]).filter { kind.contains($0.name) }
        guard kinds.count == 1, let only = kinds.first else {
            throw Failure.misuse("csv has one table: name it with --kind, such as --kind tick")
        }
        return only
    }
}

/// Where an export goes: standard output, or a file that is there once it is complete.
private final class ExportTarget {
    private let path: String?
    private let descriptor: Int32
    private var written = 0
    private var meter = ProgressMeter()

    private var partial: String? { path.map { $0 + ".partial" } }

    init(_ path: String?) throws(TransferError) {
        self.path = path
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(path + ".partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
    }

    func write(_ bytes: [UInt8]) throws(TransferError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest = rest.dropFirst(count)
        }
        written += bytes.count
        if path != nil { meter.show("\(human(.integer(Int64(written)), .bytes)) written") }
    }

    func finish() throws(TransferError) {
        meter.clear()
        guard let path, let partial else { return }
        guard fsync(descriptor) == 0, close(descriptor) == 0, rename(partial, path) == 0 else {
            throw failure()
        }
    }

    private func failure() -> TransferError {
        .file(path: path ?? "standard output", reason: String(cString: strerror(errno)))
    }
}

/// One line on the terminal that says how far something is; nothing where there is none.
struct ProgressMeter {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown: ContinuousClock.Instant?

    mutating func show(_ text: @autoclosure () -> String) {
        let now = ContinuousClock.now
        guard isTerminal, shown.map({ now - $0 > .milliseconds(200) }) ?? true else { return }
        shown = now
        write("\r\u{1b}[K" + text())
    }

    mutating func clear() {
        if shown != nil { write("\r\u{1b}[K") }
        shown = nil
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
