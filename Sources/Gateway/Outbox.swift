import Glibc
package import Vocabulary

/// Datagrams on their way out, sent by the batch. Not thread-safe.
///
/// A packet is built in `room`, then committed; it leaves when the batch is full, when the next
/// one goes through another socket, or at `flush`.
package final class Outbox {
    /// Before IKE messages on the NAT traversal port (RFC 3948 §2.2).
    private static let markerLength = 4

    private let sockets: UDPSockets
    private let batch = DatagramBatch()
    private var socket: UDPSocket?
    /// Datagrams that the kernel did not take.
    package private(set) var failures: UInt64 = 0
    /// Datagrams for a path that none of our sockets is on.
    package private(set) var unroutable: UInt64 = 0

    package init(_ sockets: UDPSockets) { self.sockets = sockets }

    /// Where to build the next datagram. Valid until the next call of anything here.
    package var room: UnsafeMutableBufferPointer<UInt8> {
        if batch.isFull { flush() }
        return batch.room(batch.count)
    }

    /// Sends, sooner or later, what lies in `range` of `room`.
    private func commit(_ range: Range<Int>, on path: Path) {
        guard let next = sockets.socket(for: path) else {
            unroutable += 1
            return
        }
        if let socket, socket !== next, batch.count > 0 {
            // The batch goes through one socket. Its front becomes free, so the packet moves there.
            let packet = UnsafeMutableBufferPointer(rebasing: batch.room(batch.count)[range])
            flush()
            batch.room(0).update(fromContentsOf: packet, at: range.lowerBound)
        }
        socket = next
        batch.append(range, from: path.local, to: path.remote)
    }

    /// Sends, sooner or later, the ESP packet in `range` of `room`. It needs the NAT traversal port:
    /// ESP straight over IP belongs to the kernel.
    package func commitESP(_ range: Range<Int>, on path: Path) {
        guard path.encapsulated else {
            unroutable += 1
            return
        }
        commit(range, on: path)
    }

    /// Sends an IKE message, with the marker if the path asks for it. Longer messages than a slot
    /// holds count as failures.
    package func send(_ message: [UInt8], on path: Path) {
        let start = path.encapsulated ? Self.markerLength : 0
        guard start + message.count <= DatagramBatch.slotSize else {
            failures += 1
            return
        }
        let room = room
        for index in 0..<start { room[index] = 0 }
        for (index, byte) in message.enumerated() { room[start + index] = byte }
        commit(0..<(start + message.count), on: path)
    }

    /// Sends, sooner or later, one byte that keeps a NAT from forgetting us (RFC 3948 §2.3).
    package func sendKeepalive(on path: Path) {
        guard path.encapsulated else { return }
        room[0] = 0xff
        commit(0..<1, on: path)
    }

    /// Hands everything to the kernel. A full socket buffer is waited for, 5 ms at most; what does
    /// not go then is lost, as on any network.
    package func flush() {
        defer { batch.removeAll() }
        guard let socket else { return }
        var first = 0
        var mayWait = true
        while first < batch.count {
            let result = batch.send(from: first, on: socket.descriptor)
            if result > 0 {
                first += Int(result)
            } else if result == -EAGAIN, mayWait {
                mayWait = false
                var wait = pollfd(fd: socket.descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, 5)
            } else if result == -EAGAIN {
                failures += UInt64(batch.count - first)
                return
            } else if result != -EINTR {
                // This one cannot go: no route, not permitted, too long. The others may.
                failures += 1
                first += 1
            }
        }
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    /// Copies `source` to `offset`. The caller has checked that it fits.
    fileprivate func update(fromContentsOf source: Self, at offset: Int) {
        guard let from = source.baseAddress, let to = baseAddress else { return }
        precondition(offset + source.count <= count)
        memmove(to + offset, from, source.count)
    }
}
