import Crypto
import Vocabulary

/// What a file says under each key, defaults included.
package struct Written: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    struct Entry: Sendable {
        /// As it stands in the file; nil for a default.
        let text: String?
        /// What it means.
        let value: String
        let place: Place

        var shown: String { escaped(Array((text ?? value).utf8.prefix(64))) }
    }

    private(set) var entries: [String: Entry] = [:]

    /// A list of one may stand without brackets: its first entry has the list's own name.
    mutating func add(_ key: String, _ text: String?, _ value: String, at place: Place) {
        let name = key.hasSuffix("[1]") ? String(key.dropLast(3)) : key
        entries[name] = Entry(text: text, value: value, place: place)
    }

    /// The entries with pools and connections by their names instead of their numbers, so that
    /// one more at the front is not a change of all others.
    func named() -> [String: Entry] {
        var named: [String: Entry] = [:]
        for (key, entry) in entries {
            guard let open = key.firstIndex(of: "["), let close = key.firstIndex(of: "]"),
                open < close, let name = entries[key[...close] + ".name"]?.shown
            else {
                named[key] = entry
                continue
            }
            named[key[...open] + name + key[close...]] = entry
        }
        return named
    }

    package var description: String { "‹as written›" }
    package var debugDescription: String { description }
}

/// One value that is another in a new configuration. Nothing in it is a secret or a person's.
package struct Change: Hashable, Sendable {
    /// Such as `pools[staff].addresses`.
    package let key: String
    /// Such as `10000 -> 20000`.
    package let text: String
    /// Where the new value stands, or would.
    package let place: Place

    /// Whether a running gateway can follow.
    package var isLive: Bool {
        // A device comes and goes with the process.
        Self.live.contains { key == $0 || key.hasPrefix($0 + "[") } && !key.contains("].tun")
    }

    private static let live = [
        "connections", "pools", "gateway.max_sessions", "gateway.eviction", "gateway.max_half_open",
        "gateway.max_child_sas", "gateway.fragment_size", "gateway.drain.deadline",
        "gateway.drain.to",
        "gateway.defence.cookies_from", "gateway.defence.cookies_from_per_source",
        "gateway.defence.max_half_open_per_source", "gateway.defence.key_exchanges_per_second",
        "gateway.defence.key_exchanges_per_second_per_source",
        "gateway.defence.requests_per_second",
    ]

    package var line: String { "\(key): \(text)" }

    /// For what is not live.
    package var problem: Problem {
        Problem(
            place, key: key,
            "cannot change while weir runs (\(text)); restart weir, or take the change back")
    }
}

extension Configuration {
    /// What another configuration says differently, by key.
    package func changes(to new: Configuration) -> [Change] {
        let (before, after) = (written.named(), new.written.named())
        var changes: [Change] = []
        for key in Set(before.keys).union(after.keys).sorted() {
            let (old, now) = (before[key], after[key])
            guard let place = now?.place ?? old?.place, differ(old, now, key) else { continue }
            changes.append(Change(key: key, text: text(old, now, key), place: place))
        }
        return changes + secretChanges(to: new) + orderChange(to: new) + poolChanges(to: new)
    }

    private func differ(_ old: Written.Entry?, _ now: Written.Entry?, _ key: String) -> Bool {
        isPersonal(key) ? old?.text != now?.text : old?.value != now?.value
    }

    private func text(_ old: Written.Entry?, _ now: Written.Entry?, _ key: String) -> String {
        guard let old else { return isPersonal(key) ? "added" : "added \(now?.shown ?? "")" }
        guard let now else { return isPersonal(key) ? "removed" : "removed \(old.shown)" }
        return isPersonal(key) ? "changed" : "\(old.shown) -> \(now.shown)"
    }

    /// Who may log in is not for every log.
    private func isPersonal(_ key: String) -> Bool {
        key.contains(".remote_ids") || key.contains(".local_id")
    }

    /// A secret whose file has the same name and another content.
    private func secretChanges(to new: Configuration) -> [Change] {
        let here =
            connections.map { ("connections[\($0.name)].secret", $0.secret) }
            + (radius?.servers ?? []).map { ("radius.servers[\($0.name)].secret", $0.secret) }
        let there =
            new.connections.map { ("connections[\($0.name)].secret", $0.secret) }
            + (new.radius?.servers ?? []).map { ("radius.servers[\($0.name)].secret", $0.secret) }
        return there.compactMap { key, secret in
            guard let old = here.first(where: { $0.0 == key }), !old.1.bytes.matches(secret.bytes)
            else { return nil }
            return Change(key: key, text: "another secret", place: Place(file: new.file))
        }
    }

    /// Sessions have addresses of the old pool, whose routes are the device's.
    private func poolChanges(to new: Configuration) -> [Change] {
        new.connections.compactMap { connection in
            guard
                let old = connections.first(where: { $0.name == connection.name }),
                old.tun != nil, old.pool != connection.pool
            else { return nil }
            return Change(
                key: "connections[\(connection.name)].tun",
                text: "another pool on this device", place: Place(file: new.file))
        }
    }

    /// The first connection that takes an identity has it, so the order matters.
    private func orderChange(to new: Configuration) -> [Change] {
        let names = Set(connections.map(\.name)).intersection(new.connections.map(\.name))
        let before = connections.map(\.name).filter(names.contains)
        let after = new.connections.map(\.name).filter(names.contains)
        guard before != after else { return [] }
        return [
            Change(
                key: "connections",
                text: "\(before.joined(separator: ", ")) -> \(after.joined(separator: ", "))",
                place: Place(file: new.file))
        ]
    }

    /// As the user named it.
    private var file: String { gateway.port.place.file }
}
