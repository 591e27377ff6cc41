/// Why a record from outside is no event of ours.
package enum ReadmissionError: Error, Hashable, Sendable {
    case unknownField(String)
    /// Not of the field's storage class, or negative where that can't be.
    case unfit(field: String, expected: String)
}

extension ReadmissionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownField(let name):
            "the event has no field \(escaped(Array(name.utf8.prefix(64)))); see weir records"
        case .unfit(let field, let expected): "field \(field) is no \(expected)"
        }
    }
}

extension EventKind {
    /// An event that comes from outside: exported earlier, or written by somebody else. Personal
    /// values that are clear go through the policy in force; nothing more personal than it allows
    /// gets in.
    ///
    /// - Parameter members: by field; what is missing is null.
    package func readmitted(
        _ members: [String: Datum], under policy: Disclosure
    ) throws(ReadmissionError) -> DisclosedEvent {
        for name in members.keys.sorted() where !fields.contains(where: { $0.name == name }) {
            throw .unknownField(name)
        }
        var values: [Datum] = []
        for field in fields {
            values.append(try field.readmitted(members[field.name] ?? .null, under: policy))
        }
        return DisclosedEvent(kind: name, values: values)
    }
}

extension FieldDescription {
    fileprivate func readmitted(
        _ datum: Datum, under policy: Disclosure
    ) throws(ReadmissionError) -> Datum {
        switch (storage, datum) {
        case (_, .null): return .null
        case (.integer, .integer(let number)):
            let isCount = [Unit.bytes, .packets, .count].contains(unit)
            guard number >= 0 || !isCount else {
                throw .unfit(field: name, expected: "count; it is negative")
            }
            return datum
        case (.real, .real): return datum
        case (.real, .integer(let number)): return .real(Double(number))
        case (.text, .text(let text)):
            if name == "session", !SessionID.isWellFormed(text) {
                throw .unfit(field: name, expected: "session id such as \(SessionID.example)")
            }
            guard let purpose else { return datum }
            guard let kept = policy.readmit(text, as: purpose) else {
                throw .unfit(field: name, expected: "address")
            }
            return kept
        default: throw .unfit(field: name, expected: storage.rawValue)
        }
    }
}

extension Disclosure {
    /// What of a personal value from outside may be kept.
    ///
    /// A pseudonym is taken as it is where the policy keeps values apart; a network or a domain,
    /// unless it keeps nothing; everything else is a clear value, which the policy discloses.
    ///
    /// - Returns: nil for what should be an address and is none.
    package func readmit(_ text: String, as purpose: Purpose) -> Datum? {
        let treatment = treatment(of: purpose)
        if Self.isPseudonym(text, of: purpose) {
            return treatment == .clear || treatment == .pseudonym ? .text(text) : .null
        }
        switch purpose {
        case .identity:
            if text.utf8.first == UInt8(ascii: "@") {
                return treatment == .omit ? .null : .text(text)
            }
            return disclose(Identity(readmitting: text))
        case .address, .virtualAddress:
            if Self.isNetwork(text) { return treatment == .omit ? .null : .text(text) }
            guard let address = IPAddress(text) else { return nil }
            return purpose == .address ? disclose(address) : disclose(VirtualAddress(address))
        }
    }

    /// As every pseudonymiser of ours writes them: the purpose's word, a colon, 16 characters of
    /// base32.
    private static func isPseudonym(_ text: String, of purpose: Purpose) -> Bool {
        let word = purpose.rawValue + ":"
        guard text.hasPrefix(word) else { return false }
        let digits = text.utf8.dropFirst(word.utf8.count)
        return digits.count == 16
            && digits.allSatisfy { (0x61...0x7a).contains($0) || (0x32...0x37).contains($0) }
    }

    private static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])),
            let length = Int(parts[1])
        else { return false }
        return (0...(address.isIPv4 ? 24 : 48)).contains(length)
            && address.prefix(length) == address
    }
}

extension Identity {
    /// Reads what ``text`` shows, with `\xNN` as the byte it stands for.
    fileprivate init(readmitting text: String) {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "\\"), rest.dropFirst().first == UInt8(ascii: "x"),
                let value = UInt8(
                    String(decoding: rest.dropFirst(2).prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        let plain = Identity(text)
        self = bytes.elementsEqual(text.utf8) ? plain : Identity(kind: plain.kind, bytes: bytes)
    }
}

extension SessionID {
    /// Whether it is as ``description`` writes one.
    package static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            [8, 13, 18, 23].contains(index)
                ? byte == UInt8(ascii: "-")
                : (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        }
    }
}
