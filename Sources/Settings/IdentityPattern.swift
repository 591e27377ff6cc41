package import Engine
import Vocabulary

extension IdentityPattern {
    /// Reads `*`, `*@example.org`, or an identity.
    init(written text: String) throws(Refusal) {
        guard (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21..<0x7f).contains($0) })
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

extension IdentityPattern: CustomStringConvertible {
    /// As it is written.
    package var description: String {
        switch self {
        case .exact(let identity): identity.text
        case .suffix(let ending): "*" + ending
        case .any: "*"
        }
    }
}

extension Kind where Value == IdentityPattern {
    static var pattern: Self {
        Self("an identity such as alice@example.org or \"*@example.org\"") {
            (text: String) throws(Refusal) in try IdentityPattern(written: text)
        }
    }
}

extension Kind where Value == Identity {
    static var identity: Self {
        Self("an identity such as gw.example.org") { (text: String) throws(Refusal) in
            guard case .exact(let identity) = try IdentityPattern(written: text) else {
                throw Refusal("\(quoted(text)) is a pattern")
            }
            return identity
        }
    }
}
