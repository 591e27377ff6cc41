import COpenSSL

/// A private key of a MODP group (RFC 3526): an exponent of the generator 2 modulo a safe prime.
final class MODPKey: PrivateKey {
    /// A group's prime, and what makes multiplying modulo it fast. Immutable, so that every
    /// thread may use it.
    struct Group: @unchecked Sendable {
        /// Of the prime, in bytes.
        let length: Int
        /// Of a private key, in bytes: at least twice the group's strength (RFC 7296 §5), which
        /// is 112, 128 and 152 bits (RFC 3526 §8, NIST SP 800-57).
        let exponentLength: Int
        fileprivate let prime: OpaquePointer
        /// The prime less 1.
        fileprivate let last: OpaquePointer
        fileprivate let montgomery: OpaquePointer

        static let modp2048 = Group(
            length: 256, exponentLength: 32, BN_get_rfc3526_prime_2048(nil))
        static let modp3072 = Group(
            length: 384, exponentLength: 40, BN_get_rfc3526_prime_3072(nil))
        static let modp4096 = Group(
            length: 512, exponentLength: 48, BN_get_rfc3526_prime_4096(nil))

        private init(length: Int, exponentLength: Int, _ prime: OpaquePointer?) {
            self.length = length
            self.exponentLength = exponentLength
            self.prime = Algorithms.present(prime, "MODP")
            last = Algorithms.present(BN_dup(prime), "MODP")
            montgomery = Algorithms.present(BN_MONT_CTX_new(), "MODP")
            let scratch = BN_CTX_new()
            defer { BN_CTX_free(scratch) }
            precondition(
                BN_sub_word(last, 1) == 1 && BN_MONT_CTX_set(montgomery, prime, scratch) == 1,
                "OpenSSL could not prepare a MODP group; is there no memory left?")
        }
    }

    private let group: Group
    private let exponent: OpaquePointer

    init(_ group: Group, random: any RandomSource) throws(CryptoError) {
        guard let number = BN_new() else { throw .latest() }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        let bytes = SecretBytes(count: group.exponentLength) { random.fill(&$0) }
        let read = bytes.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                BN_bin2bn($0.baseAddress, Int32($0.count), number) != nil
            }
        }
        guard read else {
            BN_clear_free(number)
            throw .latest()
        }
        self.group = group
        exponent = number
    }

    func publicValue() throws(CryptoError) -> [UInt8] {
        let generator = BN_new()
        defer { BN_free(generator) }
        guard let generator, BN_set_word(generator, 2) == 1 else { throw .latest() }
        return try power(of: generator).withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    /// Refuses all but 2 to the prime less 2, which is enough for a safe prime (RFC 6989 §2.1).
    ///
    /// - Parameter peer: as long as the prime.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        guard let theirs = BN_bin2bn(peer, Int32(peer.count), nil) else { throw .latest() }
        defer { BN_free(theirs) }
        guard BN_is_zero(theirs) == 0, BN_is_one(theirs) == 0, BN_ucmp(theirs, group.last) < 0
        else { throw .badPublicValue }
        return try power(of: theirs)
    }

    private func power(of base: OpaquePointer) throws(CryptoError) -> SecretBytes {
        let result = BN_new()
        defer { BN_clear_free(result) }
        let scratch = BN_CTX_secure_new()
        defer { BN_CTX_free(scratch) }
        guard let result, let scratch,
            BN_mod_exp_mont_consttime(
                result, base, exponent, group.prime, scratch, group.montgomery) == 1
        else { throw .latest() }
        return try SecretBytes(padding: result, count: group.length)
    }

    deinit { BN_clear_free(exponent) }
}
