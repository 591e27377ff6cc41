/// CRC-32 as of IEEE 802.3, zlib and PNG.
package enum Checksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? (value >> 1) ^ 0xedb8_8320 : value >> 1
        }
    }

    /// Of the first `count` of `bytes`, which are as many at least.
    package static func crc32(_ bytes: [UInt8], count: Int) -> UInt32 {
        let table = table
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes.prefix(count) {
            sum = (sum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)]
        }
        return ~sum
    }
}
