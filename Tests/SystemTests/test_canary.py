"""No secret and no personal value comes out of Weir, in no encoding, through no door: database,
WAL, logs, HTTP answers, output of commands; after logins, failures and a crash.

The same scanner must find every value, in every encoding, in copies of the same outputs into
which it was planted: a scanner that finds nothing proves nothing.
"""

import canary
from canary import Canary, scan
from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from planting import missed, planted
from weir import Weir, http_answer, write_secret

USER, STRANGER = "canary.user@example.org", "stranger.canary@example.org"
PSK = "canary psk: correct horse battery staple"
PATHS = ("/metrics", "/healthz", "/readyz", "/", "/nothing-here")
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


class CanaryTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        #: Everything that Weir let out, by where.
        self.places = {}

    def test_nothing_personal_or_secret_gets_out(self):
        keylog = self.folder / "keys"
        secret = self.folder / "staff.psk"
        write_secret(secret, PSK)
        self.weir = Weir.in_lab(
            self, self.network, environment={"WEIR_TEST_KEYLOG": str(keylog)})
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "wrong": (STRANGER, "not the PSK"),
            "unknown": ("canary@elsewhere.example", PSK)}))
        address = self.live_through_much()

        canaries = [
            Canary("PSK", PSK.encode()),
            Canary("identity", USER.encode()),
            Canary("identity of a failed login", STRANGER.encode()),
            Canary("unknown identity", b"canary@elsewhere.example"),
            Canary("source", Network.CLIENT_ADDRESS.encode()),
            Canary("source's bytes", bytes(map(int, Network.CLIENT_ADDRESS.split(".")))),
            Canary("virtual address", address.encode()),
            Canary("virtual address's bytes", bytes(map(int, address.split(".")))),
        ] + keys(keylog)
        self.assertGreater(len(canaries), 8 + 9, "too few keys in the key log")
        for name, data in self.places.items():
            self.assertNotEqual(data, b"", f"{name} is empty, so nothing was scanned")

        self.assertEqual(scan(canaries, self.places), [])
        for seed, (name, data) in enumerate(self.places.items()):
            found = scan(canaries, {name: planted(data, canaries, seed)})
            self.assertEqual(missed(found, canaries, canary.SHORTEST), [], name)

    def live_through_much(self):
        """Logins, failures, traffic, a rekey, every command, a crash, a restart, an end. The
        virtual address."""
        self.client.connect("right")
        address = self.client.virtual_address("right")
        self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
        self.client.rekey_child("right")
        self.client.rekey_ike("right")
        for _ in range(10):
            self.client.fail_to_connect("wrong")
        self.client.fail_to_connect("unknown")
        self.weir.wait_for_rows("the alert", "SELECT 1 FROM alerts")
        wait_for("a tick with the session", lambda: self.weir.rows(
            "SELECT 1 FROM sessions WHERE packets_in > 0"))
        self.collect_http("before the crash")
        self.collect_commands("before the crash", address)

        self.weir.crash()
        self.collect_store("after the crash")
        self.weir.start()
        self.client.forget("right")
        self.client.connect("right")
        self.collect_http("after the restart")
        self.client.disconnect("right")
        self.collect_commands("after the restart", address)
        self.collect_store("running")
        self.weir.stop()
        self.collect_store("at the end")
        for log in sorted(self.folder.glob("weir-*.std*")):
            if data := log.read_bytes():
                self.places[log.name] = data
        return address

    def collect_store(self, when):
        for suffix in ("", "-wal", "-shm", ".lock"):
            path = self.weir.store.with_name(self.weir.store.name + suffix)
            if path.exists() and (data := path.read_bytes()):
                self.places[f"{path.name} {when}"] = data

    def collect_http(self, when):
        port = self.weir.settings["telemetry"]["metrics"]["port"]
        for path, headers in [(path, {}) for path in PATHS] + [("/metrics", OPENMETRICS)]:
            status, _, body, all_headers = http_answer(
                self, self.network.gateway, f"http://127.0.0.1:{port}{path}", headers)
            name = f"GET {path} {headers or ''} {when}"
            self.places[name] = f"{status}\n{all_headers}\n".encode() + body

    def collect_commands(self, when, address):
        """Every command, in every form."""
        store = ("--store", self.weir.store)
        commands = [
            ("sessions", "--control", self.weir.control),
            ("alerts", *store),
            ("report", "sessions", *store), ("report", "traffic", *store),
            ("report", "capacity", *store),
            ("query", "--list"), ("query", "most-traffic", *store),
            ("query", "failures-by-source", *store), ("query", "closed-why", *store),
            ("query", "gaps", *store),
            ("records",),
        ]
        for command in commands:
            for form in ("table", "json", "ndjson", "csv"):
                if command == ("records",) and form in ("ndjson", "csv"):
                    continue
                self.collect_command(when, *command, "--format", form)
        # These are given the value; they must not give it back.
        self.collect_command(
            when, "query", "who-held-address", "--address", address, "--at", "now", *store,
            "-c", self.weir.file)
        self.collect_command(
            when, "query", "sessions-of-identity", "--identity", USER, *store,
            "-c", self.weir.file)
        self.collect_command(when, "pseudonym", USER, "-c", self.weir.file)
        self.collect_command(when, "check", "-c", self.weir.file)
        self.collect_command(when, "terminate", "no-such-session", status=None)

    def collect_command(self, when, *words, status=0):
        done = self.weir.command(*words, status=status)
        output = (done.stdout + done.stderr).encode()
        if output:
            self.places[f"weir {' '.join(map(str, words[:2]))} … {words[-1]} {when}"] = output


def keys(path):
    """The keys that a debug build wrote to WEIR_TEST_KEYLOG: lines `NAME hex`."""
    found = []
    for number, line in enumerate(path.read_text().splitlines()):
        name, value = line.split()
        found.append(Canary(f"{name} ({number})", bytes.fromhex(value)))
    return found
