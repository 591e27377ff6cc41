import Crypto
import Vocabulary

extension Loader {
    func connections(_ root: Section, pools: Set<String>) -> [Configuration.Connection] {
        let sections = root.sections("connections")
        if sections.isEmpty {
            root.fail("connections", "there are none, so nobody could log in; add one")
        }
        var names: Set<String> = []
        return sections.compactMap { section in
            guard let connection = connection(section) else { return nil }
            if !names.insert(connection.name).inserted {
                section.fail(
                    "name",
                    "a connection \"\(connection.name)\" is there already; choose another name")
            }
            if !pools.contains(connection.pool) {
                let remedy =
                    suggestion(for: connection.pool, among: pools)
                    .map { "did you mean \"\($0)\"?" } ?? "add it under pools"
                section.fail("pool", "there is no pool \"\(connection.pool)\"; \(remedy)")
            }
            return connection
        }
    }

    private func connection(_ section: Section) -> Configuration.Connection? {
        let rekey = section.section("rekey")
        let tun = section.section("tun")
        defer {
            rekey.finish()
            tun.finish()
            section.finish()
        }
        let name = section.require("name", .name("staff"))
        let localID = section.require("local_id", .identity)
        let remoteIDs = list(section, "remote_ids", of: .pattern) ?? []
        if !section.has("remote_ids") { section.fail("lacks \"remote_ids\": who may log in") }
        let secret = secret(section)
        let pool = section.require("pool", .name("staff"))
        let device = device(tun, isWanted: section.has("tun"))
        let lifetime = Duration.seconds(1)...Duration.seconds(7 * 86_400)
        let rekeyIKE = rekey.read("ike", .duration(lifetime, "4h"), or: Defaults.rekeyIKE)
        let rekeyChild = rekey.read("child", .duration(lifetime, "1h"), or: Defaults.rekeyChild)
        let jitter = rekey.read("jitter", .percent(0...50), or: Defaults.rekeyJitterPercent)
        let grace = rekey.read(
            "grace", .duration(.seconds(1)...Duration.seconds(86_400), "10m"),
            or: Defaults.rekeyGrace)
        let bytes = rekey.optional("bytes", .integer(1_000_000...999_999_999_999))
        let packets = rekey.optional("packets", .integer(1_000...4_000_000_000))
        let unique = section.read("unique", .word, or: Defaults.unique)
        let authLifetime = section.optional(
            "auth_lifetime", .duration(.seconds(60)...Duration.seconds(30 * 86_400), "24h"))
        let sessions = section.optional("max_sessions", .integer(1...1_000_000))
        let perUser = section.optional("max_sessions_per_user", .integer(1...1_000))
        let eviction = section.read("eviction", .word, or: Defaults.eviction)
        let dpd = section.read(
            "dpd", .duration(.seconds(1)...Duration.seconds(3_600), "30s"), or: Defaults.dpd)
        let networks = list(section, "local_ts", of: .prefix) ?? Defaults.localNetworks
        let ike = list(section, "ike_proposals", of: .ikeProposal) ?? Defaults.ikeProposals
        let esp = list(section, "esp_proposals", of: .espProposal) ?? Defaults.espProposals
        guard let name, let localID, let secret, let pool else { return nil }
        return Configuration.Connection(
            name: name.value, localID: localID.value, remoteIDs: remoteIDs, secret: secret,
            pool: pool.value, tun: device, localNetworks: networks, ikeProposals: ike,
            espProposals: esp,
            rekeyIKE: rekeyIKE.value, rekeyChild: rekeyChild.value,
            rekeyBytes: bytes?.value, rekeyPackets: packets?.value, rekeyGrace: grace.value,
            rekeyJitterPercent: jitter.value, dpd: dpd.value, unique: unique.value,
            authLifetime: authLifetime?.value, maxSessions: sessions?.value,
            maxSessionsPerUser: perUser?.value, eviction: eviction.value)
    }

    /// A list with no value twice.
    private func list<Value: Hashable>(
        _ section: Section, _ key: String, of kind: Kind<Value>
    ) -> [Value]? {
        guard let values = section.list(key, of: kind) else { return nil }
        var seen: Set<Value> = []
        for value in values where !seen.insert(value.value).inserted {
            section.report.add(value.problem("\(value) is there twice; keep one of them"))
        }
        return values.map(\.value)
    }

    private func secret(_ section: Section) -> SharedSecret? {
        guard section.has("secret") else {
            section.fail("lacks \"secret\": for example {file: /etc/weir/staff.psk}")
            return nil
        }
        guard let reference = reference(section, "secret") else { return nil }
        do throws(SecretError) {
            return try secrets.secret(reference.value)
        } catch {
            section.report.add(reference.problem(error.reason))
            return nil
        }
    }

    /// Where a secret is kept: exactly one of `file`, `env` and `credential`.
    func reference(_ parent: Section, _ key: String) -> Located<SecretReference>? {
        if parent.has(key), !parent.isMapping(key) {
            // Not a word of what stands there: it may be the secret.
            parent.fail(
                key,
                "a secret does not belong in this file; write it into a file of mode 0600 "
                    + "and its path here: {file: /etc/weir/staff.psk}")
            return nil
        }
        let section = parent.section(key)
        let file = section.optional("file", .path("/etc/weir/staff.psk"))
        let variable = section.optional("env", .name("WEIR_PSK"))
        let credential = section.optional("credential", .name("staff.psk"))
        section.finish()
        let found = [
            file.map {
                Located(SecretReference.file(absolute($0.value)), at: $0.place, key: $0.key)
            },
            variable.map { Located(.environment($0.value), at: $0.place, key: $0.key) },
            credential.map { Located(.credential($0.value), at: $0.place, key: $0.key) },
        ].compactMap(\.self)
        if parent.has(key), found.count != 1 {
            section.fail("needs exactly one of file, env, credential")
            return nil
        }
        return found.first
    }
}
