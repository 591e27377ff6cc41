package import Vocabulary

/// Where inner IP packets go to and come from: the network behind the gateway.
package protocol InnerNetwork: AnyObject {
    /// Readable when a packet waits. If nil, packets appear only in answer to `write` or when the
    /// engine's timers expire.
    var descriptor: Int32? { get }
    /// Takes a whole IP packet from a peer. Never waits: what has no room is dropped and counted.
    func write(_ packet: UnsafeMutableBufferPointer<UInt8>)
    /// Puts the next IP packet for a peer at the front of `room`.
    func read(into room: UnsafeMutableBufferPointer<UInt8>) -> InnerRead
    /// Packets from peers that went nowhere.
    var dropped: UInt64 { get }
    /// What peers' inner addresses are taken from.
    var routes: Set<InnerPrefix> { get }
    /// Changes that. What failed is as it was before.
    func route(to prefixes: Set<InnerPrefix>) throws(GatewayError)
    /// Gives the network back. Nothing is called afterwards.
    func close()
}

/// The outcome of reading.
package enum InnerRead: Hashable, Sendable {
    /// A packet of this many bytes.
    case packet(Int)
    /// Nothing at the moment.
    case empty
    /// The interface has gone away and will not come back.
    case gone
}

/// A block of inner addresses.
package struct InnerPrefix: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let length: Int

    /// - Parameter length: from 0 to 32, or to 128; others are clamped. Host bits are cleared.
    package init(_ address: IPAddress, length: Int) {
        self.length = min(max(length, 0), address.isIPv4 ? 32 : 128)
        self.address = address.prefix(self.length)
    }

    package var description: String { "\(address)/\(length)" }
}
