import ArgumentParser
import Gateway
import Presentation
import Vocabulary

struct ControlOptions: ParsableArguments {
    @Option(help: "The control socket of the running gateway.")
    var control = "/run/weir/control.sock"

    func ask(_ request: ControlRequest) throws(Failure) -> ControlReply {
        do throws(ControlError) {
            return try ControlClient.request(request, path: control)
        } catch {
            throw .trouble(error)
        }
    }
}

struct Sessions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List who is logged in now.",
        discussion: """
            Asks the running gateway. Users and addresses are shown as its privacy policy has it.
            Examples:
              weir sessions
              weir sessions --format json | jq '.rows[].identity'
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        output.show(sessionTable(try control.ask(ControlRequest(.sessions)).sessions ?? []))
    }
}

func sessionTable(_ sessions: [ControlReply.Session]) -> Table {
    func text(_ value: String?) -> Datum { value.map(Datum.text) ?? .null }
    func count(_ value: UInt64) -> Datum { .integer(Int64(clamping: value)) }
    return Table(
        columns: [
            Column("identity", .text), Column("connection", .text), Column("address", .text),
            Column("source", .text), Column("since", .text), Column("bytes_in", .bytes),
            Column("packets_in", .count), Column("bytes_out", .bytes),
            Column("packets_out", .count), Column("ike_suite", .text),
            Column("esp_suite", .text), Column("session", .text),
        ],
        rows: sessions.map { session in
            [
                text(session.identity), .text(session.connection), text(session.virtualAddress),
                text(session.source), .text(session.established), count(session.bytesIn),
                count(session.packetsIn), count(session.bytesOut), count(session.packetsOut),
                .text(session.ikeSuite), text(session.espSuite), .text(session.session),
            ]
        })
}

struct Terminate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log a session out.",
        discussion: """
            Tells the peer and closes its tunnels. `weir sessions` lists the sessions' names.
            Example:
              weir terminate 019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071
            """)

    @Argument(help: "The session.")
    var session: String

    @OptionGroup var control: ControlOptions

    func run() throws {
        let reply = try control.ask(ControlRequest(.terminate, session: session))
        guard reply.terminated == true else {
            throw Failure.trouble("no session \(visible(session)); `weir sessions` lists them")
        }
    }
}
