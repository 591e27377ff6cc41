/// CRC-32 as of IEEE 802.3, zlib and PNG.
package enum Checksum {
    /// Eight tables of 256: what a byte does that has 0 to 7 bytes after it in its group of eight.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index: UInt32 in 0..<256 {
            var value = index
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0xedb8_8320 : value >> 1 }
            tables.append(value)
        }
        for index in 256..<2_048 {
            let before = tables[index - 256]
            tables.append((before >> 8) ^ tables[Int(before & 0xff)])
        }
        return tables
    }()

    /// Of the first `count` of `bytes`, which are as many at least.
    package static func crc32(_ bytes: [UInt8], count: Int) -> UInt32 {
        let tables = tables
        let end = min(count, bytes.count)
        var sum: UInt32 = 0xffff_ffff
        var next = 0
        while next + 8 <= end {
            func far(_ place: Int, _ part: UInt32) -> UInt32 {
                tables[(7 - place) << 8 | Int((part ^ UInt32(bytes[next + place])) & 0xff)]
            }
            let near = far(0, sum) ^ far(1, sum >> 8) ^ far(2, sum >> 16) ^ far(3, sum >> 24)
            sum = near ^ far(4, 0) ^ far(5, 0) ^ far(6, 0) ^ far(7, 0)
            next += 8
        }
        while next < end {
            sum = (sum >> 8) ^ tables[Int((sum ^ UInt32(bytes[next])) & 0xff)]
            next += 1
        }
        return ~sum
    }
}
