import ArgumentParser
import Clocks
import Presentation
import Store
import Vocabulary

struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep what a case needs, whatever its age.",
        discussion: """
            What a hold covers is never deleted for its age. The gateway may be running; it \
            records each hold and each release.
            Examples:
              weir store hold add --session 019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071 --reason "case 7"
              weir store hold add --identity alice@example.org --since -90d --reason "case 8"
              weir store hold list
              weir store hold release 1
            """,
        subcommands: [Add.self, List.self, Release.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Place a hold; prints its number. Without a session or a user, of all.")

        @Option(help: "A session.") var session: String?
        @Option(help: "A user and the user's sessions; clear, or as the store shows it.")
        var identity: String?
        @Option(
            parsing: .unconditional,
            help: "The window's start: RFC 3339, or such as -90d. Default: from the beginning.")
        var since: String?
        @Option(
            parsing: .unconditional,
            help: "The window's end, excluded. Default: for ever.")
        var until: String?
        @Option(help: "Why, for whoever reads the list.") var reason: String
        @OptionGroup var store: StoreOptions

        func run() throws {
            let now = ClockReading.now.wall
            let start = try since.map { try WindowOptions.time($0, option: "--since", now: now) }
            let end = try until.map { try WindowOptions.time($0, option: "--until", now: now) }
            if let start, let end, start >= end {
                throw Failure.misuse("--since must be before --until")
            }
            guard (1...1_000).contains(reason.utf8.count) else {
                throw Failure.misuse("--reason: expected 1 to 1000 bytes")
            }
            let scope = try scope()
            let path = try store.path()
            do {
                let number = try Holds.place(
                    path: path, scope, since: start, until: end, reason: reason, at: now)
                say("\(number)")
            } catch { throw Failure.trouble(error) }
        }

        private func scope() throws -> Holds.Scope {
            switch (session, identity) {
            case (nil, nil): return .time
            case (let session?, nil):
                guard session.utf8.count == 36 else {
                    throw Failure.misuse("--session: expected a session's id of 36 characters")
                }
                return .session(session)
            case (nil, let identity?): return .identity(try stored(identity))
            default: throw Failure.misuse("--session or --identity, not both")
            }
        }

        /// As the privacy policy has the store keep it.
        private func stored(_ identity: String) throws -> String {
            let policy = try store.policy()
            switch policy.treatment(of: .identity) {
            case .pseudonym where identity.hasPrefix(Purpose.identity.rawValue + ":"):
                return identity
            case .prefix where identity.hasPrefix("@"): return identity
            default: break
            }
            guard !identity.isEmpty, case .text(let name) = policy.disclose(Identity(identity))
            else {
                throw Failure.misuse(
                    "--identity: the privacy policy omits it from the store; hold by session")
            }
            return name
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all holds ever placed.")

        @OptionGroup var store: StoreOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let reader = try store.open()
            do {
                let rows = try reader.rows(
                    """
                    SELECT id, placed_ns, released_ns, session, identity, since_ns, until_ns, reason
                      FROM holds ORDER BY id
                    """)
                output.show(
                    Table(
                        columns: [
                            Column("hold", .count), Column("placed", .timestamp),
                            Column("released", .timestamp, absent: "active"),
                            Column("session", .text), Column("identity", .text),
                            Column("since", .timestamp), Column("until", .timestamp),
                            Column("reason", .text),
                        ], rows: rows.rows))
            } catch { throw Failure.trouble(error) }
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Release a hold: what it covered may go by its age again.")

        @Argument(help: "The hold's number.") var number: Int64
        @OptionGroup var store: StoreOptions

        func run() throws {
            let path = try store.path()
            do {
                try Holds.release(path: path, number: number, at: ClockReading.now.wall)
            } catch { throw Failure.trouble(error) }
        }
    }
}
