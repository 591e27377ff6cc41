package import Vocabulary

/// Which identities a connection takes: one, those with an ending, or all.
package enum IdentityPattern: Hashable, Sendable {
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
            return wanted.isName && identity.isName
                ? wanted.canonicalBytes == identity.canonicalBytes : wanted == identity
        case .suffix(let ending):
            let wanted = Array(ending.utf8)
            let bytes = identity.canonicalBytes
            return identity.isName && bytes.count > wanted.count
                && bytes.suffix(wanted.count).elementsEqual(wanted)
        }
    }
}

extension Identity {
    fileprivate var isName: Bool { kind == .fqdn || kind == .rfc822 }
}
