import Crypto
import Engine

extension IKESuite {
    /// Reads a name as strongSwan has it: `aes256gcm16-prfsha384-ecp384`, or for older clients
    /// `aes256-sha256-modp2048`, where the PRF is of the integrity's hash unless named, too.
    init(written text: String) throws(Refusal) {
        var parts = ProposalParts(text)
        let cipher = try parts.cipher()
        let prf: PRF
        if case .encryptThenMAC(_, let integrity) = cipher, parts.left < 2 {
            prf = integrity.prf
        } else {
            prf = try parts.next(in: AlgorithmName.prfs, "PRF")
        }
        let group = try parts.next(in: AlgorithmName.groups, "key exchange")
        try parts.end(after: "cipher, PRF, key exchange")
        self.init(cipher: cipher, prf: prf, group: group)
    }
}

extension ESPSuite {
    /// Reads `aes128gcm16`, `aes256-sha256`, or with perfect forward secrecy at each rekey
    /// `aes128gcm16-x25519`.
    init(written text: String) throws(Refusal) {
        var parts = ProposalParts(text)
        let cipher = try parts.cipher()
        let group =
            parts.left > 0 ? try parts.next(in: AlgorithmName.groups, "key exchange") : nil
        try parts.end(after: "cipher, key exchange")
        self.init(cipher: cipher, group: group)
    }
}

extension Kind where Value == IKESuite {
    static var ikeProposal: Self {
        Self("IKE algorithms such as aes256gcm16-prfsha384-ecp384") {
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

/// The words of a proposal, read one after another.
private struct ProposalParts {
    private let text: String
    private var parts: ArraySlice<String>

    init(_ text: String) {
        self.text = text
        parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)[...]
    }

    var left: Int { parts.count }

    /// An AEAD is one word, another cipher is followed by its integrity.
    mutating func cipher() throws(Refusal) -> Cipher {
        switch try next(in: AlgorithmName.ciphers, "cipher") {
        case .complete(let aead):
            if let next = parts.first, AlgorithmName.integrities.contains(where: { $0.0 == next }) {
                throw Refusal("\(quoted(text)) needs no \(next): its cipher checks by itself")
            }
            return .aead(aead)
        case .needsIntegrity(let encryption):
            return .encryptThenMAC(
                encryption, try next(in: AlgorithmName.integrities, "integrity algorithm"))
        }
    }

    mutating func next<Value>(
        in table: [(String, Value)], _ what: String
    ) throws(Refusal) -> Value {
        guard let name = parts.popFirst() else {
            throw Refusal("\(quoted(text)) has no \(what); known: \(names(table))")
        }
        if let found = table.first(where: { $0.0 == name }) { return found.1 }
        let remedy =
            suggestion(for: name, among: table.map(\.0)).map { "did you mean \"\($0)\"?" }
            ?? "known: \(names(table))"
        throw Refusal("\(quoted(name)) is not a \(what) that Weir has; \(remedy)")
    }

    private func names<Value>(_ table: [(String, Value)]) -> String {
        table.map(\.0).joined(separator: ", ")
    }

    func end(after what: String) throws(Refusal) {
        guard parts.isEmpty else { throw Refusal("\(quoted(text)) has more than \(what)") }
    }
}

/// Names of algorithms, as strongSwan has them; the first of each kind is how it prints.
private enum AlgorithmName {
    enum CipherWord {
        case complete(AEAD)
        case needsIntegrity(Encryption)
    }

    static let ciphers =
        AEAD.allCases.map { ($0.name, CipherWord.complete($0)) }
        + Encryption.allCases.map { ($0.name, CipherWord.needsIntegrity($0)) }
    static let integrities = Integrity.allCases.map { ($0.name, $0) }
    static let prfs = PRF.allCases.map { ($0.name, $0) }
    static let groups =
        DHGroup.allCases.map { ($0.name, $0) } + [("curve25519", .x25519), ("curve448", .x448)]
}
