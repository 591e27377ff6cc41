import ArgumentParser
import Clocks
import Gateway
import Glibc
import Vocabulary

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch sessions and rates.",
        discussion: """
            On a terminal: q ends it, the arrows left and right choose the column to sort by, r \
            reverses, / filters, the arrows up and down scroll, p pauses. In a pipe it takes two \
            looks, an interval apart, prints them once and ends.
            Examples:
              weir top
              weir top --interval 5s | head
            """)

    @OptionGroup var control: ControlOptions

    @Option(help: "Between two looks.")
    var interval = Span(.seconds(2))

    func run() throws {
        var view = TopView()
        try look(&view)
        guard let terminal = Terminal() else {
            usleep(useconds_t(min(interval.duration.seconds, 3_600) * 1e6))
            try look(&view)
            say(view.plain())
            return
        }
        // Given back before an error is told, too.
        defer { terminal.giveBack() }
        watch(&view, on: terminal)
    }

    private func watch(_ view: inout TopView, on terminal: Terminal) {
        var next = SystemClock.now + interval.duration
        while true {
            let height = terminalHeight() ?? 24
            terminal.draw(view.lines(width: terminalWidth() ?? 80, height: height))
            let left = (next - SystemClock.now).seconds
            switch terminal.wait(milliseconds: Int32(min(max(left, 0), 3_600) * 1_000)) {
            case .end: return
            case .keys(let keys): if !view.press(keys, height: height) { return }
            case .nothing: break
            }
            guard SystemClock.now >= next else { continue }
            next = SystemClock.now + interval.duration
            guard !view.isPaused else { continue }
            do {
                try look(&view)
            } catch {
                view.fail((error as? Failure)?.message ?? "\(error)")
            }
        }
    }

    private func look(_ view: inout TopView) throws {
        guard let status = try control.ask(ControlRequest(.status)).status else {
            throw Failure.trouble(
                "the gateway does not tell its state; restart it after an upgrade")
        }
        let sessions = try control.ask(ControlRequest(.sessions)).sessions ?? []
        view.take(status, sessions, at: SystemClock.now)
    }
}
