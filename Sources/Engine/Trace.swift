import Wire

/// One message in the notation of RFC 7296 §1.2:
/// `IKE_AUTH request 1 { IDi, AUTH, SA, TSi, TSr }`. Names only, no values.
package struct Trace: Sendable, CustomStringConvertible {
    package let description: String

    init(_ header: Header, _ payloads: [AnyPayload]) {
        let exchange =
            switch header.exchange {
            case .ikeSAInit: "IKE_SA_INIT"
            case .ikeAuth: "IKE_AUTH"
            case .createChildSA: "CREATE_CHILD_SA"
            case .informational: "INFORMATIONAL"
            case .ikeSessionResume: "IKE_SESSION_RESUME"
            default: "exchange \(header.exchange.rawValue)"
            }
        let names = payloads.map(Self.name).joined(separator: ", ")
        description =
            "\(exchange) \(header.isResponse ? "response" : "request") \(header.messageID) "
            + (names.isEmpty ? "{}" : "{ \(names) }")
    }

    private static func name(_ payload: AnyPayload) -> String {
        switch payload {
        case .securityAssociation: "SA"
        case .keyExchange: "KE"
        case .identificationInitiator: "IDi"
        case .identificationResponder: "IDr"
        case .certificate: "CERT"
        case .certificateRequest: "CERTREQ"
        case .authentication: "AUTH"
        case .nonce: "N"
        case .notify(let notify): "N(\(name(notify.kind)))"
        case .delete(.ikeSA): "D(IKE)"
        case .delete: "D(ESP)"
        case .vendorID: "V"
        case .trafficSelectorInitiator: "TSi"
        case .trafficSelectorResponder: "TSr"
        case .configuration(let payload): payload.kind == .request ? "CP(REQUEST)" : "CP(REPLY)"
        case .eap: "EAP"
        case .unknown(let type, _, _): "payload \(type.rawValue)"
        }
    }

    private static func name(_ kind: NotifyPayload.Kind) -> String {
        switch kind {
        case .unsupportedCriticalPayload: "UNSUPPORTED_CRITICAL_PAYLOAD"
        case .invalidMajorVersion: "INVALID_MAJOR_VERSION"
        case .invalidSyntax: "INVALID_SYNTAX"
        case .noProposalChosen: "NO_PROPOSAL_CHOSEN"
        case .invalidKEPayload: "INVALID_KE_PAYLOAD"
        case .authenticationFailed: "AUTHENTICATION_FAILED"
        case .noAdditionalSAs: "NO_ADDITIONAL_SAS"
        case .internalAddressFailure: "INTERNAL_ADDRESS_FAILURE"
        case .failedCPRequired: "FAILED_CP_REQUIRED"
        case .tsUnacceptable: "TS_UNACCEPTABLE"
        case .temporaryFailure: "TEMPORARY_FAILURE"
        case .childSANotFound: "CHILD_SA_NOT_FOUND"
        case .initialContact: "INITIAL_CONTACT"
        case .natDetectionSourceIP: "NAT_DETECTION_SOURCE_IP"
        case .natDetectionDestinationIP: "NAT_DETECTION_DESTINATION_IP"
        case .cookie: "COOKIE"
        case .rekeySA: "REKEY_SA"
        case .redirectSupported: "REDIRECT_SUPPORTED"
        case .redirect: "REDIRECT"
        case .redirectedFrom: "REDIRECTED_FROM"
        case .singlePairRequired: "SINGLE_PAIR_REQUIRED"
        case .useTransportMode: "USE_TRANSPORT_MODE"
        case .authLifetime: "AUTH_LIFETIME"
        case .ticketLTOpaque: "TICKET_LT_OPAQUE"
        case .ticketRequest: "TICKET_REQUEST"
        case .ticketAck: "TICKET_ACK"
        case .ticketNack: "TICKET_NACK"
        case .ticketOpaque: "TICKET_OPAQUE"
        case .childlessSupported: "CHILDLESS_IKEV2_SUPPORTED"
        case .unacceptableAddresses: "UNACCEPTABLE_ADDRESSES"
        case .unexpectedNATDetected: "UNEXPECTED_NAT_DETECTED"
        case .mobikeSupported: "MOBIKE_SUPPORTED"
        case .additionalIP4Address: "ADDITIONAL_IP4_ADDRESS"
        case .additionalIP6Address: "ADDITIONAL_IP6_ADDRESS"
        case .noAdditionalAddresses: "NO_ADDITIONAL_ADDRESSES"
        case .updateSAAddresses: "UPDATE_SA_ADDRESSES"
        case .cookie2: "COOKIE2"
        case .noNATsAllowed: "NO_NATS_ALLOWED"
        case .fragmentationSupported: "IKEV2_FRAGMENTATION_SUPPORTED"
        default: "\(kind.rawValue)"
        }
    }
}
