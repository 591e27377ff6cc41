import Gateway
import Glibc
import Vocabulary

/// The UDP ports that all clients of a load share: an answer finds its client by its SPI.
final class LoadSockets {
    private let sockets: [UDPSocket]
    private let source: IPAddress
    private let natPort: UInt16
    private let inbox = DatagramBatch()
    private var outboxes: [DatagramBatch]

    /// - Throws: ``GatewayError`` if the system gives no sockets.
    init(_ count: Int, towards gateway: Endpoint, natPort: UInt16) throws(GatewayError) {
        let source = sourceAddress(towards: gateway) ?? gateway.address.unspecified
        var sockets: [UDPSocket] = []
        for _ in 0..<max(1, count) {
            sockets.append(
                try UDPSocket(Endpoint(gateway.address.unspecified, 0), encapsulated: false))
        }
        self.source = source
        self.sockets = sockets
        self.natPort = natPort
        outboxes = sockets.map { _ in DatagramBatch() }
    }

    /// The path of client number `number`.
    func path(of number: Int, to remote: Endpoint) -> Path {
        path(socket: sockets[number % sockets.count], to: remote)
    }

    private func path(socket: UDPSocket, to remote: Endpoint) -> Path {
        Path(
            local: Endpoint(source, socket.local.port), remote: remote,
            encapsulated: remote.port == natPort)
    }

    /// Sends, sooner or later; what is too long for a datagram is lost.
    func send(_ message: [UInt8], on path: Path) {
        guard let index = sockets.firstIndex(where: { $0.local.port == path.local.port }) else {
            return
        }
        let marker = path.encapsulated ? 4 : 0
        guard message.count + marker <= DatagramBatch.slotSize else { return }
        if outboxes[index].isFull { flush(index) }
        let room = outboxes[index].room(outboxes[index].count)
        for place in 0..<marker { room[place] = 0 }
        for (place, byte) in message.enumerated() { room[marker + place] = byte }
        outboxes[index].append(0..<(marker + message.count), from: path.local, to: path.remote)
    }

    func flush() {
        for index in outboxes.indices where outboxes[index].count > 0 { flush(index) }
    }

    /// What the kernel has no room for is lost, as on any network.
    private func flush(_ index: Int) {
        defer { outboxes[index].removeAll() }
        var first = 0
        while first < outboxes[index].count {
            let sent = outboxes[index].send(from: first, on: sockets[index].descriptor)
            first += sent > 0 ? Int(sent) : 1
        }
    }

    /// Waits for datagrams.
    func wait(milliseconds: Int32) {
        var waits = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        _ = poll(&waits, nfds_t(waits.count), milliseconds)
    }

    /// Takes what has come, a batch from each port at most: IKE messages without their marker.
    /// ESP is not for us.
    func receive(_ take: (_ message: [UInt8], _ path: Path) -> Void) {
        for socket in sockets where inbox.receive(from: socket.descriptor) > 0 {
            for index in 0..<inbox.count {
                let datagram = inbox.received(index, on: socket.local.port)
                let path = path(socket: socket, to: datagram.remote)
                if !path.encapsulated {
                    take(Array(datagram.bytes), path)
                } else if case .ike = NATTraversalContent(datagram.bytes) {
                    take(Array(datagram.bytes.dropFirst(4)), path)
                }
            }
        }
    }
}

extension IPAddress {
    fileprivate var unspecified: Self { isIPv4 ? .v4(0) : .v6(high: 0, low: 0) }
}

/// The address that the kernel would send from.
private func sourceAddress(towards remote: Endpoint) -> IPAddress? {
    guard case .v4(let word) = remote.address else { return nil }
    let probe = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard probe >= 0 else { return nil }
    defer { close(probe) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = word.bigEndian
    name.sin_port = remote.port.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            let status = connect(probe, pointer, length)
            return status == 0 ? getsockname(probe, pointer, &length) : status
        }
    }
    return status == 0 ? .v4(UInt32(bigEndian: name.sin_addr.s_addr)) : nil
}
