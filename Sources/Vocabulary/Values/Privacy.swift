/// What a value reveals. The class is part of a field's type: there is no way to record a value
/// that nobody classified. Key material has no class, so no event can contain it.
package protocol PrivacyClass: Sendable {
    static var name: String { get }
}

/// Says nothing about a person.
package enum PublicClass: PrivacyClass {
    package static let name = "public"
}

/// Points at a person or their device.
package enum PersonalClass: PrivacyClass {
    package static let name = "personal"
}

/// A value together with its privacy class.
///
/// Two classified values can be compared and grouped without being read.
package struct Classified<Value: Recordable, Class: PrivacyClass>: Hashable, Sendable {
    fileprivate let value: Value

    package init(_ value: Value) {
        self.value = value
    }
}

package typealias Public<Value: Recordable> = Classified<Value, PublicClass>
package typealias Personal<Value: PersonalValue> = Classified<Value, PersonalClass>

extension Classified where Class == PublicClass {
    package var clear: Value { value }
}

extension Classified: CustomStringConvertible, CustomReflectable, CustomDebugStringConvertible {
    /// Never the value: a stray `print` must not become a leak.
    package var description: String { "‹\(Class.name) \(Value.self)›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a personal value is about. Pseudonyms of different purposes can't be linked.
package enum Purpose: String, CaseIterable, Sendable {
    /// Who: IDi, user names. Pseudonyms begin with `id:`.
    case identity = "id"
    /// Where from: outer source addresses. Pseudonyms begin with `addr:`.
    case address = "addr"
    /// Inner addresses that a pool lent out. Pseudonyms begin with `vip:`.
    case virtualAddress = "vip"
}

/// A value that only the disclosure policy may turn into a ``Datum``.
package protocol PersonalValue: Recordable {
    static var purpose: Purpose { get }
    /// The bytes a pseudonym is made of. Equal values have equal bytes.
    var canonicalBytes: [UInt8] { get }
    /// A coarser value that many people share: a network prefix, a domain.
    var generalised: Datum { get }
    /// There is nothing to tell.
    var isAbsent: Bool { get }
}

extension PersonalValue {
    package var isAbsent: Bool { false }
}

extension Optional: PersonalValue where Wrapped: PersonalValue {
    package static var purpose: Purpose { Wrapped.purpose }
    package var canonicalBytes: [UInt8] { self?.canonicalBytes ?? [] }
    package var generalised: Datum { self?.generalised ?? .null }
    package var isAbsent: Bool { self?.isAbsent ?? true }
}

/// Makes keyed pseudonyms. The key never leaves the implementation.
package protocol Pseudonymiser: Sendable {
    /// - Returns: a short ASCII text, the same for the same bytes and purpose.
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String
}

/// The redaction policy: what leaves the process of each kind of personal value.
package struct Disclosure: Sendable {
    package enum Treatment: String, CaseIterable, Sendable {
        /// As it is.
        case clear
        /// A keyed pseudonym: joins within this gateway, means nothing outside.
        case pseudonym
        /// A prefix or a domain.
        case prefix
        /// Nothing.
        case omit
    }

    package var identities: Treatment
    package var addresses: Treatment
    package var virtualAddresses: Treatment
    package let pseudonymiser: any Pseudonymiser

    package init(
        identities: Treatment = .pseudonym, addresses: Treatment = .pseudonym,
        virtualAddresses: Treatment = .pseudonym, pseudonymiser: any Pseudonymiser
    ) {
        self.identities = identities
        self.addresses = addresses
        self.virtualAddresses = virtualAddresses
        self.pseudonymiser = pseudonymiser
    }

    package func treatment(of purpose: Purpose) -> Treatment {
        switch purpose {
        case .identity: identities
        case .address: addresses
        case .virtualAddress: virtualAddresses
        }
    }

    /// What a sink gets to see of `value`.
    package func disclose<Value: PersonalValue>(_ value: Value) -> Datum {
        guard !value.isAbsent else { return .null }
        switch treatment(of: Value.purpose) {
        case .clear: return value.datum
        case .pseudonym:
            return .text(pseudonymiser.pseudonym(of: value.canonicalBytes, for: Value.purpose))
        case .prefix: return value.generalised
        case .omit: return .null
        }
    }
}

extension Classified where Class == PersonalClass, Value: PersonalValue {
    /// The same value, for a field that may also have none.
    package var optional: Personal<Value?> { Personal<Value?>(value) }

    package func datum(under policy: Disclosure) -> Datum { policy.disclose(value) }
}

extension Classified where Class == PublicClass {
    package func datum(under policy: Disclosure) -> Datum { value.datum }
}

extension Classified where Class == PersonalClass, Value == IPAddress {
    /// The network that an address belongs to, which is personal, too, and its prefix length.
    func network(v4: Int, v6: Int) -> (Personal<IPAddress>, bits: UInt64) {
        let length = value.isIPv4 ? v4 : v6
        return (Personal(value.prefix(length)), UInt64(clamping: length))
    }
}
