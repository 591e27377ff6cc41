import Testing

@testable import Settings

@Suite("Mistakes")
struct RefusalTests {
    @Test("the smallest file has none")
    func none() { #expect(complaints(about: smallest) == []) }

    @Test(
        "one line each, with the remedy",
        arguments: [
            (
                "gateway:\n  listn: 0.0.0.0\n",
                "gateway.listn: unknown key; did you mean \"listen\"?", 9
            ),
            (
                "tracing: {}\n",
                "tracing: unknown key; known here: alerts, connections, gateway, log, pools, radius, telemetry",
                8
            ),
            (
                "gateway: {port: x}\n",
                "gateway.port: \"x\" is none; expected a port such as 4500, or 0 for any that is free",
                8
            ),
            (
                "gateway: {port: 65536}\n",
                "gateway.port: \"65536\" is none; expected a port such as 4500, or 0 for any that is free",
                8
            ),
            (
                "gateway: {port: [1]}\n",
                "gateway.port: found a list; expected a port such as 4500, or 0 for any that is free",
                8
            ),
            (
                "gateway: {port: 4500}\n",
                "gateway.nat_port: is the same as gateway.port; use 4500 (RFC 3948)", 8
            ),
            (
                "gateway: {max_sessions: 0}\n",
                "gateway.max_sessions: 0 is out of range; expected a number from 1 to 1000000", 8
            ),
            (
                "gateway: {max_sessions: }\n",
                "gateway.max_sessions: found nothing; expected a number from 1 to 1000000", 8
            ),
            (
                "gateway: {dataplane: tum}\n",
                "gateway.dataplane: \"tum\" is unknown; did you mean \"tun\"?; expected one of tun, memory",
                8
            ),
            (
                "gateway: {listen: [1.2.3]}\n",
                "gateway.listen[1]: \"1.2.3\" is none; expected an IP address such as 192.0.2.1", 8
            ),
            (
                "gateway: {listen: []}\n",
                "gateway.listen: is empty; expected an IP address such as 192.0.2.1", 8
            ),
            (
                "gateway: {tun: {name: interface-number-0}}\n",
                "gateway.tun.name: \"interface-number-0\" is none; expected a name of up to 15 letters, digits, '.', '-', '_', such as weir0",
                8
            ),
            ("gateway: tun\n", "gateway: expected keys and values here, found \"tun\"", 8),
            (
                "log: {level: loud}\n",
                "log.level: \"loud\" is unknown; expected one of trace, debug, info, notice, warning, error, critical",
                8
            ),
            (
                "telemetry: {store_log_limit: 16777216}\n",
                "telemetry.store_log_limit: 16777216 is out of range; expected a number from 33554432 to 1099511627776",
                8
            ),
            (
                "telemetry: {retention: {sessions: 90d}}\n",
                "telemetry.retention.sessions: needs telemetry.retention.samples: samples go first",
                8
            ),
            (
                "telemetry: {retention: {kinds: {message_droped: 30d}}}\n",
                "telemetry.retention.kinds.message_droped: no kind of event; did you mean \"message_dropped\"?",
                8
            ),
            (
                "telemetry: {retention: {kinds: {session_closed: 30d}}}\n",
                "telemetry.retention.kinds.session_closed: accounts rest on it, so it is kept for good; leave it out",
                8
            ),
            (
                "telemetry: {interval: 15}\n",
                "telemetry.interval: \"15\" is not a number with a unit (ms, s, m, h, d); expected a time such as 15s, from 1s to 1h",
                8
            ),
            (
                "telemetry: {interval: 2h}\n",
                "telemetry.interval: \"2h\" is out of range; expected a time such as 15s, from 1s to 1h",
                8
            ),
            (
                "alerts: {alertmanager: \"http://user:pw@host\"}\n",
                "alerts.alertmanager: a URL must not contain a user name or a password; expected a URL such as http://127.0.0.1:9093",
                8
            ),
            (
                "alerts: {alertmanager: ftp://host}\n",
                "alerts.alertmanager: \"ftp://host\" does not begin with http:// or https://; expected a URL such as http://127.0.0.1:9093",
                8
            ),
            (
                "\"a\\u001b[31m\": 1\n",
                "a\\x1b[31m: unknown key; known here: alerts, connections, gateway, log, pools, radius, telemetry",
                8
            ),
        ])
    func oneLine(_ example: (addition: String, complaint: String, line: Int)) {
        let seen = complaints(about: smallest + example.addition)
        #expect(seen == ["weir.yaml:\(example.line): \(example.complaint)"])
    }

    @Test(
        "in pools and connections",
        arguments: [
            (
                "pool: staff", "pool: staf",
                "connections[1].pool: there is no pool \"staf\"; did you mean \"staff\"?", 7
            ),
            (
                "pool: staff", "pool: guests",
                "connections[1].pool: there is no pool \"guests\"; add it under pools", 7
            ),
            (
                "secret: {env: PSK}", "secret: hunter2",
                "connections[1].secret: a secret does not belong in this file; write it into a file of mode 0600 and its path here: {file: /etc/weir/staff.psk}",
                6
            ),
            (
                "secret: {env: PSK}", "secret: {env: PSK, file: x}",
                "connections[1].secret: needs exactly one of file, env, credential", 6
            ),
            (
                "secret: {env: PSK}", "dpd: 30s",
                "connections[1]: lacks \"secret\": for example {file: /etc/weir/staff.psk}", 3
            ),
            (
                "remote_ids: \"*@example.org\"", "remote_ids: a*b",
                "connections[1].remote_ids: \"a*b\" has a \"*\" elsewhere than at its beginning; expected an identity such as alice@example.org or \"*@example.org\"",
                5
            ),
            (
                "remote_ids: \"*@example.org\"", "remote_ids: [a, A, a]",
                "connections[1].remote_ids[3]: a is there twice; keep one of them", 5
            ),
            (
                "local_id: gw.example.org", "local_id: \"*\"",
                "connections[1].local_id: \"*\" is a pattern; expected an identity such as gw.example.org",
                4
            ),
            (
                "local_id: gw.example.org", "local_ts: 10.0.0.0/8",
                "connections[1]: lacks \"local_id\": an identity such as gw.example.org", 3
            ),
            (
                "pool: staff", "pool: staff\n    ike_proposals: aes128gcm-prfsha256-x25519",
                "connections[1].ike_proposals: \"aes128gcm\" is not a cipher that Weir has; did you mean \"aes128gcm16\"?; expected IKE algorithms such as aes256gcm16-prfsha384-ecp384",
                8
            ),
            (
                "pool: staff", "pool: staff\n    esp_proposals: []",
                "connections[1].esp_proposals: is empty; expected ESP algorithms such as aes256gcm16 or aes256gcm16-x25519",
                8
            ),
            (
                "pool: staff", "pool: staff\n    rekey: {jitter: 60%}",
                "connections[1].rekey.jitter: 60% is out of range; expected a share from 0% to 50%",
                8
            ),
            (
                "10.88.0.0/24", "10.88.0.5/24",
                "pools[1].addresses: \"10.88.0.5/24\" has host bits set; did you mean \"10.88.0.0/24\"?; expected addresses such as 10.88.0.0/24 or 10.88.0.10-10.88.0.99",
                1
            ),
            (
                "10.88.0.0/24", "10.88.0.9-10.88.0.2",
                "pools[1].addresses: \"10.88.0.9-10.88.0.2\" ends before it begins; expected addresses such as 10.88.0.0/24 or 10.88.0.10-10.88.0.99",
                1
            ),
            (
                "10.88.0.0/24", "10.0.0.0/8",
                "pools[1].addresses: \"10.0.0.0/8\" has more than 1048576 addresses; expected addresses such as 10.88.0.0/24 or 10.88.0.10-10.88.0.99",
                1
            ),
            (
                "10.88.0.0/24}", "10.88.0.0/24}, {name: staff, addresses: 10.1.0.0/24}",
                "pools[2].name: a pool \"staff\" is there already; choose another name", 1
            ),
            (
                "10.88.0.0/24}", "10.88.0.0/24}, {name: b, addresses: 10.88.0.128/25}",
                "pools[2].addresses: overlaps the pool \"staff\"; an address can have one pool", 1
            ),
        ])
    func replaced(_ example: (old: String, new: String, complaint: String, line: Int)) {
        let yaml = smallest.replacing(example.old, with: example.new)
        let seen = complaints(about: yaml)
        #expect(seen == ["weir.yaml:\(example.line): \(example.complaint)"])
    }

    @Test("all at once, in the order of the file")
    func together() {
        let yaml = smallest + "gateway:\n  prt: 1\n  nat_prt: 2\nlog: {levl: info}\n"
        #expect(
            complaints(about: yaml).map { $0.prefix(13) } == [
                "weir.yaml:9: ", "weir.yaml:10:", "weir.yaml:11:",
            ])
    }

