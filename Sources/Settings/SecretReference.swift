package import Crypto
import Foundation

/// Where a secret is kept. The configuration itself never holds one.
package enum SecretReference: Hashable, Sendable, CustomStringConvertible {
    /// A path.
    case file(String)
    /// A variable of the environment.
    case environment(String)
    /// A file in `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential=).
    case credential(String)

    package var description: String {
        switch self {
        case .file(let path): "file \(path)"
        case .environment(let name): "environment variable \(name)"
        case .credential(let name): "credential \(name)"
        }
    }
}

/// Fetches secrets. Tests bring their own.
package struct SecretSource: Sendable {
    /// The bytes as they are kept, or a ``SecretError``.
    let fetch: @Sendable (SecretReference) throws(SecretError) -> SecretBytes

    package init(_ fetch: @escaping @Sendable (SecretReference) throws(SecretError) -> SecretBytes)
    {
        self.fetch = fetch
    }

    /// The file system and the environment of this process.
    package static let system = SecretSource { (reference) throws(SecretError) in
        let environment = ProcessInfo.processInfo.environment
        switch reference {
        case .file(let path): return try readSecretFile(path)
        case .environment(let name):
            guard let text = environment[name] else {
                throw SecretError("the environment has no \(name); set it, or use {file: …}")
            }
            return SecretBytes(copying: Array(text.utf8))
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"] else {
                throw SecretError(
                    "$CREDENTIALS_DIRECTORY is not set; add LoadCredential=\(name):PATH to the unit"
                )
            }
            return try readSecretFile("\(folder)/\(name)")
        }
    }

    /// The secret that a reference stands for.
    package func secret(_ reference: SecretReference) throws(SecretError) -> SharedSecret {
        let kept = try fetch(reference)
        do throws(SecretError) {
            return SharedSecret(try decodeSecret(kept))
        } catch {
            throw error.isMissing ? error : SecretError("the \(reference) \(error.reason)")
        }
    }
}

/// Why there is no secret, in words that don't contain it.
package struct SecretError: Error, Hashable, Sendable {
    package let reason: String
    /// There is no such file.
    package let isMissing: Bool

    package init(_ reason: String, isMissing: Bool = false) {
        self.reason = reason
        self.isMissing = isMissing
    }
}
