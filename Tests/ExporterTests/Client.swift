import Foundation

struct NoConnection: Error {}

/// A TCP connection to loopback that can say anything.
final class Client {
    private let descriptor: Int32

    /// - Parameter patience: milliseconds to wait for each part of an answer.
    init(port: UInt16, v6: Bool = false, patience: Int = 30_000) throws {
        descriptor = socket(v6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: patience / 1_000, tv_usec: patience % 1_000 * 1_000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        guard (v6 ? connect6(port) : connect4(port)) == 0 else { throw NoConnection() }
    }

    deinit { close(descriptor) }

    /// Stops without a word when the server has hung up.
    func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Until the server hangs up.
    func receive() -> String {
        var text = ""
        while true {
            let part = receiveSome()
            if part.isEmpty { return text }
            text += part
        }
    }

    func receiveSome() -> String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }

    private func connect4(_ port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafeBytes(of: &address) { raw in
            connect(
                descriptor, raw.assumingMemoryBound(to: sockaddr.self).baseAddress,
                socklen_t(raw.count))
        }
    }

    private func connect6(_ port: UInt16) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return withUnsafeBytes(of: &address) { raw in
            connect(
                descriptor, raw.assumingMemoryBound(to: sockaddr.self).baseAddress,
                socklen_t(raw.count))
        }
    }
}

/// The parts of an HTTP answer.
struct HTTPAnswer {
    let status: Int
    let head: String
    let body: String
    /// As the head has it, in bytes.
    let length: Int

    init?(_ text: String) {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        head = String(text[..<end.lowerBound]) + "\r\n"
        body = String(text[end.upperBound...])
        length =
            text.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let status = Int(words[1]) else { return nil }
        self.status = status
    }
}