    @Test(
        "not YAML, or more than we take",
        arguments: [
            (
                "a: [1\n",
                "weir.yaml:2: is not YAML: did not find expected ',' or ']'; look for a missing quote, colon or space before it"
            ),
            ("a: 1\na: 2\n", "weir.yaml:1: \"a\" is there twice; keep one of them"),
            (
                "a: 1\n---\nb: 2\n",
                "weir.yaml:2: is not YAML: but found another document; look for a missing quote, colon or space before it"
            ),
            (
                "x: &a [1]\ny: *a\n",
                "weir.yaml:1: YAML anchors (&), aliases (*) and tags (!) are not supported; write the value out, and put quotes around a pattern such as \"*@example.org\""
            ),
            (
                "# fine &a\nx: 'it''s &b'\ny: \"\\\" *c\"\nz: [1, *d]\n",
                "weir.yaml:4: YAML anchors (&), aliases (*) and tags (!) are not supported; write the value out, and put quotes around a pattern such as \"*@example.org\""
            ),
            (
                "x: \u{7}\n",
                "weir.yaml:1: is not YAML: control characters are not allowed; remove it"
            ),
        ])
    func notYAML(_ example: (yaml: String, complaint: String)) {
        #expect(complaints(about: example.yaml) == [example.complaint])
    }

    @Test("an empty file is told what it lacks")
    func empty() {
        #expect(
            complaints(about: "# nothing\n") == [
                "weir.yaml: connections: there are none, so nobody could log in; add one"
            ])
    }

    @Test("no secret is ever quoted")
    func silence() {
        for inline in ["hunter2", "[hunter2]", "\"hunter2", "{env: [hunter2]}", "{psk: hunter2}"] {
            let yaml = smallest.replacing("{env: PSK}", with: inline)
            let seen = complaints(about: yaml)
            #expect(!seen.isEmpty)
            #expect(!seen.joined().contains("hunter2"), "\(seen)")
        }
    }
}
