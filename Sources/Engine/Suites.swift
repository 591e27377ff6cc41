package import Crypto
import Wire

/// The algorithms of an IKE SA.
package struct IKESuite: Hashable, Sendable {
    package let cipher: Cipher
    package let prf: PRF
    package let group: DHGroup

    package init(cipher: Cipher, prf: PRF, group: DHGroup) {
        self.cipher = cipher
        self.prf = prf
        self.group = group
    }

    /// As in the configuration: `aes128gcm16-prfsha256-x25519`, `aes256-sha256-modp2048`.
    package var name: String {
        if case .encryptThenMAC(_, let integrity) = cipher, integrity.prf == prf {
            return "\(cipher.name)-\(group.name)"
        }
        return "\(cipher.name)-\(prf.name)-\(group.name)"
    }

    var transforms: [Transform] {
        [cipher.encryptionTransform, Transform(.prf, prf.transformID)]
            + cipher.integrityTransforms + [Transform(.keyExchange, group.transformID)]
    }

    /// Whether a proposal has all that this suite needs.
    func fits(_ proposal: Proposal) -> Bool {
        proposal.protocolID == .ike
            && proposal.has(only: [.encryption, .prf, .integrity, .keyExchange])
            && transforms.allSatisfy(proposal.transforms.contains)
            && proposal.allowsIntegrity(of: cipher)
    }
}

/// The algorithms of a Child SA.
package struct ESPSuite: Hashable, Sendable {
    package let cipher: Cipher
    /// The group of an additional key exchange at a rekey: perfect forward secrecy.
    package let group: DHGroup?

    package init(cipher: Cipher, group: DHGroup? = nil) {
        self.cipher = cipher
        self.group = group
    }

    /// As in the configuration: `aes128gcm16`, `aes256-sha256`, or with a group.
    package var name: String { group.map { "\(cipher.name)-\($0.name)" } ?? cipher.name }

    /// - Parameter withGroup: false in IKE_AUTH, which has no key exchange for the Child SA
    ///   (RFC 7296 §1.2).
    func transforms(withGroup: Bool) -> [Transform] {
        var transforms = [cipher.encryptionTransform] + cipher.integrityTransforms
        if withGroup, let group { transforms.append(Transform(.keyExchange, group.transformID)) }
        transforms.append(Transform(.extendedSequenceNumbers, TransformID.none))
        return transforms
    }

    func fits(_ proposal: Proposal, withGroup: Bool) -> Bool {
        let types: Set<TransformType> = [
            .encryption, .integrity, .keyExchange, .extendedSequenceNumbers,
        ]
        return proposal.protocolID == .esp && proposal.spi.count == 4 && proposal.has(only: types)
            && transforms(withGroup: withGroup).allSatisfy(proposal.transforms.contains)
            && proposal.allowsIntegrity(of: cipher)
            && (!withGroup || group != nil || proposal.allows(.keyExchange, TransformID.none))
    }
}

extension Proposal {
    /// A proposal with a transform type that we don't know can't be chosen (RFC 7296 §3.3.6).
    fileprivate func has(only types: Set<TransformType>) -> Bool {
        transforms.allSatisfy { types.contains($0.type) }
    }

    /// Whether a type may be left out: it is not there, or `id` is among its choices.
    fileprivate func allows(_ type: TransformType, _ id: UInt16) -> Bool {
        let choices = transforms.filter { $0.type == type }
        return choices.isEmpty || choices.contains { $0.id == id }
    }

    /// An AEAD brings its own integrity (RFC 5282 §8).
    fileprivate func allowsIntegrity(of cipher: Cipher) -> Bool {
        cipher.integrityTransforms.isEmpty ? allows(.integrity, TransformID.none) : true
    }
}

/// What was agreed on, and how to say so.
struct Agreement<Suite> {
    let suite: Suite
    let proposal: Proposal
}

/// Chooses IKE algorithms (RFC 7296 §2.7).
///
/// - Parameter group: the group of the peer's KE payload. A suite with it spares the peer a
///   round trip, and all that are configured are good enough.
/// - Returns: our most preferred suite that fits; its proposal has our answer's transforms.
func choose(
    _ offers: [Proposal], from suites: [IKESuite], group: UInt16
) -> Agreement<IKESuite>? {
    let ready = suites.filter { $0.group.transformID == group }
    for suite in ready + suites {
        if let offer = offers.first(where: suite.fits) {
            return Agreement(
                suite: suite,
                proposal: Proposal(
                    number: offer.number, protocolID: .ike, spi: offer.spi,
                    transforms: suite.transforms))
        }
    }
    return nil
}

/// Chooses a Child SA's algorithms. The agreement's proposal bears the peer's SPI.
func choose(
    _ offers: [Proposal], from suites: [ESPSuite], withGroup: Bool
) -> Agreement<ESPSuite>? {
    for suite in suites {
        if let offer = offers.first(where: { suite.fits($0, withGroup: withGroup) }) {
            return Agreement(
                suite: suite,
                proposal: Proposal(
                    number: offer.number, protocolID: .esp, spi: offer.spi,
                    transforms: suite.transforms(withGroup: withGroup)))
        }
    }
    return nil
}

/// Offers suites, one proposal each.
func offer(_ suites: [IKESuite], spi: [UInt8] = []) -> SecurityAssociationPayload {
    SecurityAssociationPayload(
        suites.prefix(255).enumerated().map { index, suite in
            Proposal(
                number: UInt8(index + 1), protocolID: .ike, spi: spi, transforms: suite.transforms)
        })
}

func offer(
    _ suites: [ESPSuite], spi: UInt32, withGroup: Bool
) -> SecurityAssociationPayload {
    var bytes: [UInt8] = []
    bytes.put(spi)
    return SecurityAssociationPayload(
        suites.prefix(255).enumerated().map { index, suite in
            Proposal(
                number: UInt8(index + 1), protocolID: .esp, spi: bytes,
                transforms: suite.transforms(withGroup: withGroup))
        })
}
