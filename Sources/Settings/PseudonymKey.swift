package import Crypto
import Vocabulary

extension Configuration.Privacy {
    /// The key of the pseudonyms.
    ///
    /// - Parameter create: make a key file that is missing: mode 0600, 32 random bytes as `0x…`.
    /// - Returns: nil if the key file is missing and `create` is false.
    package func pseudonymKey(
        create: Bool, secrets: SecretSource = .system, random: any RandomSource = SystemRandom()
    ) throws(SettingsError) -> SharedSecret? {
        do throws(SecretError) {
            return try fetch(secrets, orCreateWith: create ? random : nil)
        } catch {
            if error.isMissing, !create { return nil }
            throw SettingsError([key.problem(error.reason)])
        }
    }

    private func fetch(
        _ secrets: SecretSource, orCreateWith random: (any RandomSource)?
    ) throws(SecretError) -> SharedSecret {
        do throws(SecretError) {
            return try checked(try secrets.secret(key.value))
        } catch {
            guard error.isMissing, let random, case .file(let path) = key.value else { throw error }
            let text = "0x" + hex(random.bytes(32)) + "\n"
            // False if somebody else was faster; then theirs is the key.
            _ = try createSecretFile(path, Array(text.utf8))
            return try checked(try secrets.secret(key.value))
        }
    }

    private func checked(_ key: SharedSecret) throws(SecretError) -> SharedSecret {
        guard key.bytes.count >= 16 else {
            throw SecretError(
                "the key is shorter than 16 bytes, so that pseudonyms could be guessed; "
                    + "remove the file to have a new one made, or use 32 random bytes")
        }
        return key
    }
}
