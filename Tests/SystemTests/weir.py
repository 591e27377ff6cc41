"""Weir under test: its configuration, its process, and every way to look at it."""

import base64
import json
import os
import pathlib
import signal
import socket
import sqlite3

from lab import ROOT, Network, free_port, wait_for

WEIR = pathlib.Path(os.environ.get("WEIR", ROOT / ".build" / "debug" / "weir"))


def binary():
    """The binary under test (environment variable WEIR)."""
    if not WEIR.exists():
        raise AssertionError(f"{WEIR}: not there; `make test` builds it")
    return WEIR


#: `gateway.defence` for tests whose clients are all at one address and in a hurry.
UNLIMITED = {
    "cookies_from": 100_000, "cookies_from_per_source": 100_000,
    "max_half_open_per_source": 100_000, "key_exchanges_per_second": 100_000,
    "key_exchanges_per_second_per_source": 100_000}


def configuration(folder, **changes):
    """A configuration on free loopback ports with an in-memory inner network. A change replaces
    a whole section."""
    secret = folder / "staff.psk"
    if not secret.exists():
        write_secret(secret, "lab-psk-0123456789abcdef")
    return {
        "gateway": {
            "name": "gw.lab", "listen": ["127.0.0.1"], "port": free_port(socket.SOCK_DGRAM),
            "nat_port": free_port(socket.SOCK_DGRAM), "dataplane": "memory",
            "control": f"{folder}/control.sock",
        },
        "pools": [{"name": "staff", "addresses": "10.88.0.0/24", "dns": ["10.99.0.1"]}],
        "connections": [{
            "name": "staff", "local_id": "gw.lab",
            "remote_ids": ["*@example.org", "*.lab"],
            "secret": {"file": str(secret)}, "pool": "staff", "local_ts": ["10.99.0.0/24"],
            "ike_proposals": ["aes128gcm16-prfsha256-x25519"], "esp_proposals": ["aes128gcm16"],
        }],
        "telemetry": {
            "store": f"{folder}/weir.db", "interval": "1s",
            "metrics": {"listen": "127.0.0.1", "port": free_port()},
        },
        **changes,
    }


def write_secret(path, text):
    """A file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text + "\n")


class Weir:
    """`weir run` with a configuration, in a network namespace or on loopback."""

    #: More words for `weir run`.
    arguments = []

    def __init__(self, test, settings, namespace=None, environment=None):
        self.test, self.settings, self.namespace = test, settings, namespace
        self.environment = environment or {}
        self.folder = test.folder
        self.store = pathlib.Path(settings["telemetry"]["store"])
        self.control = settings["gateway"]["control"]
        # JSON is YAML, too.
        self.file = self.folder / "weir.yaml"
        self.file.write_text(json.dumps(settings, indent=2))
        self.starts = 0
        self.start()

    @classmethod
    def in_lab(cls, test, network, environment=None, **changes):
        """On the lab's gateway, with a TUN device."""
        settings = configuration(test.folder, **changes)
        settings["gateway"] |= {
            "listen": [Network.GATEWAY_ADDRESS], "port": 500, "nat_port": 4500,
            "dataplane": "tun", "tun": {"name": "weir0", "mtu": 1400}}
        return cls(test, settings, network.gateway, environment)

    def start(self):
        """Starts it and waits until it is ready."""
        self.starts += 1
        prefix = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        self.daemon = self.test.start(
            f"weir-{self.starts}", *prefix, binary(), "run", "-c", self.file, *self.arguments,
            environment=self.environment)
        wait_for("weir to be ready", lambda: self.daemon.check() or self.is_ready(), 20)

    def is_ready(self):
        try:
            return self.http("/readyz")[0] == 200
        except OSError:
            return False

    def stop(self):
        """SIGTERM; it must end with status 0."""
        self.test.assertEqual(self.daemon.stop(), 0, "weir's exit status after SIGTERM")

    def crash(self):
        """kill -9."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def command(self, *words, status=0):
        """A weir command; the completed process."""
        return self.test.run_command(binary(), *words, status=status)

    def json(self, *words):
        """The rows that a weir command prints with --format json."""
        return json.loads(self.command(*words, "--format", "json").stdout)["rows"]

    def rows(self, sql, *parameters):
        """Rows of the store, as dictionaries."""
        return rows(self.store, sql, *parameters)

    def wait_for_rows(self, what, sql, *parameters, seconds=15):
        """Rows, as soon as there are any."""
        return wait_for(what, lambda: self.rows(sql, *parameters), seconds, every=0.1)

    def http(self, path, headers=None):
        """(status, content type, body) of an HTTP answer. OSError if there is none."""
        port = self.settings["telemetry"]["metrics"]["port"]
        return http(self.test, self.namespace, f"http://127.0.0.1:{port}{path}", headers)

    def metric(self, name, **labels):
        """The value of one series."""
        return samples(self.http("/metrics")[2].decode())[series(name, **labels)]


def rows(store, sql, *parameters):
    """Rows of a store, as dictionaries. None at all while the store is not there yet."""
    if not store.exists():
        return []
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, parameters)]
    finally:
        connection.close()


def series(name, **labels):
    """A series as the text format writes it."""
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


def samples(text):
    """Value by series of an exposition in the text format."""
    values = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    return values


FETCH = """
import base64, json, sys, urllib.error, urllib.request
url, headers = json.loads(sys.argv[1])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(urllib.request.Request(url, headers=headers), timeout=5)
except urllib.error.HTTPError as error:
    answer = error
except OSError as error:
    sys.exit(f"{url}: {error}")
with answer:
    print(json.dumps([answer.status, answer.headers.get("Content-Type", ""),
                      base64.b64encode(answer.read()).decode(), str(answer.headers)]))
"""


def http(test, namespace, url, headers=None):
    """(status, content type, body) of a GET within a network namespace. OSError if it fails."""
    status, content_type, body, _ = http_answer(test, namespace, url, headers)
    return status, content_type, body


def http_answer(test, namespace, url, headers=None):
    """As `http`, with all of the answer's headers as text."""
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    done = test.run_command(
        *prefix, "python3", "-c", FETCH, json.dumps([url, headers or {}]), status=None)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    status, content_type, body, all_headers = json.loads(done.stdout)
    return status, content_type, base64.b64decode(body), all_headers
