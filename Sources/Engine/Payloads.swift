import Wire

/// What a message holds, asked by name. Of several the first counts.
extension [AnyPayload] {
    func notifies(_ kind: NotifyPayload.Kind) -> [NotifyPayload] {
        compactMap {
            if case .notify(let notify) = $0, notify.kind == kind { notify } else { nil }
        }
    }

    func has(_ kind: NotifyPayload.Kind) -> Bool { !notifies(kind).isEmpty }

    /// The first error notify.
    var error: NotifyPayload? {
        for case .notify(let notify) in self where notify.kind.isError { return notify }
        return nil
    }

    /// The first payload that we don't know and must not ignore (RFC 7296 §2.5).
    var unknownCritical: PayloadType? {
        for case .unknown(let type, critical: true, _) in self { return type }
        return nil
    }

    var securityAssociation: SecurityAssociationPayload? {
        for case .securityAssociation(let payload) in self { return payload }
        return nil
    }

    var keyExchange: KeyExchangePayload? {
        for case .keyExchange(let payload) in self { return payload }
        return nil
    }

    var nonce: NoncePayload? {
        for case .nonce(let payload) in self { return payload }
        return nil
    }

    var identificationInitiator: IdentificationPayload? {
        for case .identificationInitiator(let payload) in self { return payload }
        return nil
    }

    var identificationResponder: IdentificationPayload? {
        for case .identificationResponder(let payload) in self { return payload }
        return nil
    }

    var authentication: AuthenticationPayload? {
        for case .authentication(let payload) in self { return payload }
        return nil
    }

    var configuration: ConfigurationPayload? {
        for case .configuration(let payload) in self { return payload }
        return nil
    }

    var trafficSelectorsInitiator: [Wire.TrafficSelector]? {
        for case .trafficSelectorInitiator(let payload) in self { return payload.selectors }
        return nil
    }

    var trafficSelectorsResponder: [Wire.TrafficSelector]? {
        for case .trafficSelectorResponder(let payload) in self { return payload.selectors }
        return nil
    }

    var deletes: [DeletePayload] {
        compactMap { if case .delete(let payload) = $0 { payload } else { nil } }
    }
}
