import Crypto
import Engine

extension IKESuite {
    /// Reads a name as strongSwan has it: `aes256gcm16-prfsha384-ecp256`.
    init(written text: String) throws(Refusal) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw Refusal("\(quoted(text)) has not three parts: cipher, PRF, key exchange")
        }
        let aead = try AlgorithmName.find(parts[0], in: AlgorithmName.ciphers, "cipher")
        let prf = try AlgorithmName.find(parts[1], in: AlgorithmName.prfs, "PRF")
        let group = try AlgorithmName.find(parts[2], in: AlgorithmName.groups, "key exchange")
        self.init(aead: aead, prf: prf, group: group)
    }
}

extension ESPSuite {
    /// Reads `aes128gcm16`, or with perfect forward secrecy at each rekey `aes128gcm16-x25519`.
    init(written text: String) throws(Refusal) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count) else {
            throw Refusal("\(quoted(text)) has not one or two parts: cipher, key exchange")
        }
        let aead = try AlgorithmName.find(parts[0], in: AlgorithmName.ciphers, "cipher")
        let group =
            parts.count == 2
            ? try AlgorithmName.find(parts[1], in: AlgorithmName.groups, "key exchange") : nil
        self.init(aead: aead, group: group)
    }
}

extension Kind where Value == IKESuite {
    static var ikeProposal: Self {
        Self("IKE algorithms such as aes256gcm16-prfsha384-ecp256") {
            (text: String) throws(Refusal) in
            try IKESuite(written: text)
        }
    }
}

extension Kind where Value == ESPSuite {
    static var espProposal: Self {
        Self("ESP algorithms such as aes256gcm16 or aes256gcm16-x25519") {
            (text: String) throws(Refusal) in try ESPSuite(written: text)
        }
    }
}

/// Names of algorithms, as strongSwan has them.
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
