import Clocks
import Glibc
import Vocabulary

/// One client of the control socket: what it has sent and what it has yet to read.
struct ControlClientConnection {
    /// The longest request, in bytes, without its newline.
    static let lineLimit = 4096

    let descriptor: Int32
    private var input: [UInt8] = []
    private var output: ArraySlice<UInt8> = []
    private let idleLimit: Duration
    private var deadline: Instant
    /// The client sends no more, or is not listened to any more.
    private var inputEnded = false
    private var broken = false

    init(_ descriptor: Int32, idleLimit: Duration) {
        self.descriptor = descriptor
        self.idleLimit = idleLimit
        deadline = SystemClock.now + idleLimit
    }

    var isSending: Bool { !output.isEmpty }

    /// What to poll for: writing comes before reading.
    var awaited: Int16 { Int16(isSending ? POLLOUT : POLLIN) }

    /// Whether there is more than a request's worth of input and no newline in it.
    var isOverlong: Bool {
        input.count > Self.lineLimit
            && !input.prefix(Self.lineLimit + 1).contains(UInt8(ascii: "\n"))
    }

    func isFinished(at now: Instant) -> Bool {
        broken || now >= deadline || (inputEnded && !isSending)
    }

    /// Reads what has come, at most one byte more than a request and its newline.
    mutating func read() {
        guard !inputEnded, !isSending else { return }
        var buffer = [UInt8](repeating: 0, count: Self.lineLimit + 2 - input.count)
        guard !buffer.isEmpty else { return }
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 {
            input += buffer.prefix(count)
        } else if count == 0 {
            inputEnded = true
        } else if errno != EAGAIN, errno != EINTR {
            broken = true
        }
    }

    /// Takes the next whole request, without its newline. Each one earns the client more time.
    mutating func nextLine() -> [UInt8]? {
        guard let end = input.firstIndex(of: UInt8(ascii: "\n")), end <= Self.lineLimit else {
            return nil
        }
        let line = Array(input[..<end])
        input.removeSubrange(...end)
        deadline = SystemClock.now + idleLimit
        return line
    }

    mutating func reply(_ bytes: [UInt8]) { output += bytes }

    /// A last reply: nothing more is read.
    mutating func refuse(_ bytes: [UInt8]) {
        reply(bytes)
        inputEnded = true
        input = []
        flush()
    }

    /// Sends what can be sent without waiting. Progress earns the client more time.
    mutating func flush() {
        while !output.isEmpty, !broken {
            let count = output.withUnsafeBytes {
                send(
                    descriptor, $0.baseAddress, $0.count,
                    Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count > 0 {
                output = output.dropFirst(count)
                deadline = SystemClock.now + idleLimit
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                broken = true
            }
        }
        output = []
    }

    func close() { Glibc.close(descriptor) }
}
