"""`weir demo`: a gateway and its clients on loopback, without any privilege."""

import os
import re
import signal
import socket
import urllib.request

from lab import LabTestCase, require, wait_for
from weir import binary, rows, samples

METRICS = re.compile(r"http://127\.0\.0\.1:(\d+)/metrics")


class DemoTests(LabTestCase):
    def demo(self, *words):
        """A running demo with its metrics' URL."""
        self.directory = self.folder / "demo"
        command = [binary(), "demo", "--dir", self.directory, *words]
        if os.geteuid() == 0:
            # Root without capabilities: what needs privilege fails.
            (setpriv,) = require("setpriv")
            command = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *command]
        daemon = self.start("demo", *command)
        text = wait_for("the demo to say where its metrics are", lambda: daemon.check() or (
            METRICS.search(daemon.stdout.read_text())), 30)
        return daemon, text.group(0), int(text.group(1))

    def assert_plain(self, daemon):
        """In a pipe there are no escape codes, and no line is drawn over."""
        for path in (daemon.stdout, daemon.stderr):
            data = path.read_bytes()
            self.assertNotIn(b"\x1b", data, path.name)
            self.assertNotIn(b"\r", data, path.name)

    def assert_ended_cleanly(self, daemon, port):
        with socket.socket() as probe:
            self.assertNotEqual(probe.connect_ex(("127.0.0.1", port)), 0, "it still listens")
        (store,) = self.directory.glob("*.db")
        self.assertGreater(len(rows(store, "SELECT 1 FROM sessions")), 0)
        self.assertEqual(rows(store, "SELECT * FROM sessions WHERE ended_ns IS NULL"), [])
        self.assertEqual(
            [row["cause"] for row in rows(store, "SELECT cause FROM gateway_stopped")],
            ["signal"])
        output = daemon.stdout.read_text()
        self.assertIn("weir report sessions", output)
        self.assertIn("weir query", output)
        self.assert_plain(daemon)
        return store, output

    def test_runs_its_time_and_reports(self):
        daemon, url, port = self.demo("--duration", "20s", "--clients", "8")

        def moving():
            values = samples(fetch(url))
            return (values['ike_sessions_established_total{method="psk"}'] > 0
                    and values["ipsec_receive_bytes_total"] > 0)
        wait_for("sessions and traffic in the metrics", moving, 15, every=0.5)
        self.assertEqual(daemon.wait(60), 0)
        store, output = self.assert_ended_cleanly(daemon, port)
        self.assertIn("authentication_failures", output)
        fired = rows(store, "SELECT rule FROM alerts")
        self.assertIn({"rule": "authentication_failures"}, fired)
        for table in ("child_sa_rekeyed", "address_changed", "ike_auth_failed"):
            self.assertGreater(len(rows(store, f"SELECT 1 FROM {table}")), 0, table)

    def test_interrupt_ends_it_cleanly(self):
        daemon, url, port = self.demo("--duration", "10m", "--clients", "3")
        wait_for("a session", lambda: samples(fetch(url))["ike_sessions"] > 0, 15, every=0.2)
        daemon.signal(signal.SIGINT)
        self.assertEqual(daemon.wait(20), 0)
        self.assert_ended_cleanly(daemon, port)


def fetch(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.read().decode()
