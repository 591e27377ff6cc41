import Crypto

/// Sizes in an ESP packet, in bytes (RFC 4303 §2).
///
///     SPI 4 │ number 4 │ IV │ inner packet │ 1 2 3… │ pad length 1 │ next header 1 │ tag
///     └ authenticated ┘      └─────────────────── encrypted ────────────────────┘
///
/// With AES-GCM the IV has 8 bytes and the tag 16; with AES-CBC and HMAC-SHA2-256 both have 16.
struct PacketLayout {
    static let aad = 8
    /// Pad length and next header.
    static let trailerLength = 2

    /// Of any cipher that there is.
    static let longestHeader = Cipher.allCases.map { PacketLayout($0).headerLength }.max() ?? 0
    static let longestTrailer = Cipher.allCases.map { PacketLayout($0).longestTrailer }.max() ?? 0
    static let shortestOfAll = Cipher.allCases.map { PacketLayout($0).shortest }.min() ?? 0

    /// SPI, number and IV.
    let headerLength: Int
    let tagLength: Int
    /// What the trailer's end is aligned to, for sending: at least to 4 (RFC 4303 §2.4).
    let alignment: Int
    /// What it must be aligned to in a packet that can be decrypted.
    let blockLength: Int

    init(_ cipher: Cipher) {
        headerLength = Self.aad + cipher.ivLength
        tagLength = cipher.tagLength
        blockLength = cipher.blockLength
        alignment = max(4, blockLength)
    }

    /// Padding, trailer and tag, at most.
    var longestTrailer: Int { alignment - 1 + Self.trailerLength + tagLength }
    /// An empty body has its trailer.
    var shortest: Int { headerLength + max(Self.trailerLength, blockLength) + tagLength }

    /// Where the encrypted part of a packet is.
    ///
    /// - Parameter count: the packet's length.
    /// - Returns: nil if it has no such length.
    func body(count: Int) -> Range<Int>? {
        guard count >= shortest, (count - headerLength - tagLength) % blockLength == 0 else {
            return nil
        }
        return headerLength..<(count - tagLength)
    }

    enum NextHeader {
        static let ipv4: UInt8 = 4
        static let ipv6: UInt8 = 41
        static let dummy: UInt8 = 59
    }
}
