"""A client that nobody here wrote: strongSwan logs in, pings, rekeys, fails, and Weir's store
tells the truth about all of it."""

import time

from charon import Charon, client_configuration, pinging
from lab import LabTestCase, Network, wait_for
from weir import Weir

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
TOTALS = ("bytes_in", "packets_in", "bytes_out", "packets_out")


class StrongSwanTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.weir = Weir.in_lab(self, self.network)
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "wrong": ("psk-client2.lab", "not the PSK")}))

    def log_in(self):
        """The virtual address."""
        self.client.connect("right")
        return self.client.virtual_address("right")

    def closed_session(self):
        """The store's only session, once it is closed."""
        self.weir.wait_for_rows(
            "the session to be closed", "SELECT 1 FROM sessions WHERE ended_ns IS NOT NULL")
        found = self.weir.rows("SELECT * FROM sessions")
        self.assertEqual(len(found), 1, found)
        return found[0]

    def assert_totals(self, session, client_traffic):
        """The store counted what the client counted: its out is our in."""
        bytes_in, packets_in, bytes_out, packets_out = client_traffic
        self.assertEqual(
            {name: session[name] for name in TOTALS},
            dict(zip(TOTALS, (bytes_out, packets_out, bytes_in, packets_in))))

    def test_session_totals_equal_the_clients(self):
        address = self.log_in()
        self.assertEqual(
            self.network.ping(self.network.client, address, Network.LAN_ADDRESS), 5)
        self.assertEqual(
            self.network.ping(self.network.gateway, Network.LAN_ADDRESS, address), 5)
        live = self.weir.json("sessions", "--control", self.weir.control)
        self.assertEqual(len(live), 1, live)
        self.assertEqual(self.weir.metric("ike_sessions_established_total", method="psk"), 1)

        traffic = self.client.settled_traffic()
        self.assertEqual(traffic, (840, 10, 840, 10))
        self.client.disconnect("right")

        session = self.closed_session()
        self.assert_totals(session, traffic)
        self.assertEqual(session["reason"], "deleted_by_peer")
        self.assertEqual(session["ended_ns"], session["ended_earliest_ns"])
        children = self.weir.rows("SELECT * FROM child_sa_closed")
        self.assertEqual([sum(child[name] for child in children) for name in TOTALS],
                         [session[name] for name in TOTALS])
        self.assertEqual(len(self.weir.rows("SELECT * FROM lease_released")), 1)
        self.assertEqual(self.weir.json("sessions", "--control", self.weir.control), [])
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session["started_ns"] // 10**9 + 1))
        held = self.weir.json("query", "who-held-address", "--address", address, "--at", at,
                              "--store", self.weir.store)
        self.assertEqual([row["session"] for row in held], [session["session"]])

    def test_a_stop_tells_the_client(self):
        self.log_in()
        self.weir.stop()
        # It asks for no sign of life, so that it knows by the Delete only.
        wait_for("the client to be told", lambda: not self.client.ike_sas(), 30)
        self.assertEqual(self.closed_session()["reason"], "shutdown")

    def test_a_silent_client_does_not_hold_up_a_stop(self):
        self.log_in()
        self.network.run(self.network.client, "ip", "link", "set", "cable", "down")
        self.weir.stop()
        self.assertEqual(self.closed_session()["reason"], "shutdown")
        self.assertTrue(self.client.ike_sas(), "nothing reached it")

    def test_ten_wrong_passwords(self):
        for _ in range(10):
            self.assertIn("AUTH_FAILED", self.client.fail_to_connect("wrong"))
        alerts = self.weir.wait_for_rows("the alert", "SELECT * FROM alerts")
        self.assertEqual([alert["rule"] for alert in alerts], ["authentication_failures"])
        self.assertIsNone(alerts[0]["resolved_ns"])
        failures = self.weir.rows("SELECT * FROM ike_auth_failed")
        self.assertEqual([row["reason"] for row in failures], ["wrong_credential"] * 10)
        self.assertEqual(self.weir.rows("SELECT * FROM sessions"), [])
        self.assertEqual(
            self.weir.metric("ike_auth_failures_total", reason="wrong_credential"), 10)
        self.assertEqual(
            self.weir.metric("weir_alerts_firing", rule="authentication_failures"), 1)
        shown = self.weir.json("alerts", "--store", self.weir.store)
        self.assertEqual([alert["rule"] for alert in shown], ["authentication_failures"])

    def test_rekeys_lose_nothing(self):
        address = self.log_in()
        with pinging(self.network, self.network.client, address, Network.LAN_ADDRESS) as pings:
            for rekey in (self.client.rekey_child, self.client.rekey_ike, self.client.rekey_child):
                self.client.wait_for_packets(5)
                rekey("right")
            self.client.wait_for_packets(5)
        sent, answered = pings
        # A Child SA's own counters go with it; the TUN device saw the packets of all of them.
        traffic = self.client.device_traffic()
        self.assertEqual((traffic[3], traffic[1]), (sent, answered))
        self.assertEqual(sent, answered, "a rekey must not lose a packet")
        self.client.disconnect("right")
        session = self.closed_session()
        self.assert_totals(session, traffic)
        children = self.weir.rows("SELECT * FROM child_sa_closed")
        self.assertEqual(len(children), 3)
        self.assertEqual([sum(child[name] for child in children) for name in TOTALS],
                         [session[name] for name in TOTALS])
        self.assertEqual(len(self.weir.rows("SELECT * FROM child_sa_rekeyed")), 2)
        self.assertEqual(
            [row["initiator"] for row in self.weir.rows("SELECT * FROM ike_sa_rekeyed")], ["peer"])

    def test_crash_closes_what_was_open(self):
        address = self.log_in()
        self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
        traffic = self.client.settled_traffic()
        # What a tick has journalled survives the crash.
        wait_for("a tick with the traffic", lambda: self.weir.rows(
            "SELECT 1 FROM sessions WHERE packets_in = ?", traffic[3]))
        self.weir.crash()
        self.assertEqual(
            self.weir.rows("SELECT ended_ns FROM sessions"), [{"ended_ns": None}])
        self.weir.start()
        session = self.closed_session()
        self.assertEqual(session["reason"], "crash")
        self.assertLess(session["ended_earliest_ns"], session["ended_ns"])
        self.assert_totals(session, traffic)
        for table in ("session_closed", "child_sa_closed", "lease_released", "gateway_stopped"):
            found = self.weir.rows(f"SELECT uncertainty_ms FROM {table}")
            self.assertEqual(len(found), 1, table)
            self.assertGreater(found[0]["uncertainty_ms"], 0, table)
