/// Sizes in an ESP packet with AES-GCM, in bytes (RFC 4303 §2, RFC 4106 §3).
///
///     SPI 4 │ number 4 │ IV 8 │ inner packet │ 1 2 3… │ pad length 1 │ next header 1 │ tag 16
///     └ authenticated ┘         └─────────────────── encrypted ────────────────────┘
enum PacketLayout {
    static let aad = 8
    static let iv = 8
    static let headerLength = aad + iv
    static let tagLength = 16
    /// Pad length and next header.
    static let trailerLength = 2
    /// What the trailer's end is aligned to.
    static let alignment = 4

    /// Padding, trailer and tag, at most.
    static let longestTrailer = alignment - 1 + trailerLength + tagLength
    /// An empty body has its trailer.
    static let shortest = headerLength + trailerLength + tagLength

    enum NextHeader {
        static let ipv4: UInt8 = 4
        static let ipv6: UInt8 = 41
        static let dummy: UInt8 = 59
    }
}
