package import Crypto
package import Engine
import Glibc
import Vocabulary

extension Loader {
    /// Nothing is issued or taken unless a file for the keys is named.
    func resumption(_ gateway: Section) -> Configuration.Resumption? {
        let section = gateway.section("resumption")
        defer { section.finish() }
        let lifetime = section.read(
            "lifetime", .duration(.seconds(60)...Duration.seconds(7 * 86_400), "8h"),
            or: Defaults.ticketLifetime)
        let rotate = section.read(
            "rotate", .duration(.seconds(60)...Duration.seconds(30 * 86_400), "12h"),
            or: Defaults.ticketRotation)
        let silentStop = section.read("silent_stop", .truth, or: false)
        guard gateway.has("resumption") else { return nil }
        guard
            let keys = section.require("ticket_keys", .path("/var/lib/weir/tickets.keys"))
        else { return nil }
        if lifetime.value > rotate.value * 24 {
            section.fail(
                "lifetime", "is more than 24 times as long as rotate: too many keys to keep")
        }
        return Configuration.Resumption(
            ticketKeys: Located(absolute(keys.value), at: keys.place, key: keys.key),
            lifetime: lifetime.value, rotate: rotate.value, silentStop: silentStop.value)
    }
}

/// The file with the keys of tickets: a line for each, oldest first, `SECONDS 0xHEX`: when it was
/// made, since the Unix epoch, and 32 random bytes. Mode 0600. Gateways that share it, or have
/// copies of it, take each other's tickets.
package struct TicketKeyFile: Sendable {
    package let path: String
    /// Seconds.
    private let lifetime: UInt64
    private let rotate: UInt64
    private let random: @Sendable () -> any RandomSource

    /// A key seals until the next look at the file, which comes within this time. Seconds.
    package static let patience: UInt64 = 600

    package init(
        _ settings: Configuration.Resumption,
        random: @escaping @Sendable () -> any RandomSource = { SystemRandom() }
    ) {
        path = settings.ticketKeys.value
        lifetime = UInt64(clamping: settings.lifetime.components.seconds)
        rotate = UInt64(clamping: settings.rotate.components.seconds)
        self.random = random
    }

    /// Reads the keys. Makes the file if there is none, a new key if the newest is too old, and
    /// drops those that no ticket can need any more.
    ///
    /// - Parameter now: seconds since the Unix epoch.
    /// - Returns: at least one key, newest last.
    package func keys(at now: UInt64) throws(SecretError) -> [TicketKey] {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw SecretError(
                "cannot create \(path).lock: \(reasonOfErrno()); make its folder writable")
        }
        defer { close(lock) }
        // Another gateway that shares the file may be about to do the same.
        while flock(lock, LOCK_EX) != 0, errno == EINTR {}
        var lines = try Self.lines(in: try kept())
        let count = lines.count
        lines.removeAll { $0.created + rotate + lifetime + Self.patience <= now }
        let isStale = lines.last.map { $0.created + rotate <= now } ?? true
        if isStale { lines.append(Line(created: now, secret: fresh())) }
        if isStale || lines.count != count { try replaceSecretFile(path, Self.text(of: lines)) }
        return try Self.keys(of: lines)
    }

    private func kept() throws(SecretError) -> SecretBytes {
        do throws(SecretError) {
            return try readSecretFile(path)
        } catch {
            guard error.isMissing else { throw error }
            return SecretBytes(copying: [])
        }
    }

    private func fresh() -> SharedSecret {
        SharedSecret(SecretBytes(count: 32) { random().fill(&$0) })
    }
}

// MARK: The text

extension TicketKeyFile {
    private struct Line {
        let created: UInt64
        let secret: SharedSecret
    }

    private static func keys(of lines: [Line]) throws(SecretError) -> [TicketKey] {
        do throws(CryptoError) {
            var keys: [TicketKey] = []
            for line in lines { keys.append(try TicketKey(line.secret, created: line.created)) }
            return keys
        } catch {
            throw SecretError("OpenSSL refuses to make keys of tickets: \(error)")
        }
    }

    private static func lines(in text: borrowing SecretBytes) throws(SecretError) -> [Line] {
        let ranges = text.withBytes { bytes in
            var ranges: [Range<Int>] = []
            var start = 0
            for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
                ranges.append(start..<index)
                start = index + 1
            }
            return start < bytes.count ? ranges + [start..<bytes.count] : ranges
        }
        var lines: [Line] = []
        for (index, range) in ranges.enumerated() where !range.isEmpty {
            lines.append(try line(text.slice(range), number: index + 1))
        }
        return lines.sorted { $0.created < $1.created }
    }

    private static func line(
        _ text: borrowing SecretBytes, number: Int
    ) throws(SecretError) -> Line {
        let space = text.withBytes { bytes in
            bytes.indices.first { bytes[$0] == UInt8(ascii: " ") }
        }
        let created = space.flatMap { space in
            text.withBytes { bytes in
                var digits = ""
                for index in 0..<space {
                    digits.unicodeScalars.append(Unicode.Scalar(bytes[index]))
                }
                return digits.count <= 12 ? UInt64(digits) : nil
            }
        }
        guard let space, let created else {
            throw SecretError("line \(number) is no \"SECONDS 0xHEX\"; remove it, or the file")
        }
        do throws(SecretError) {
            let secret = try decodeSecret(text.slice((space + 1)..<text.count))
            guard secret.count >= 32 else { throw SecretError("has a key of less than 32 bytes") }
            return Line(created: created, secret: SharedSecret(secret))
        } catch {
            throw SecretError("line \(number) \(error.reason)")
        }
    }

    private static func text(of lines: [Line]) -> SecretBytes {
        var text = SecretBytes(copying: [])
        let digits = Array("0123456789abcdef".utf8)
        for line in lines {
            text = text.appending(SecretBytes(copying: Array("\(line.created) 0x".utf8)))
            let hex = line.secret.bytes.withBytes { bytes in
                SecretBytes(count: 2 * bytes.count + 1) { target in
                    for index in bytes.indices {
                        target[2 * index] = digits[Int(bytes[index] >> 4)]
                        target[2 * index + 1] = digits[Int(bytes[index] & 15)]
                    }
                    target[2 * bytes.count] = UInt8(ascii: "\n")
                }
            }
            text = text.appending(hex)
        }
        return text
    }
}
