import ArgumentParser
import Clocks
import Gateway
import Glibc
import Presentation
import Vocabulary

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the running gateway read its configuration again.",
        discussion: """
            Sessions stay, and keep the terms that they began with; logins from now on follow the \
            new configuration. Shows what changed. A configuration with a mistake, or with a \
            change that needs a restart, is refused whole, and the old one stays.
            Example:
              weir check && weir reload
            """)

    @OptionGroup var control: ControlOptions

    func run() throws {
        let changes = try control.ask(ControlRequest(.reload)).reloaded ?? []
        say(changes.isEmpty ? "nothing has changed" : changes.joined(separator: "\n"))
    }
}

struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Empty the running gateway for maintenance.",
        discussion: """
            Nobody new is let in: readiness turns to 503, and clients that follow redirects \
            (RFC 5685) are sent to the gateways that --to names, as are the sessions that there \
            are. What is left at the deadline is deleted. Shows how far it is until nobody is \
            left; Ctrl-C ends the watching, not the drain. The gateway lets nobody in until \
            --cancel or a restart.
            Examples:
              weir drain --to gw2.example.org --deadline 10m && systemctl stop weir
              weir drain --format ndjson
              weir drain --cancel
            """)

    @Option(help: "When to delete what is left, such as 90s, 10m. Default: gateway.drain.deadline.")
    var deadline: Span?

    @Option(
        help: """
            A gateway to go to, an address or a domain name; may be repeated. Default: \
            gateway.drain.to.
            """)
    var to: [String] = []

    @Flag(help: "Let users in again.")
    var cancel = false

    @Flag(help: "Begin, and don't watch.")
    var noWait = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard !cancel || (deadline == nil && to.isEmpty && !noWait) else {
            throw ValidationError("--cancel takes no other option")
        }
    }

    func run() throws {
        if cancel {
            _ = try control.ask(ControlRequest(.cancelDrain))
            return
        }
        let order = ControlRequest(
            .drain, deadline: deadline.map { UInt32(clamping: Int64($0.duration.seconds)) },
            to: to.isEmpty ? nil : to)
        guard let begun = try control.ask(order).drain else {
            throw Failure.trouble("the gateway does not drain; restart it after an upgrade")
        }
        var view = DrainView(output: output)
        view.show(begun)
        if !noWait { view.finish(try watch(from: begun, in: &view)) }
    }

    /// - Returns: the last state, with nobody left.
    private func watch(
        from begun: ControlReply.Drain, in view: inout DrainView
    ) throws -> ControlReply.Drain {
        var progress = begun
        while progress.left > 0 {
            usleep(250_000)
            guard let next = try control.ask(ControlRequest(.status)).status?.drain else {
                view.finish(progress)
                throw Failure.trouble("somebody has cancelled the drain")
            }
            progress = next
            view.show(progress)
        }
        return progress
    }
}

/// Shows how far a drain is: a bar on a terminal, else a line for each change; in other formats
/// the rows that they have room for.
private struct DrainView {
    private static let width = 30

    let output: OutputOptions
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var shown: ControlReply.Drain?

    init(output: OutputOptions) { self.output = output }

    mutating func show(_ progress: ControlReply.Drain) {
        defer { shown = progress }
        switch output.format {
        case .table where isTerminal: draw("\r\u{1b}[K" + bar(progress))
        case .table where shown?.left != progress.left: say(line(progress))
        case .ndjson where shown?.left != progress.left: output.show(table(progress))
        default: break
        }
    }

    /// The last word.
    func finish(_ progress: ControlReply.Drain) {
        switch output.format {
        case .table:
            if isTerminal { say("") }
            if progress.left == 0 { say("nobody is left") }
        case .ndjson: break
        case .json, .csv: output.show(table(progress))
        }
    }

    private func line(_ progress: ControlReply.Drain) -> String {
        "\(progress.left) of \(progress.sessions) sessions left, "
            + "deadline in \(progress.remaining) s"
    }

    private func bar(_ progress: ControlReply.Drain) -> String {
        let gone = max(progress.sessions - progress.left, 0)
        let full = progress.sessions > 0 ? Self.width * gone / progress.sessions : Self.width
        return "[" + String(repeating: "#", count: full)
            + String(repeating: "-", count: Self.width - full) + "] " + line(progress)
    }

    private func table(_ progress: ControlReply.Drain) -> Table {
        Table(
            columns: [
                Column("sessions", .count), Column("left", .count),
                Column("remaining_s", .count), Column("to", .text),
            ],
            rows: [
                [
                    .integer(Int64(progress.sessions)), .integer(Int64(progress.left)),
                    .integer(progress.remaining), .text(progress.to.joined(separator: ", ")),
                ]
            ])
    }

    private func draw(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
