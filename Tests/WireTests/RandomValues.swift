import Wire

// Any value that a message can hold.

extension Seeded {
    mutating func list<Value>(_ count: ClosedRange<Int>, _ value: (inout Self) -> Value) -> [Value]
    {
        (0..<number(count)).map { _ in value(&self) }
    }

    mutating func attribute() -> Transform.Attribute {
        switch number(0...2) {
        case 0: .keyLength(bits: number(0...0xffff))
        case 1:
            // 14 is the key length, which has a case of its own.
            .short(type: number(15...0x7fff), value: number(0...0xffff))
        default: .long(type: number(0...0x7fff), value: bytes(0...20))
        }
    }

    mutating func proposal() -> Proposal {
        Proposal(
            number: number(0...255), protocolID: ProtocolID(rawValue: number(0...255)),
            spi: bytes(0...12),
            transforms: list(0...5) { random in
                Transform(
                    TransformType(rawValue: random.number(0...255)), random.number(0...0xffff),
                    attributes: random.list(0...8) { $0.attribute() })
            })
    }

    mutating func selector() -> TrafficSelector {
        let size = [0, 4, 16][number(0...2)]
        guard size > 0 else {
            return .unknown(
                type: number(9...255), protocolID: number(0...255), bytes: bytes(0...9))
        }
        return .addresses(
            .init(
                protocolID: number(0...255), firstPort: number(0...0xffff),
                lastPort: number(0...0xffff), first: bytes(size...size), last: bytes(size...size)))
    }

    mutating func delete() -> DeletePayload {
        switch number(0...2) {
        case 0: .ikeSA
        case 1: .children(list(0...5) { $0.number(0...UInt32.max) })
        default: .ah(list(0...5) { $0.number(0...UInt32.max) })
        }
    }

    mutating func configuration() -> ConfigurationPayload {
        ConfigurationPayload(
            ConfigurationPayload.Kind(rawValue: number(1...4)) ?? .request,
            list(0...6) { random in
                .init(.init(rawValue: random.number(0...0x7fff)), random.bytes(0...20))
            })
    }

    mutating func notify() -> NotifyPayload {
        NotifyPayload(
            .init(rawValue: number(0...0xffff)), protocolID: ProtocolID(rawValue: number(0...255)),
            spi: bytes(0...255), data: bytes(0...30))
    }

    mutating func identification() -> IdentificationPayload {
        IdentificationPayload(type: number(0...255), data: bytes(0...40))
    }

    mutating func certificate() -> CertificatePayload {
        CertificatePayload(encoding: number(0...255), data: bytes(0...100))
    }

    /// One of every kind there is.
    mutating func payload(_ kind: Int) -> AnyPayload {
        switch kind {
        case 0: .securityAssociation(SecurityAssociationPayload(list(1...4) { $0.proposal() }))
        case 1:
            .keyExchange(KeyExchangePayload(group: number(0...0xffff), publicValue: bytes(0...64)))
        case 2: .identificationInitiator(identification())
        case 3: .identificationResponder(identification())
        case 4: .certificate(certificate())
        case 5: .certificateRequest(certificate())
        case 6:
            .authentication(
                AuthenticationPayload(method: .init(rawValue: number(0...255)), data: bytes(0...64))
            )
        case 7: .nonce(NoncePayload(bytes(16...256)))
        case 8: .notify(notify())
        case 9: .delete(delete())
        case 10: .vendorID(OpaquePayload(bytes(0...40)))
        case 11: .trafficSelectorInitiator(TrafficSelectorPayload(list(1...5) { $0.selector() }))
        case 12: .trafficSelectorResponder(TrafficSelectorPayload(list(1...5) { $0.selector() }))
        case 13: .configuration(configuration())
        case 14: .eap(OpaquePayload(bytes(0...40)))
        default:
            .unknown(
                PayloadType(rawValue: number(54...255)), critical: number(0...1) == 1,
                OpaquePayload(bytes(0...40)))
        }
    }

    static let payloadKinds = 16

    mutating func header() -> Header {
        Header(
            initiatorSPI: number(1...UInt64.max), responderSPI: number(0...UInt64.max),
            version: 0x20 | number(0...15), exchange: ExchangeType(rawValue: number(0...255)),
            fromInitiator: number(0...1) == 1, isResponse: number(0...1) == 1,
            higherVersion: number(0...1) == 1, messageID: number(0...UInt32.max))
    }
}
