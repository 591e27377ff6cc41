"""A flood of strangers, and a user who logs in meanwhile, from the same address."""

import pathlib
import sys
import time

from charon import Charon, client_configuration
from lab import LabTestCase, Network
from weir import Weir

FLOOD = pathlib.Path(__file__).with_name("flood.py")
SECONDS, RATE = 5, 5000


class FloodTests(LabTestCase):
    def test_an_honest_login(self):
        network = Network(self)
        weir = Weir.in_lab(self, network)
        client = Charon(self, "client", network.client, client_configuration({
            "right": ("psk-client.lab", "lab-psk-0123456789abcdef")}))
        flood = self.start(
            "flood", "ip", "netns", "exec", network.client, sys.executable, str(FLOOD),
            "192.0.2.1", "500", str(SECONDS), str(RATE))
        time.sleep(1)
        self.assertTrue(flood.running())
        client.connect("right")
        self.assertTrue(flood.running(), "the login must be within the flood")
        client.virtual_address("right")
        half_open = weir.metric("ike_half_open_sas")
        flood.wait(SECONDS + 10)
        time.sleep(2)  # events of a flood are recorded when their second is over

        self.assertGreater(half_open, 0)
        self.assertLessEqual(half_open, 11)
        self.assertEqual(weir.metric("ike_sessions_established_total", method="psk"), 1)
        self.assertGreaterEqual(weir.metric("ike_sa_init_received_total", proof="cookie"), 1)
        challenged = sum(weir.metric("ike_cookies_challenged_total", cause=cause)
                         for cause in ("half_open", "half_open_source", "key_exchanges"))
        received = weir.metric("ike_sa_init_received_total", proof="spoofable")
        self.assertGreater(challenged, SECONDS * RATE / 10)
        self.assertLessEqual(received - challenged, 11, "those that were served without a cookie")
        self.assertEqual(weir.metric("weir_events_lost_total"), 0)
        rows = weir.rows("SELECT count(*) AS rows, sum(count) AS challenged FROM cookie_challenged")
        self.assertEqual(rows[0]["challenged"], challenged)
        self.assertLess(rows[0]["rows"], 400 * (SECONDS + 2))
