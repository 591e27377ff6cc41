import CLinux
package import Vocabulary

/// Room for up to 64 datagrams, allocated once. Not thread-safe.
package final class DatagramBatch {
    package static let capacity = Int(CLINUX_BATCH)
    /// The longest datagram that is taken, in bytes. IKE messages may be a few thousand bytes
    /// (RFC 7296 §2), ESP packets as long as the outer MTU.
    package static let slotSize = 16_384
    /// Slots lie a cache line further apart than their size, so that their fronts do not compete
    /// for the same lines of the cache.
    private static let stride = slotSize + 64

    /// How many datagrams are held.
    package private(set) var count = 0
    private let slab: UnsafeMutablePointer<UInt8>
    private let headers: UnsafeMutablePointer<clinux_datagram>

    package init() {
        slab = .allocate(capacity: Self.capacity * Self.stride)
        slab.initialize(repeating: 0, count: Self.capacity * Self.stride)
        headers = .allocate(capacity: Self.capacity)
        headers.initialize(repeating: clinux_datagram(), count: Self.capacity)
    }

    deinit {
        slab.deallocate()
        headers.deallocate()
    }

    package var isFull: Bool { count == Self.capacity }

    /// All bytes of a slot, whatever they hold.
    package func room(_ slot: Int) -> UnsafeMutableBufferPointer<UInt8> {
        precondition((0..<Self.capacity).contains(slot), "no such slot")
        return UnsafeMutableBufferPointer(start: slab + slot * Self.stride, count: Self.slotSize)
    }

    // MARK: Receiving

    /// A datagram that was received.
    ///
    /// - Parameter port: what the socket is bound to.
    package func received(_ index: Int, on port: UInt16) -> Received {
        precondition((0..<count).contains(index), "no such datagram")
        let header = headers[index]
        return Received(
            bytes: UnsafeMutableBufferPointer(
                start: slab + index * Self.stride, count: Int(header.length)),
            truncated: header.truncated,
            local: Endpoint(IPAddress(header.local), port),
            remote: Endpoint(IPAddress(header.remote), header.remote.port))
    }

    package struct Received {
        package let bytes: UnsafeMutableBufferPointer<UInt8>
        /// It was longer than a slot.
        package let truncated: Bool
        package let local: Endpoint
        package let remote: Endpoint
    }

    /// Replaces what is held by what waits on the socket.
    ///
    /// - Returns: how many datagrams came, or a negative errno, -EAGAIN if there are none.
    package func receive(from socket: Int32) -> Int32 {
        for slot in 0..<Self.capacity {
            headers[slot].bytes = slab + slot * Self.stride
            headers[slot].length = UInt32(Self.slotSize)
        }
        let result = clinux_udp_receive(socket, headers, CLINUX_BATCH)
        count = Int(max(result, 0))
        return result
    }

    // MARK: Sending

    /// Adds what lies in `range` of the next slot. The batch must not be full.
    package func append(_ range: Range<Int>, from local: Endpoint, to remote: Endpoint) {
        precondition(!isFull && 0 <= range.lowerBound && range.upperBound <= Self.slotSize)
        headers[count] = clinux_datagram(
            bytes: slab + count * Self.stride + range.lowerBound, length: UInt32(range.count),
            truncated: false, local: clinux_endpoint(local), remote: clinux_endpoint(remote))
        count += 1
    }

    /// Tries to send what is held from number `first` on.
    ///
    /// - Returns: how many went, or a negative errno about number `first`.
    package func send(from first: Int, on socket: Int32) -> Int32 {
        clinux_udp_send(socket, headers + first, Int32(count - first))
    }

    package func removeAll() { count = 0 }
}

extension IPAddress {
    /// An address that the kernel did not tell is 0.0.0.0.
    init(_ endpoint: clinux_endpoint) {
        if endpoint.family != 6 {
            self = .v4(UInt32(truncatingIfNeeded: endpoint.low))
        } else if endpoint.high == 0, endpoint.low >> 32 == 0xffff {
            self = .v4(UInt32(truncatingIfNeeded: endpoint.low))
        } else {
            self = .v6(high: endpoint.high, low: endpoint.low)
        }
    }
}

extension clinux_endpoint {
    init(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .v4(let word):
            self.init(high: 0, low: UInt64(word), port: endpoint.port, family: 4)
        case .v6(let high, let low):
            self.init(high: high, low: low, port: endpoint.port, family: 6)
        }
    }
}
