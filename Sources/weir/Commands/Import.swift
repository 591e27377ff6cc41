import ArgumentParser
import Presentation
import Recorder
import Settings
import Store
import Transfer
import Vocabulary

extension Importer.Format: ExpressibleByArgument {}

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read records or time series of files into a store.",
        discussion: """
            Takes NDJSON of weir export or of other makers, and OpenMetrics text with timestamps, \
            series by series or scrape by scrape; time series are in the table imported_samples \
            then. Clear identities and addresses go through the privacy policy on the way in. A \
            file that was imported before is not imported again, whatever its name; after an \
            interruption the same command goes on where it was. The gateway must not be running \
            on that store.
            Examples:
              weir export --output old.ndjson && weir import old.ndjson --store new.db
              weir import metrics.om --store new.db
              weir import federated.txt --format prometheus --store new.db
            """)

    @Argument(help: "The files, in the order of time.") var files: [String]

    @Option(
        help: """
            ndjson, openmetrics (times in seconds, # EOF at its end), or prometheus (the older \
            format: times in milliseconds). Default: by the file's first byte.
            """)
    var format: Importer.Format?

    @Option(help: "Lines in a transaction; they wait in memory.")
    var batch: Int64 = 200_000

    @OptionGroup var store: StoreOptions

    func validate() throws {
        guard (1...10_000_000).contains(batch) else {
            throw ValidationError("--batch 1 to 10000000")
        }
    }

    func run() throws {
        let path = try store.path()
        let policy = try store.policy(creatingKey: true)
        let target: StoreImporter
        do { target = try StoreImporter(path: path) } catch { throw Failure.misuse(error) }
        defer { target.close() }
        for file in files { try take(file, into: target, policy) }
    }

    private func take(
        _ file: String, into target: StoreImporter, _ policy: Disclosure
    ) throws {
        var meter = ProgressMeter()
        let importer = Importer(into: target, policy: policy, batch: batch) { progress in
            let share = progress.size > 0 ? 100 * progress.bytes / progress.size : 100
            meter.show("\(visible(file)): \(share)%, \(progress.lines) lines")
        }
        do {
            let done = try importer.take(path: file, as: format)
            meter.clear()
            let new = done.lines - done.resumed
            say(
                "\(visible(file)): \(new) lines imported"
                    + (done.resumed > 0 ? ", \(done.resumed) were before" : ""))
        } catch {
            meter.clear()
            target.close()
            switch error {
            case .line(_, let line, _):
                complain(visible(error.description))
                throw Failure(
                    message: "weir: lines before \(line) are in the store; correct that line and"
                        + " run this again", status: 1)
            case .store, .file: throw Failure.trouble(error)
            }
        }
    }
}
