"""Clients whose ESP is a Linux kernel's: strongSwan, libreswan and OpenIKED log in, with a wrong
key, too, and each side replaces keys. Weir and the client's kernel count the same for each SA."""

import re

from guest import ADDRESS, run_guest, unpacked
from lab import LabTestCase, Network, answered, wait_for
from weir import Weir, configuration

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
WRONG_USER = "psk-client2.lab"
#: More packets than the gateway lets one Child SA carry.
MANY = 1_000

#: An SA that has gone, as `ip -s xfrm monitor` tells of it.
DELETED = re.compile(
    r"^Deleted src \S+ dst (\S+)\n\s+proto esp spi (0x[0-9a-f]+).*?"
    r"lifetime current:\s+(\d+)\(bytes\), (\d+)\(packets\)", re.M | re.S)


class KernelESPTests(LabTestCase):
    def test_strongswan(self):
        self.run_client("strongswan.sh")
        self.assertGreater(self.rekeys("ike_sa_rekeyed", "peer"), 0)
        self.assertGreater(self.rekeys("child_sa_rekeyed", "peer"), 0)

    def test_libreswan(self):
        self.run_client("libreswan.sh", layer=unpacked("libreswan"),
                        # Its rekeys want forward secrecy.
                        esp_proposals=["aes128gcm16-x25519"])
        self.assertGreater(self.rekeys("ike_sa_rekeyed", "peer"), 0)
        self.assertGreater(self.rekeys("child_sa_rekeyed", "peer"), 0)

    def test_openiked(self):
        # It rekeys once its Child SA has carried enough, and never its IKE SA.
        self.run_client("openiked.sh", layer=unpacked("openiked"),
                        esp_proposals=["aes256-sha512"])
        self.assertGreater(self.rekeys("child_sa_rekeyed", "peer"), 0)

    def run_client(self, script, layer="", **connection):
        """One guest, from a login that must fail to a logout."""
        self.network = Network(self)
        settings = configuration(self.folder)["connections"][0] | {
            # The gateway replaces keys, too: those of the Child SA when `while_up` has worn it, and
            # of the IKE SA when the client has long done so and not yet begun to log out.
            "rekey": {"ike": "30s", "packets": 1000, "jitter": "0%", "grace": "60s"},
            **connection}
        self.weir = Weir.in_lab(self, self.network, connections=[settings])
        output = run_guest(self, self.network, script, {
            "GATEWAY": Network.GATEWAY_ADDRESS, "ADDRESS": ADDRESS, "LAN": Network.LAN_ADDRESS,
            "USER_ID": USER, "PSK": PSK, "WRONG_ID": WRONG_USER}, layer, self.while_up)
        self.assertEqual(re.findall(r"\b5 packets transmitted, (\d) received", output), ["5"] * 6)
        self.assertNotIn("XFRM-ERROR", output)
        more = re.findall(r"\b(?!5 )(\d+) packets transmitted, (\d+) received", output)
        self.assertTrue(all(sent == answers for sent, answers in more), more)
        self.assert_counted(sum(int(sent) for sent, _ in more))
        failures = self.weir.rows("SELECT reason FROM ike_auth_failed")
        self.assertEqual({row["reason"] for row in failures}, {"wrong_credential"})

    def while_up(self, address):
        """Pings the other way, and has the gateway replace all keys."""
        network = self.network
        self.assertEqual(network.ping(network.gateway, Network.LAN_ADDRESS, address), 5)
        # With a deadline it goes on until so many are answered.
        many = network.run(network.gateway, "ping", "-n", "-q", "-f", "-c", MANY, "-w", 60, "-s", 8,
                           "-I", Network.LAN_ADDRESS, address, status=None, seconds=120)
        self.assertEqual(answered(many.stdout), MANY)
        self.sent = int(re.search(r"(\d+) packets transmitted", many.stdout)[1])
        for table in ("ike_sa_rekeyed", "child_sa_rekeyed"):
            wait_for(f"{table} by the gateway", lambda: self.rekeys(table, "us"), 60, every=0.5)
        self.assertEqual(network.ping(network.gateway, Network.LAN_ADDRESS, address), 5)

    def rekeys(self, table, initiator):
        return len(self.weir.rows(f"SELECT 1 FROM {table} WHERE initiator = ?", initiator))

    def assert_counted(self, more):
        """Each Child SA carried what the client's kernel says: its in is our out. In all there
        were `more` large pings than those of every client.

        libreswan and OpenIKED send on a Child SA of a rekey of ours before their answer is here,
        against the advice of RFC 7296 §2.8. Not one of those packets is lost."""
        session, = self.weir.wait_for_rows(
            "the session to be closed", "SELECT * FROM sessions WHERE ended_ns IS NOT NULL")
        self.assertEqual(session["reason"], "deleted_by_peer")
        kernel = {(int(spi, 16), target == Network.GATEWAY_ADDRESS): (int(bytes_), int(packets))
                  for target, spi, bytes_, packets in DELETED.findall(
                      (self.folder / "guest" / "kernel").read_text())}
        ours = self.weir.rows(
            "SELECT i.inbound_spi, i.outbound_spi, c.* FROM child_sa_closed c"
            " JOIN child_sa_installed i USING (session, child) ORDER BY i.rowid")
        self.assertGreaterEqual(len(ours), 2, ours)
        self.assertEqual(self.weir.rows(
            "SELECT reason, count FROM esp_dropped"
            " WHERE reason IN ('unknown_spi', 'early_limit', 'early_refused')"), [])
        for closed in ours:
            self.assertEqual((closed["bytes_out"], closed["packets_out"]),
                             kernel[int(closed["outbound_spi"], 16), False], ours)
            bytes_, packets = kernel[int(closed["inbound_spi"], 16), True]
            self.assertEqual((closed["bytes_in"], closed["packets_in"]), (bytes_, packets), ours)
        # Small pings of both sides, large ones of the client, and the many of the gateway.
        totals = (25 * 84 + (15 + more) * 1328 + self.sent * 36, 40 + more + self.sent)
        self.assertEqual((session["bytes_out"], session["packets_out"]), totals)
        self.assertEqual((session["bytes_in"], session["packets_in"]), totals)
