import CLinux
import Clocks
import Foundation
import Glibc
import Vocabulary

/// The command line's side of the control socket.
package enum ControlClient {
    /// The longest reply that is believed, in bytes: 100,000 sessions fit.
    private static let replyLimit = 64 << 20

    /// Asks one thing.
    ///
    /// - Parameters:
    ///   - path: of the control socket.
    ///   - limit: the time for all of it.
    /// - Returns: a reply without an error.
    /// - Throws: ``ControlError``, with the gateway's own words if it refused.
    package static func request(
        _ request: ControlRequest, path: String, within limit: Duration = .seconds(5)
    ) throws(ControlError) -> ControlReply {
        let deadline = SystemClock.now + limit
        let milliseconds = Int32(clamping: limit.nanoseconds / 1_000_000)
        let socket = clinux_unix_connect(path, max(milliseconds, 1))
        guard socket >= 0 else { throw .connecting(path: path, errno: -socket) }
        defer { close(socket) }
        guard let line = try? JSONEncoder().encode(request) else { throw .garbled(path: path) }
        send(line + Data([UInt8(ascii: "\n")]), to: socket)
        let answer = try receiveLine(from: socket, path, before: deadline)
        guard let reply = try? JSONDecoder().decode(ControlReply.self, from: answer) else {
            throw .garbled(path: path)
        }
        if let error = reply.error { throw .refused(error) }
        return reply
    }

    /// A request is far smaller than a socket's buffer: it goes at once or not at all. Whether it
    /// went shows in the answer; a busy weir may have said so, and hung up, before it reads.
    private static func send(_ bytes: Data, to socket: Int32) {
        _ = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    private static func receiveLine(
        from socket: Int32, _ path: String, before deadline: Instant
    ) throws(ControlError) -> Data {
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while answer.last != UInt8(ascii: "\n") {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0, SystemClock.now < deadline else { throw .silent(path: path) }
            guard answer.count + count <= replyLimit else { throw .garbled(path: path) }
            answer.append(contentsOf: buffer.prefix(count))
        }
        return answer
    }
}

/// Why a question to a running weir has no answer. Each description is one line for people.
package enum ControlError: Error, Hashable {
    case connecting(path: String, errno: Int32)
    /// Connected, and no answer in time.
    case silent(path: String)
    /// Something answers that does not speak our protocol, or another version of it.
    case garbled(path: String)
    /// The gateway's own words.
    case refused(String)
}

extension ControlError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .connecting(let path, let errno):
            switch errno {
            case ENOENT:
                "no control socket at \(path): is weir running? start it with `weir run`, "
                    + "or name its socket"
            case ECONNREFUSED:
                "nobody listens on \(path): weir has ended; start it with `weir run`"
            case EACCES, EPERM:
                "\(path) is not open to this user; use the user that weir runs as, or root"
            default: "cannot connect to \(path): \(text(errno)); is weir running?"
            }
        case .silent(let path):
            "weir does not answer on \(path); look at its log, and try again"
        case .garbled(let path):
            "what answers on \(path) is not this version of weir; restart it after an upgrade"
        case .refused(let words): words
        }
    }
}
