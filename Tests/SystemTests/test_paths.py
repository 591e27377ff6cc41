"""The ways between a client and Weir: it moves, its NAT forgets it, datagrams are cut, IPv6 is
outside, inside or both, and packets are too long for the tunnel."""

import secrets

from charon import Charon, client_configuration
from lab import LabTestCase, Network, require, wait_for
from weir import Weir, configuration

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
GATEWAY6, CLIENT6, LAN6 = "fd00::1", "fd00::2", "fd99::1"


class PathsTestCase(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)

    def start_weir(self, pool=None, local_ts=None, **gateway):
        """Weir in the lab, with these changes of its configuration."""
        settings = configuration(self.folder)
        settings["gateway"] |= {
            "listen": [Network.GATEWAY_ADDRESS], "port": 500, "nat_port": 4500,
            "dataplane": "tun", "tun": {"name": "weir0", "mtu": 1400}, **gateway}
        settings["pools"][0] |= pool or {}
        if local_ts:
            settings["connections"][0]["local_ts"] = local_ts
        self.weir = Weir(self, settings, self.network.gateway)

    def log_in(self, settings="", **changes):
        """A client that is logged in; its virtual address."""
        self.client = Charon(
            self, "client", self.network.client,
            client_configuration({"right": (USER, PSK)}, **changes), settings)
        self.client.connect("right")
        return self.client.virtual_address("right")

    def assert_pings(self, address, target=Network.LAN_ADDRESS):
        answered = self.network.ping(self.network.client, address, target)
        self.assertEqual(answered, 5, f"pings of {target} from {address}")

    def run_in(self, namespace, *words):
        self.network.run(namespace, *words)

    def wait_for_move(self, cause):
        """The only move that there was."""
        self.weir.wait_for_rows("a move", "SELECT cause FROM address_changed")
        self.assertEqual(
            [row["cause"] for row in self.weir.rows("SELECT cause FROM address_changed")],
            [cause])

    def assert_one_session(self):
        """Logs out. All there was is one session, and the Child SA that it had at its end carried
        what the client counted: its in is our out."""
        # charon lists one that it has replaced for a while.
        wait_for("a single Child SA", lambda: len(self.client.children()) == 1, 30, every=0.5)
        bytes_in, packets_in, bytes_out, packets_out = self.client.settled_traffic()
        self.assertGreater(packets_in, 0)
        self.client.disconnect("right")
        sessions = self.weir.wait_for_rows(
            "the session to be closed", "SELECT reason FROM session_closed")
        self.assertEqual([row["reason"] for row in sessions], ["deleted_by_peer"])
        last = self.weir.rows("SELECT bytes_in, packets_in, bytes_out, packets_out"
                              " FROM child_sa_closed ORDER BY rowid DESC LIMIT 1")
        self.assertEqual(last, [{"bytes_in": bytes_out, "packets_in": packets_out,
                                 "bytes_out": bytes_in, "packets_out": packets_in}])


class MobikeTests(PathsTestCase):
    def test_client_changes_its_address(self):
        self.start_weir()
        address = self.log_in(local="%any")
        self.assert_pings(address)
        client = self.network.client
        self.run_in(client, "sysctl", "-qw", "net.ipv4.conf.cable.promote_secondaries=1")
        self.run_in(client, "ip", "address", "add", "192.0.2.3/24", "dev", "cable")
        self.run_in(client, "ip", "address", "del", "192.0.2.2/24", "dev", "cable")
        self.wait_for_move("mobike")
        # charon's user-space ESP can't move a Child SA, and rekeys it.
        wait_for("the Child SA at the new address", lambda: self.network.ping(
            client, address, Network.LAN_ADDRESS, count=1) == 1, 15)
        self.assert_pings(address)
        self.assert_one_session()


