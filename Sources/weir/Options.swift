import ArgumentParser
import Forensics
import Glibc
import Presentation
import Recorder
import Settings
import Store
import Vocabulary

extension Format: ExpressibleByArgument {}

/// How to print.
struct OutputOptions: ParsableArguments {
    @Option(help: "table, json, ndjson or csv.")
    var format = Format.table

    func show(_ tables: [Table]) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        say(
            render(
                tables, as: format, width: isTerminal ? terminalWidth() : nil,
                colour: isTerminal && getenv("NO_COLOR") == nil, unicode: usesUTF8()))
    }

    func show(_ table: Table) { show([table]) }

    private func usesUTF8() -> Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            if let value = getenv(name) {
                let text = String(cString: value).lowercased()
                if !text.isEmpty { return text.contains("utf-8") || text.contains("utf8") }
            }
        }
        return true
    }
}

func terminalWidth() -> Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
}

/// Which store, and under which policy it was written.
struct StoreOptions: ParsableArguments {
    @Option(help: "The store. Default: the configuration's, else /var/lib/weir/weir.db.")
    var store: String?

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The configuration, for its store and its privacy policy.")
    var config: String?

    private static let defaultStore = "/var/lib/weir/weir.db"

    func configuration() throws -> Configuration? {
        guard let config else { return nil }
        do {
            return try Configuration.load(path: config)
        } catch {
            throw Failure.misuse(error)
        }
    }

    func path() throws -> String {
        if let store { return store }
        return try configuration()?.telemetry.store.value ?? Self.defaultStore
    }

    func open() throws -> StoreReader {
        do {
            return try StoreReader(path: try path())
        } catch let error as StoreError {
            throw Failure.misuse(error)
        }
    }

    /// The policy that clear values in questions are turned into stored ones by: the
    /// configuration's, else pseudonyms under the key that lies beside the store.
    ///
    /// - Parameter creatingKey: makes the key if there is none.
    func policy(creatingKey: Bool = false) throws -> Disclosure {
        let privacy: Configuration.Privacy
        if let configuration = try configuration() {
            privacy = configuration.telemetry.privacy
        } else {
            privacy = .beside(store: try path())
        }
        do {
            let key = try privacy.pseudonymKey(create: creatingKey)
            return privacy.disclosure(
                key.map { KeyedPseudonymiser(key: $0) as any Pseudonymiser } ?? NoPseudonyms())
        } catch {
            throw Failure.misuse(error)
        }
    }
}

/// Stands in where the key is missing: what is asked for by a clear value is then not found.
private struct NoPseudonyms: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):unknown"
    }
}

extension Configuration.Privacy {
    static func beside(store: String) -> Self {
        let folder = store.lastIndex(of: "/").map { String(store[...$0]) } ?? ""
        let file = folder + "pseudonym.key"
        return Self(
            identities: .pseudonym, addresses: .pseudonym, virtualAddresses: .pseudonym,
            key: Located(.file(file), at: Place(file: file), key: "key"))
    }

    func disclosure(_ pseudonymiser: any Pseudonymiser) -> Disclosure {
        Disclosure(
            identities: identities, addresses: addresses, virtualAddresses: virtualAddresses,
            pseudonymiser: pseudonymiser)
    }
}

/// A window of time, `[since, until)`.
struct WindowOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: "The window's start: RFC 3339, or such as -24h, -7d.")
    var since = "-24h"

    @Option(
        parsing: .unconditional, help: "The window's end, excluded: RFC 3339, -1h, or now.")
    var until = "now"

    func window(now: Timestamp) throws -> (since: Timestamp, until: Timestamp) {
        let start = try Self.time(since, option: "--since", now: now)
        let end = try Self.time(until, option: "--until", now: now)
        guard start < end else {
            throw Failure.misuse("--since must be before --until")
        }
        return (start, end)
    }

    static func time(_ text: String, option: String, now: Timestamp) throws -> Timestamp {
        guard let time = TimeText.parse(text, now: now) else {
            throw Failure.misuse("\(option) \(visible(text)): expected \(TimeText.expected)")
        }
        return time
    }
}

/// A span such as `90s`, `10m`, `1h`.
struct Span: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let unit = argument.last, let number = Int64(argument.dropLast()),
            (1...1_000_000).contains(number)
        else { return nil }
        switch unit {
        case "s": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        case "h": duration = .seconds(number * 3_600)
        default: return nil
        }
    }

    var defaultValueDescription: String { "\(Int(duration.seconds))s" }
}
