import Foundation
import Synchronization

/// An HTTP server that gives every request the same answer, or none, and remembers them.
final class TinyServer: Sendable {
    let port: UInt16

    private let listener: Int32
    private let state: Mutex<(answer: String?, requests: [String])>

    init(answering answer: String?) throws {
        (listener, port) = try Self.listen()
        state = Mutex((answer, []))
        let listener = listener
        Thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let self else { return }
                self.serve(connection)
            }
        }.start()
    }

    /// Ends the thread's `accept`.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    var answer: String? {
        get { state.withLock(\.answer) }
        set { state.withLock { $0.answer = newValue } }
    }

    var requests: [String] { state.withLock(\.requests) }

    /// Stops listening.
    ///
    /// - Returns: its port, for another program to listen on.
    func freedPort() -> UInt16 {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        return port
    }

    /// Without an answer the connection stays open, for the client to wait at.
    private func serve(_ connection: Int32) {
        let request = read(connection)
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answer
        }
        guard var answer else { return }
        if !answer.contains("\r\n\r\n") { answer += "\r\nConnection: close\r\n\r\n" }
        let bytes = Array("HTTP/1.1 \(answer)".utf8)
        send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        close(connection)
    }

    private func read(_ connection: Int32) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isComplete(text) {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        return text
    }

    private func isComplete(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n"),
            let length = text.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap({ Int($0.1) })
        else { return false }
        return text[end.upperBound...].utf8.count >= length
    }

    /// A socket that listens on a free port of loopback.
    private static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutableBytes(of: &address) { raw in
            let pointer = raw.assumingMemoryBound(to: sockaddr.self).baseAddress
            return bind(descriptor, pointer, length) != 0 || Foundation.listen(descriptor, 16) != 0
                || pointer.map { getsockname(descriptor, $0, &length) } != 0
        }
        guard !failed else { throw POSIXError(.EADDRINUSE) }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}
