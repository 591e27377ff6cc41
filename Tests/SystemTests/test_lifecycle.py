"""SAs that come and go with strongSwan at the other end: rekeys that either side begins, and both,
and 200 users at once."""

from charon import Charon, client_configuration, pinging
from lab import LabTestCase, Network, wait_for
from weir import Weir, configuration

PSK = "lab-psk-0123456789abcdef"
USERS = 200
TOTALS = ("bytes_in", "packets_in", "bytes_out", "packets_out")


class LifecycleTests(LabTestCase):
    def set_up_lab(self, accounts, **connection):
        self.network = Network(self)
        settings = configuration(self.folder)["connections"][0] | connection
        self.weir = Weir.in_lab(self, self.network, connections=[settings])
        self.client = Charon(
            self, "client", self.network.client, client_configuration(accounts))

    def test_rekeys_of_both_sides_lose_nothing(self):
        """Weir rekeys every two or three seconds, charon when it is told to; some collide."""
        self.set_up_lab(
            {"right": ("psk-client.lab", PSK)},
            rekey={"ike": "12s", "child": "3s", "jitter": "10%", "grace": "60s"})
        self.client.connect("right")
        address = self.client.virtual_address("right")

        def rekeys(initiator):
            return len(self.weir.rows(
                "SELECT 1 FROM child_sa_rekeyed WHERE initiator = ?", initiator))

        with pinging(self.network, self.network.client, address, Network.LAN_ADDRESS) as pings:
            for _ in range(4):
                before = rekeys("us")
                self.client.swanctl("--rekey", "--child", "right-net", status=None)
                wait_for("a rekey of the gateway's", lambda: rekeys("us") > before, 15)
            wait_for("a rekey of the IKE SA by the gateway", lambda: self.weir.rows(
                "SELECT 1 FROM ike_sa_rekeyed WHERE initiator = 'us'"), 20)
            self.client.wait_for_packets(5)
        sent, answered = pings
        self.assertEqual(sent, answered, "a rekey must not lose a packet")
        self.assertGreater(rekeys("peer"), 0)
        traffic = self.client.device_traffic()
        self.client.disconnect("right")
        session, = self.weir.wait_for_rows(
            "the session to be closed", "SELECT * FROM session_closed")
        self.assertEqual(session["reason"], "deleted_by_peer")
        bytes_in, packets_in, bytes_out, packets_out = traffic
        self.assertEqual([session[name] for name in TOTALS],
                         [bytes_out, packets_out, bytes_in, packets_in])
        children = self.weir.rows("SELECT * FROM child_sa_closed")
        self.assertEqual([sum(child[name] for child in children) for name in TOTALS],
                         [session[name] for name in TOTALS])

    def test_200_users_at_once(self):
        accounts = {f"u{number}": (f"u{number}.lab", PSK) for number in range(USERS)}
        self.set_up_lab(accounts)
        for name in accounts:
            self.client.swanctl(
                "--initiate", "--child", f"{name}-net", "--timeout", "-1", status=None)
        wait_for("all of them to be logged in",
                 lambda: self.weir.metric("ike_sessions") == USERS, 60, every=0.2)
        self.assertEqual(
            self.weir.metric("ike_sessions_established_total", method="psk"), USERS)
        addresses = {row["virtual_address"] for row in self.weir.wait_for_rows(
            "their records", "SELECT virtual_address FROM session_established")}
        self.assertEqual(len(addresses), USERS)
        self.client.daemon.stop()
        wait_for("all of them to be gone",
                 lambda: self.weir.metric("ike_sessions") == 0, 60, every=0.2)
        closed = wait_for("their records", lambda: [
            row["reason"] for row in self.weir.rows("SELECT reason FROM session_closed")])
        self.assertEqual(set(closed), {"deleted_by_peer"})
