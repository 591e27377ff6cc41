package import Vocabulary

/// Which identities a connection takes: one, those with an ending, or all.
package enum IdentityPattern: Hashable, Sendable, CustomStringConvertible {
    case exact(Identity)
    /// ASCII letters in lower case. Matches names only: ID_FQDN and ID_RFC822_ADDR.
    case suffix(String)
    case any

    /// Names compare without regard to ASCII case, and whether they came as ID_FQDN or as
    /// ID_RFC822_ADDR; anything else must be equal in kind and bytes.
    package func matches(_ identity: Identity) -> Bool {
        switch self {
        case .any: return true
        case .exact(let wanted):
            let bothNames = Self.isName(wanted) && Self.isName(identity)
            return bothNames
                ? wanted.canonicalBytes == identity.canonicalBytes : wanted == identity
        case .suffix(let ending):
            let wanted = Array(ending.utf8)
            let bytes = identity.canonicalBytes
            return Self.isName(identity) && bytes.count > wanted.count
                && bytes.suffix(wanted.count).elementsEqual(wanted)
        }
    }

    private static func isName(_ identity: Identity) -> Bool {
        identity.kind == .fqdn || identity.kind == .rfc822
    }

    package var description: String {
        switch self {
        case .exact(let identity): identity.text
        case .suffix(let ending): "*" + ending
        case .any: "*"
        }
    }

    init(_ text: String) throws(Refusal) {
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21..<0x7f).contains($0) })
        else { throw Refusal("\(quoted(text)) is empty, too long, or not plain ASCII") }
        let rest = text.drop { $0 == "*" }
        guard !rest.contains("*"), text.count - rest.count <= 1 else {
            throw Refusal("\(quoted(text)) has a \"*\" elsewhere than at its beginning")
        }
        if rest.isEmpty {
            self = .any
        } else if rest.count < text.count {
            self = .suffix(rest.lowercased())
        } else {
            self = .exact(Identity(text))
        }
    }
}

extension Kind where Value == IdentityPattern {
    static var pattern: Self {
        Self("an identity such as alice@example.org or \"*@example.org\"") {
            (text: String) throws(Refusal) in try IdentityPattern(text)
        }
    }
}

extension Kind where Value == Identity {
    static var identity: Self {
        Self("an identity such as gw.example.org") { (text: String) throws(Refusal) in
            guard case .exact(let identity) = try IdentityPattern(text) else {
                throw Refusal("\(quoted(text)) is a pattern")
            }
            return identity
        }
    }
}
