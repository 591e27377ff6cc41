"""A flood of strangers, and a user who logs in meanwhile, from the same address."""

import pathlib
import sys
import time

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir, samples

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

    def settled(self):
        before = self.challenged()
        time.sleep(1.5)
        return before if self.challenged() == before else None
