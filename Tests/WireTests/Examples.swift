import Wire

/// Messages as real peers send them.
enum Example {
    /// strongSwan's IKE_SA_INIT request, 232 bytes:
    /// `SA KE No N(NATD_S_IP) N(NATD_D_IP) N(FRAG_SUP) N(HASH_ALG) N(REDIR_SUP)`.
    static let initRequest = [UInt8](
        hex: """
            1122334455667788 0000000000000000 21 20 22 08 00000000 000000e8
            22000028 00000024 01010003 0300000c01000014800e0080 0300000802000005 000000080400001f
            28000028 001f0000 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a
            29000024 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
            2900001c 00004004 d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4
            2900001c 00004005 c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4
            29000008 0000402e
            29000010 0000402f 0002000300040005
            00000008 00004016
            """)

    /// The answer of a gateway that wants another group.
    static let invalidKE = [UInt8](
        hex: """
            1122334455667788 0000000000000000 29 20 22 20 00000000 00000026
            0000000a 00000011 0013
            """)

    /// What is inside a remote-access IKE_AUTH request: `IDi N(INIT_CONTACT) IDr AUTH CPRQ(ADDR
    /// DNS) SA TSi TSr N(MOBIKE_SUP)`, then one byte of padding length.
    static let authPlaintext = [UInt8](
        hex: """
            29000011 03000000 616c696365406c6162
            24000008 00004000
            2700000e 02000000 67772e6c6162
            2f000028 02000000 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            21000010 01000000 00010000 00030000
            2c000024 00000020 01030402 c0ffee01 0300000c01000014800e0080 0000000805000000
            2d000018 01000000 07000010 0000ffff 00000000 ffffffff
            29000018 01000000 07000010 0000ffff 0a630000 0a6300ff
            00000008 0000400c
            00
            """)

    static let authHeader = Header(
        initiatorSPI: 0x1122_3344_5566_7788, responderSPI: 0x0100_0000_c0ff_ee01,
        exchange: .ikeAuth, fromInitiator: true, isResponse: false, messageID: 1)
}
