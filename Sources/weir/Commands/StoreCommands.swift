import ArgumentParser
import Presentation
import Store
import Vocabulary

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Check, copy and tidy up the store.",
        discussion: """
            Examples:
              weir store check
              weir store stats --format json
              weir store backup /backup/weir.db
              weir store compact --store old.db
              weir store hold list
            """,
        subcommands: [CheckStore.self, Stats.self, Backup.self, Compact.self, HoldCommand.self])

    struct CheckStore: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read every page and every sample, and make the sums anew.",
            discussion: "Status 1 if something is damaged. The gateway may be running.")

        @OptionGroup var store: StoreOptions

        func run() throws {
            let reader = try store.open()
            let problems: [String]
            var notes: [String] = []
            do { problems = try reader.check { notes.append($0) } } catch {
                throw Failure.trouble(error)
            }
            guard problems.isEmpty else {
                throw Failure(message: (problems + notes).joined(separator: "\n"), status: 1)
            }
            for note in notes { say(note) }
            say("nothing is damaged")
        }
    }

    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count what is in the store, and how much space it takes.")

        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let reader = try store.open()
            do {
                let figures = try reader.statistics()
                output.show(
                    Table(
                        columns: [Column("name", .text), Column("value", .count)],
                        rows: figures.map { [.text($0.name), .integer($0.value)] }))
            } catch { throw Failure.trouble(error) }
        }
    }

    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the store to a new file, also while the gateway writes.")

        @Argument(help: "The new file.") var target: String
        @OptionGroup var store: StoreOptions

        func run() throws {
            let reader = try store.open()
            do { try reader.backup(to: target) } catch { throw Failure.trouble(error) }
        }
    }

    struct Compact: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the store's free space back. The gateway must not be running.")

        @OptionGroup var store: StoreOptions

        func run() throws {
            let path = try store.path()
            do {
                let sizes = try StoreCare.compact(path: path)
                say("\(sizes.before) bytes before, \(sizes.after) after")
            } catch { throw Failure.trouble(error) }
        }
    }
}
