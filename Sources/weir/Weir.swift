import ArgumentParser
import Glibc
import Vocabulary

/// Weir's version, everywhere.
let version = "0.1.0"

struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "An IKEv2/IPsec remote-access gateway whose telemetry is the product.",
        discussion: """
            Try it without privileges or configuration:
              weir demo --duration 60s
            Run it:
              weir check -c /etc/weir/weir.yaml
              weir run -c /etc/weir/weir.yaml
            Ask it:
              weir sessions
              weir report capacity --since -30d
              weir query who-held-address --address 10.88.0.7 --at 2026-11-23T03:12:00Z
            Exit status: 0 done, 1 something went wrong, 2 used or configured wrongly.
            """,
        version: version,
        subcommands: [
            Run.self, Check.self, Demo.self, Load.self, Sessions.self, Top.self, Terminate.self,
            Drain.self, Reload.self, Alerts.self, Report.self, Query.self, StoreCommand.self,
            Export.self, Import.self, Records.self, PseudonymOf.self,
        ])
}

@main
enum Main {
    static func main() async {
        ignoreBrokenPipes()
        do {
            var command = try Weir.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            complain(failure.message)
            exit(failure.status)
        } catch {
            let status = Weir.exitCode(for: error)
            let message = Weir.fullMessage(for: error)
            if status == .success {
                if !message.isEmpty { say(message) }
                exit(0)
            }
            if !message.isEmpty { complain(message) }
            exit(status == .validationFailure ? 2 : max(status.rawValue, 1))
        }
    }

    /// `weir … | head` ends without a word.
    private static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_DFL) }
}

/// An end that is not a success: one line for a person, and a status for a script.
struct Failure: Error {
    let message: String
    let status: Int32

    /// Used or configured wrongly.
    static func misuse(_ error: some CustomStringConvertible) -> Self {
        Self(message: error.description, status: 2)
    }

    /// It could not be done.
    static func trouble(_ error: some CustomStringConvertible) -> Self {
        Self(message: "weir: \(error.description)", status: 1)
    }
}

/// Writes whole lines to standard output, at once.
func say(_ text: String) { write(text, to: STDOUT_FILENO) }

func complain(_ text: String) { write(text, to: STDERR_FILENO) }

private func write(_ text: String, to descriptor: Int32) {
    var bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}
