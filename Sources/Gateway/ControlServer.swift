import CLinux
import Clocks
import Foundation
import Glibc
import Vocabulary

/// The control socket's thread: a poll loop over a few clients, each with a bounded request and a
/// deadline.
struct ControlServer {
    static let clientLimit = 8

    private let listener: Int32
    private let wakeUp: WakeUp
    private let disclosure: Disclosure
    private let idleLimit: Duration
    private let reload: @Sendable () -> Gateway.Answer?
    private let answer: @Sendable (Gateway.Question) -> Gateway.Answer?
    private var clients: [ControlClientConnection] = []

    init(
        listener: Int32, wakeUp: WakeUp, disclosure: Disclosure, idleLimit: Duration,
        reload: @escaping @Sendable () -> Gateway.Answer?,
        answer: @escaping @Sendable (Gateway.Question) -> Gateway.Answer?
    ) {
        self.listener = listener
        self.wakeUp = wakeUp
        self.disclosure = disclosure
        self.idleLimit = idleLimit
        self.reload = reload
        self.answer = answer
    }

    /// Runs until it is woken up, which means to stop.
    mutating func run() {
        defer { closeAll() }
        while true {
            var waits = [
                pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            waits += clients.map { pollfd(fd: $0.descriptor, events: $0.awaited, revents: 0) }
            let ready = poll(&waits, nfds_t(waits.count), clients.isEmpty ? -1 : 100)
            if ready < 0, errno != EINTR { return }
            if waits[0].revents != 0 { return }
            for (index, wait) in waits.dropFirst(2).enumerated() where wait.revents != 0 {
                serve(&clients[index])
            }
            removeFinished()
            if waits[1].revents != 0 { accept() }
        }
    }

    private mutating func accept() {
        let descriptor = clinux_unix_accept(listener)
        guard descriptor >= 0 else { return }
        var client = ControlClientConnection(descriptor, idleLimit: idleLimit)
        if clients.count >= Self.clientLimit {
            client.reply(encoded(ControlReply(error: "too many clients; try again")))
            client.flush()
            client.close()
        } else {
            clients.append(client)
        }
    }

    /// One step with one client. A client whose answer is not all sent is not listened to.
    private func serve(_ client: inout ControlClientConnection) {
        client.flush()
        client.read()
        while !client.isSending, let line = client.nextLine() {
            client.reply(encoded(reply(to: line)))
            client.flush()
        }
        if client.isOverlong {
            client.refuse(
                encoded(
                    ControlReply(
                        error: "a request has at most \(ControlClientConnection.lineLimit) bytes")))
        }
    }

    private func reply(to line: [UInt8]) -> ControlReply {
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line)) else {
            let commands = ControlRequest.Command.allCases.map(\.rawValue).joined(separator: ", ")
            return ControlReply(
                error: "not a request; send a line such as {\"command\":\"sessions\"}; "
                    + "commands: \(commands)")
        }
        if request.command == .reload { return reply(reload()) }
        guard let question = request.question else {
            return ControlReply(
                error: request.command == .drain
                    ? "a drain goes to up to \(ControlRequest.targetLimit) addresses or domain names"
                    : "terminate needs a session's id; `weir sessions` lists them")
        }
        return reply(answer(question))
    }

    private func reply(_ answer: Gateway.Answer?) -> ControlReply {
        guard let answer else {
            return ControlReply(error: "the gateway does not answer; is it stopping?")
        }
        return ControlReply(
            answer, under: disclosure, wallOffset: SystemClock.wallOffset)
    }

    private func encoded(_ reply: ControlReply) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(reply) else {
            return Array("{\"error\":\"the answer cannot be written as JSON\"}\n".utf8)
        }
        return Array(line) + [UInt8(ascii: "\n")]
    }

    private mutating func removeFinished() {
        let now = SystemClock.now
        for client in clients where client.isFinished(at: now) { client.close() }
        clients.removeAll { $0.isFinished(at: now) }
    }

    private mutating func closeAll() {
        for client in clients { client.close() }
        clients.removeAll()
        close(listener)
    }
}
