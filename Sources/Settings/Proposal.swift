package import Crypto

/// The algorithms of an IKE SA, named as strongSwan names them: `aes256gcm16-prfsha384-ecp256`.
package struct IKEProposal: Hashable, Sendable, CustomStringConvertible {
    package let aead: AEAD
    package let prf: PRF
    package let group: DHGroup

    package init(aead: AEAD, prf: PRF, group: DHGroup) {
        self.aead = aead
        self.prf = prf
        self.group = group
    }

    package var description: String {
        "\(AlgorithmName.of(aead))-\(AlgorithmName.of(prf))-\(AlgorithmName.of(group))"
    }

    init(_ text: String) throws(Refusal) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw Refusal("\(quoted(text)) has not three parts: cipher, PRF, key exchange")
        }
        aead = try AlgorithmName.find(parts[0], in: AlgorithmName.ciphers, "cipher")
        prf = try AlgorithmName.find(parts[1], in: AlgorithmName.prfs, "PRF")
        group = try AlgorithmName.find(parts[2], in: AlgorithmName.groups, "key exchange")
    }
}

/// The algorithms of a Child SA: `aes128gcm16`, or with perfect forward secrecy at each rekey
/// `aes128gcm16-x25519`.
package struct ESPProposal: Hashable, Sendable, CustomStringConvertible {
    package let aead: AEAD
    package let group: DHGroup?

    package init(aead: AEAD, group: DHGroup? = nil) {
        self.aead = aead
        self.group = group
    }

    package var description: String {
        AlgorithmName.of(aead) + (group.map { "-" + AlgorithmName.of($0) } ?? "")
    }

    init(_ text: String) throws(Refusal) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count) else {
            throw Refusal("\(quoted(text)) has not one or two parts: cipher, key exchange")
        }
        aead = try AlgorithmName.find(parts[0], in: AlgorithmName.ciphers, "cipher")
        group =
            parts.count == 2
            ? try AlgorithmName.find(parts[1], in: AlgorithmName.groups, "key exchange") : nil
    }
}

extension Kind where Value == IKEProposal {
    static var ikeProposal: Self {
        Self("IKE algorithms such as aes256gcm16-prfsha384-ecp256") { (text: String) throws(Refusal) in
            try IKEProposal(text)
        }
    }
}

extension Kind where Value == ESPProposal {
    static var espProposal: Self {
        Self("ESP algorithms such as aes256gcm16 or aes256gcm16-x25519") {
            (text: String) throws(Refusal) in try ESPProposal(text)
        }
    }
}

/// Names of algorithms. The first name of each is the one that is printed.
private enum AlgorithmName {
    static let ciphers: [(String, AEAD)] = [
        ("aes128gcm16", .aes128GCM16), ("aes256gcm16", .aes256GCM16),
    ]
    static let prfs: [(String, PRF)] = [
        ("prfsha256", .hmacSHA256), ("prfsha384", .hmacSHA384), ("prfsha512", .hmacSHA512),
    ]
    static let groups: [(String, DHGroup)] = [
        ("x25519", .x25519), ("curve25519", .x25519), ("ecp256", .p256),
    ]

    static func of(_ aead: AEAD) -> String { name(of: aead, in: ciphers) }
    static func of(_ prf: PRF) -> String { name(of: prf, in: prfs) }
    static func of(_ group: DHGroup) -> String { name(of: group, in: groups) }

    private static func name<Value: Equatable>(of value: Value, in table: [(String, Value)]) -> String {
        table.first { $0.1 == value }?.0 ?? "unnamed"
    }

    static func find<Value>(
        _ name: String, in table: [(String, Value)], _ what: String
    ) throws(Refusal) -> Value {
        if let found = table.first(where: { $0.0 == name }) { return found.1 }
        let names = table.map(\.0)
        let remedy =
            suggestion(for: name, among: names).map { "did you mean \"\($0)\"?" }
            ?? "known: \(names.joined(separator: ", "))"
        throw Refusal("\(quoted(name)) is not a \(what) that Weir has; \(remedy)")
    }
}
