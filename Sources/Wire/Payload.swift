/// The body of one IKEv2 payload, after the generic header (RFC 7296 §3.2).
///
/// `Self(parsing:)` after `write(to:)` gives the same value for every value that fits the 64 KiB
/// that a payload has room for.
package protocol Payload: Hashable, Sendable {
    init(parsing body: inout Span<UInt8>) throws(WireError)
    func write(to output: inout [UInt8])
}

/// An IANA registry is open: we must carry numbers that nobody has told us about yet.
/// Our own states are closed, and are enums.
package struct PayloadType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let none = Self(rawValue: 0)
    package static let securityAssociation = Self(rawValue: 33)
    package static let keyExchange = Self(rawValue: 34)
    package static let identificationInitiator = Self(rawValue: 35)
    package static let identificationResponder = Self(rawValue: 36)
    package static let certificate = Self(rawValue: 37)
    package static let certificateRequest = Self(rawValue: 38)
    package static let authentication = Self(rawValue: 39)
    package static let nonce = Self(rawValue: 40)
    package static let notify = Self(rawValue: 41)
    package static let delete = Self(rawValue: 42)
    package static let vendorID = Self(rawValue: 43)
    package static let trafficSelectorInitiator = Self(rawValue: 44)
    package static let trafficSelectorResponder = Self(rawValue: 45)
    package static let encrypted = Self(rawValue: 46)
    package static let configuration = Self(rawValue: 47)
    package static let eap = Self(rawValue: 48)
    package static let encryptedFragment = Self(rawValue: 53)
}

/// What an SA is for (RFC 7296 §3.3.1).
package struct ProtocolID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let none = Self(rawValue: 0)
    package static let ike = Self(rawValue: 1)
    package static let ah = Self(rawValue: 2)
    package static let esp = Self(rawValue: 3)
}

/// One payload of a message, with its place in the chain forgotten.
package enum AnyPayload: Hashable, Sendable {
    case securityAssociation(SecurityAssociationPayload)
    case keyExchange(KeyExchangePayload)
    case identificationInitiator(IdentificationPayload)
    case identificationResponder(IdentificationPayload)
    case certificate(CertificatePayload)
    case certificateRequest(CertificatePayload)
    case authentication(AuthenticationPayload)
    case nonce(NoncePayload)
    case notify(NotifyPayload)
    case delete(DeletePayload)
    case vendorID(OpaquePayload)
    case trafficSelectorInitiator(TrafficSelectorPayload)
    case trafficSelectorResponder(TrafficSelectorPayload)
    case configuration(ConfigurationPayload)
    case eap(OpaquePayload)
    /// A type that we don't know. Ignored, unless its critical bit is set (RFC 7296 §2.5).
    case unknown(PayloadType, critical: Bool, OpaquePayload)

    /// - Parameter body: exactly the payload's body.
    init(_ type: PayloadType, critical: Bool, body: Span<UInt8>) throws(WireError) {
        var rest = body
        let length = body.count
        switch type {
        case .securityAssociation: self = .securityAssociation(try rest.take(length: length))
        case .keyExchange: self = .keyExchange(try rest.take(length: length))
        case .identificationInitiator:
            self = .identificationInitiator(try rest.take(length: length))
        case .identificationResponder:
            self = .identificationResponder(try rest.take(length: length))
        case .certificate: self = .certificate(try rest.take(length: length))
        case .certificateRequest: self = .certificateRequest(try rest.take(length: length))
        case .authentication: self = .authentication(try rest.take(length: length))
        case .nonce: self = .nonce(try rest.take(length: length))
        case .notify: self = .notify(try rest.take(length: length))
        case .delete: self = .delete(try rest.take(length: length))
        case .vendorID: self = .vendorID(try rest.take(length: length))
        case .trafficSelectorInitiator:
            self = .trafficSelectorInitiator(try rest.take(length: length))
        case .trafficSelectorResponder:
            self = .trafficSelectorResponder(try rest.take(length: length))
        case .configuration: self = .configuration(try rest.take(length: length))
        case .eap: self = .eap(try rest.take(length: length))
        default: self = .unknown(type, critical: critical, try rest.take(length: length))
        }
    }

    package var type: PayloadType {
        switch self {
        case .securityAssociation: .securityAssociation
        case .keyExchange: .keyExchange
        case .identificationInitiator: .identificationInitiator
        case .identificationResponder: .identificationResponder
        case .certificate: .certificate
        case .certificateRequest: .certificateRequest
        case .authentication: .authentication
        case .nonce: .nonce
        case .notify: .notify
        case .delete: .delete
        case .vendorID: .vendorID
        case .trafficSelectorInitiator: .trafficSelectorInitiator
        case .trafficSelectorResponder: .trafficSelectorResponder
        case .configuration: .configuration
        case .eap: .eap
        case .unknown(let type, _, _): type
        }
    }

    private var body: any Payload {
        switch self {
        case .securityAssociation(let body): body
        case .keyExchange(let body): body
        case .identificationInitiator(let body), .identificationResponder(let body): body
        case .certificate(let body), .certificateRequest(let body): body
        case .authentication(let body): body
        case .nonce(let body): body
        case .notify(let body): body
        case .delete(let body): body
        case .vendorID(let body), .eap(let body), .unknown(_, _, let body): body
        case .trafficSelectorInitiator(let body), .trafficSelectorResponder(let body): body
        case .configuration(let body): body
        }
    }

    private var isCritical: Bool {
        if case .unknown(_, let critical, _) = self { critical } else { false }
    }

    /// Writes the generic header and the body.
    func write(next: PayloadType, to output: inout [UInt8]) {
        output.put(next.rawValue)
        output.put(UInt8(isCritical ? 0x80 : 0))
        let start = output.count
        output.put(UInt16(0))
        body.write(to: &output)
        output.patch(output.count - start + 2, at: start)
    }
}

/// Bytes that pass through here unread: Vendor ID, EAP, and what we don't know.
package struct OpaquePayload: Payload {
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(parsing body: inout Span<UInt8>) throws(WireError) { bytes = body.takeRest() }
    package func write(to output: inout [UInt8]) { output += bytes }
}
