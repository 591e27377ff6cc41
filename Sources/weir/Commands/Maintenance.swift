import ArgumentParser
import Gateway

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
