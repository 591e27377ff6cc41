/// Why some bytes are not IKEv2. All of these are the peer's doing, never ours.
///
/// Counts are of bytes left in the innermost region when the fault was found.
package enum WireError: Error, Hashable, Sendable {
    /// A field needed more bytes than were left.
    case truncated(needed: Int, left: Int)
    /// A length field named a region that its contents did not fill.
    case trailing(left: Int)
    /// A field holds a value that its specification forbids.
    case illegal(Field, value: UInt64)
    /// More of something than we are ready to hold.
    case tooMany(Field)

    /// The fields that we refuse, named as the RFC names them.
    package enum Field: String, Sendable {
        case initiatorSPI, responderSPI, majorVersion, messageLength, payloadLength, nextPayload
        case protocolID, spiSize, numberOfSPIs, proposalLength, proposalNumber, proposals
        case transformLength, transforms, numberOfTransforms, attributeLength, attributes
        case selectorLength, selectors, numberOfSelectors, configurationType, payloads, nonce
        case certificateEncoding, identificationType, authenticationMethod, fragmentNumber
        case keyExchangeGroup, notifyType
    }
}
