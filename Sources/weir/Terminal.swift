import Glibc
import Synchronization

/// The last signal that came while a ``Terminal`` was in use; 0 for none.
private let pendingSignal = Atomic<Int32>(0)

/// The person's terminal, taken over: keys come one by one, nothing is echoed, and another screen
/// covers the old one. However the program ends, short of SIGKILL, it is given back as it was.
final class Terminal {
    private var before = termios()
    private var isTaken = false

    /// - Returns: nil if input or output is not a terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
            tcgetattr(STDIN_FILENO, &before) == 0
        else { return nil }
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH] {
            // Without SA_RESTART: a wait for keys ends when a signal comes.
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                pendingSignal.store(number, ordering: .relaxed)
            }
            sigaction(number, &action, nil)
        }
        take()
    }

    deinit { giveBack() }

    /// Takes it over, also after it was stopped and continued.
    private func take() {
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        write("\u{1b}[?1049h\u{1b}[?25l")
        isTaken = true
    }

    func giveBack() {
        guard isTaken else { return }
        isTaken = false
        write("\u{1b}[?25h\u{1b}[?1049l")
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
    }

    /// What a wait ended with.
    enum Wait {
        case keys([UInt8])
        /// Time is over, or the terminal has another size.
        case nothing
        /// The person, or somebody else, wants an end.
        case end
    }

    /// - Parameter milliseconds: the longest wait.
    func wait(milliseconds: Int32) -> Wait {
        var poller = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let ready = poll(&poller, 1, milliseconds)
        switch pendingSignal.exchange(0, ordering: .relaxed) {
        case 0, SIGWINCH: break
        case SIGTSTP:
            giveBack()
            kill(getpid(), SIGSTOP)
            take()
            return .nothing
        default: return .end
        }
        guard ready > 0 else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        return count > 0 ? .keys(Array(buffer.prefix(count))) : .end
    }

    /// Draws lines over the whole screen, each cut to its width by the caller.
    func draw(_ lines: [String]) {
        write(
            "\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
