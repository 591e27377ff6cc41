"""A flood of strangers, and users who log in meanwhile."""

import json
import pathlib
import re
import sys
import time

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir, binary, samples

FLOOD = pathlib.Path(__file__).with_name("flood.py")


class FloodTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.weir = Weir.in_lab(self, self.network)

    def total(self, name, **labels):
        """The sum of a counter's series that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value
                   in samples(self.weir.http("/metrics")[2].decode()).items()
                   if series.partition("{")[0] == name and all(pair in series for pair in wanted))

    def challenged(self):
        return self.total("ike_cookies_challenged_total")

    def test_an_honest_login(self):
        client = Charon(self, "client", self.network.client, client_configuration({
            "right": ("psk-client.lab", "lab-psk-0123456789abcdef")}))
        began = time.monotonic()
        flood = self.start(
            "flood", "ip", "netns", "exec", self.network.client, sys.executable, str(FLOOD),
            Network.GATEWAY_ADDRESS, "500", "300", "5000")
        wait_for("the flood to be noticed", lambda: self.challenged() > 1_000, seconds=30)
        client.connect("right")
        client.virtual_address("right")
        self.assertTrue(flood.running, "the login must be within the flood")
        half_open = self.weir.metric("ike_half_open_sas")
        self.assertGreater(half_open, 0)
        self.assertLessEqual(half_open, 11)
        flood.stop()
        # Events of a flood are recorded when their second is over.
        challenged = wait_for("the counter to stand still", self.settled, seconds=30)
        served = 11 * (1 + (time.monotonic() - began) // 30)

        self.assertEqual(self.total("ike_sessions_established_total"), 1)
        self.assertGreaterEqual(self.total("ike_sa_init_received_total", proof="cookie"), 1)
        received = self.total("ike_sa_init_received_total", proof="spoofable")
        self.assertLessEqual(received - challenged, served, "those served without a cookie")
        self.assertEqual(self.total("weir_events_lost_total"), 0)
        rows = wait_for("all of it to be in the store", lambda: [
            row for row in self.weir.rows(
                "SELECT count(*) AS rows, sum(count) AS challenged FROM cookie_challenged")
            if row["challenged"] == challenged], seconds=30)
        # Of each second the first 256 are rows of their own.
        self.assertLess(rows[0]["rows"], 300 * (time.monotonic() - began))

    def test_spoofed_sources(self):
        """Each request of the flood comes from another address; honest users get in all the same,
        and the gateway does not grow."""
        # The answers go over the cable, and nobody has the address.
        self.network.run(self.network.gateway, "ip", "route", "add", "198.18.0.0/15", "via",
                         Network.CLIENT_ADDRESS)
        self.network.run(self.network.client, "ip", "route", "add", "blackhole", "198.18.0.0/15")
        flood = self.start(
            "flood", "ip", "netns", "exec", self.network.client, sys.executable, str(FLOOD),
            Network.GATEWAY_ADDRESS, "500", "300", "2000", "spoofed")
        wait_for("the flood to be noticed", lambda: self.challenged() > 4_000, seconds=60)
        before = self.resident()
        count = 20
        done = self.network.run(
            self.network.client, binary(), "load", "--to", Network.GATEWAY_ADDRESS, "--psk-file",
            self.folder / "staff.psk", "--domain", "lab", "--hold", "--sessions", count, "--rate",
            "10", "--duration", "10s", "--format", "json")
        row = json.loads(done.stdout)["rows"][0]
        self.assertEqual((row["logins"], row["failed"]), (count, 0), row)
        self.assertTrue(flood.running, "the logins must be within the flood")
        self.assertLessEqual(self.weir.metric("ike_half_open_sas"), 101 + count)
        # Of thousands of strangers nothing is left; what grew is the users and the recorder.
        self.assertLess(self.resident() - before, 32 << 20)
        flood.stop()
        self.assertEqual(self.total("weir_events_lost_total"), 0)

    def resident(self):
        """Bytes of memory that the gateway holds."""
        status = pathlib.Path(f"/proc/{self.weir.daemon.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024

    def settled(self):
        before = self.challenged()
        time.sleep(1.5)
        return before if self.challenged() == before else None
