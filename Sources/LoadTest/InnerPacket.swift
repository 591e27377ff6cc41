package import Vocabulary

/// A UDP packet of `length` bytes (28 or more) over IPv4, from port 4000 to the echo port, with a
/// right header checksum.
package func udpPacket(from source: IPAddress, to destination: IPAddress, length: Int) -> [UInt8] {
    var packet: [UInt8] = [
        0x45, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 0, 0, 0, 64, 17, 0, 0,
    ]
    packet += source.bytes + destination.bytes
    var sum: UInt32 = 0
    for index in stride(from: 0, to: 20, by: 2) {
        sum += UInt32(packet[index]) << 8 | UInt32(packet[index + 1])
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    packet[10] = UInt8(truncatingIfNeeded: ~sum >> 8)
    packet[11] = UInt8(truncatingIfNeeded: ~sum)
    let udp = length - 20
    packet += [0x0f, 0xa0, 0, 7, UInt8(udp >> 8), UInt8(udp & 0xff), 0, 0]
    packet += [UInt8](repeating: 0x5a, count: max(0, length - 28))
    return packet
}