class NATTests(PathsTestCase):
    """client 198.51.100.2 ── 198.51.100.1 NAT 192.0.2.2 ── 192.0.2.1 gateway"""

    def setUp(self):
        super().setUp()
        require("nft")
        client, nat = self.network.client, f"weir-n-{secrets.token_hex(3)}"
        self.nat = nat
        self.run_command("ip", "netns", "add", nat)
        self.addCleanup(self.run_command, "ip", "netns", "del", nat, status=None)
        self.run_in(nat, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        self.run_command("ip", "-n", client, "link", "set", "cable", "netns", nat)
        self.run_command("ip", "link", "add", "home", "netns", client, "type", "veth",
                         "peer", "name", "home", "netns", nat)
        for namespace, device, address in (
                (nat, "cable", "192.0.2.2/24"), (nat, "home", "198.51.100.1/24"),
                (client, "home", "198.51.100.2/24")):
            self.run_in(namespace, "ip", "address", "add", address, "dev", device)
            self.run_in(namespace, "ip", "link", "set", device, "up")
        self.run_in(client, "ip", "route", "add", "default", "via", "198.51.100.1")
        self.run_in(nat, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.run_in(nat, "nft", "add table ip nat;"
                    " add chain ip nat out { type nat hook postrouting priority 100; };"
                    " add rule ip nat out oifname cable masquerade random")

    def test_rebinding_and_keepalives(self):
        self.start_weir()
        address = self.log_in("keep_alive = 1", local="198.51.100.2")
        self.assert_pings(address)
        self.assertEqual(
            [row["nat"] for row in self.weir.rows("SELECT nat FROM session_established")],
            ["peer"])
        wait_for("a keepalive", lambda: self.weir.metric(
            "ipsec_nat_keepalives_received_total") >= 1, 15, every=0.5)
        # With its address a masquerading NAT forgets its mappings.
        self.run_in(self.nat, "ip", "address", "del", "192.0.2.2/24", "dev", "cable")
        self.run_in(self.nat, "ip", "address", "add", "192.0.2.3/24", "dev", "cable")
        self.assert_pings(address)
        self.wait_for_move("nat_rebinding")
        self.assert_one_session()


class FragmentationTests(PathsTestCase):
    def test_login_over_short_datagrams(self):
        for namespace in (self.network.gateway, self.network.client):
            self.run_in(namespace, "ip", "link", "set", "cable", "mtu", "600")
        # Sixty name servers make the answer long.
        self.start_weir({"dns": [f"10.99.0.{number}" for number in range(1, 61)]},
                        fragment_size=576)
        address = self.log_in("fragment_size = 300")
        self.assert_pings(address)
        wait_for("fragments to be counted", lambda: self.weir.metric(
            "ike_fragments_received_total") > 1, every=0.2)
        self.assertGreater(self.weir.metric("ike_fragments_sent_total"), 1)
        self.client.rekey_ike("right")
        self.assert_one_session()


class IPv6Tests(PathsTestCase):
    def setUp(self):
        super().setUp()
        for namespace, address in (
                (self.network.gateway, GATEWAY6), (self.network.client, CLIENT6)):
            for name in ("all", "default"):
                self.run_in(namespace, "sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=0")
            self.run_in(
                namespace, "ip", "address", "add", f"{address}/64", "dev", "cable", "nodad")
        self.run_in(
            self.network.gateway, "ip", "address", "add", f"{LAN6}/64", "dev", "lo", "nodad")

    def test_outside(self):
        self.start_weir(listen=[GATEWAY6])
        self.assert_pings(self.log_in(local=CLIENT6, remote=GATEWAY6))
        self.assert_one_session()

    def test_inside_besides_ipv4(self):
        self.start_weir({"addresses": ["10.88.0.0/24", "fd88::/112"]},
                        ["10.99.0.0/24", "fd99::/64"])
        self.log_in(vips="0.0.0.0,::", remote_ts="10.99.0.0/24,fd99::/64")
        self.assert_pings("10.88.0.1")
        self.assert_pings("fd88::1", LAN6)
        self.assertEqual(len(self.weir.rows("SELECT * FROM lease_granted")), 2)
        self.assert_one_session()
        self.assertEqual(len(self.weir.rows("SELECT * FROM lease_released")), 2)


class TooBigTests(PathsTestCase):
    def test_sender_inside_is_told(self):
        self.start_weir(path_mtu=1280)
        address = self.log_in()
        done = self.network.run(
            self.network.gateway, "ping", "-n", "-c", 2, "-i", 0.2, "-W", 1, "-M", "do",
            "-s", 1300, "-I", Network.LAN_ADDRESS, address, status=None)
        # 1280 less IP 20, UDP 8, ESP header 8, IV 8, trailer 2, tag 16.
        self.assertIn("1218", done.stdout + done.stderr)
        wait_for("the drop to be counted", lambda: self.weir.metric(
            "ipsec_packets_dropped_total", reason="too_big") >= 1, every=0.2)
        done = self.network.run(
            self.network.gateway, "ping", "-n", "-q", "-c", 2, "-i", 0.2, "-W", 1, "-M", "do",
            "-s", 1218 - 28, "-I", Network.LAN_ADDRESS, address)
        self.assertIn("2 received", done.stdout)
