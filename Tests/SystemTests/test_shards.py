"""A gateway of several threads is one to its peers and in its records."""

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir

PSK = "lab-psk-0123456789abcdef"
USERS = [f"user{number}.lab" for number in range(6)]


class ShardsTests(LabTestCase):
    def set_up_lab(self, accounts, **changes):
        """A gateway of three shards, and a client with these accounts."""
        network = self.network = Network(self)
        weir = self.weir = Weir.in_lab(self, network, gateway={
            "name": "gw.lab", "shards": 3, "control": f"{self.folder}/control.sock"})
        client = self.client = Charon(
            self, "client", network.client, client_configuration(accounts, **changes))
        return network, weir, client

    def shard_of_last(self, logins):
        """The shard of the last of so many logins: the first byte of the gateway's SPI."""
        rows = wait_for("the login's record", lambda: (found := self.weir.rows(
            "SELECT responder_spi FROM session_established ORDER BY rowid"))
            and len(found) == logins and found, 30)
        return int(rows[-1]["responder_spi"], 16) >> 56

    def test_users_of_all_shards(self):
        network, weir, client = self.set_up_lab(
            {user.removesuffix(".lab"): (user, PSK) for user in USERS})
        addresses = {}
        for user in USERS:
            name = user.removesuffix(".lab")
            client.connect(name)
            addresses[user] = client.virtual_address(name)
        self.assertEqual(len(set(addresses.values())), len(USERS))
        # Both ways: the kernel must route each address to the thread that has its tunnel.
        for address in addresses.values():
            self.assertEqual(network.ping(network.client, address, Network.LAN_ADDRESS, 3), 3)
            self.assertEqual(network.ping(network.gateway, Network.LAN_ADDRESS, address, 3), 3)
        for user in USERS[:2]:
            name = user.removesuffix(".lab")
            client.swanctl("--rekey", "--ike", name)
            client.swanctl("--rekey", "--child", f"{name}-net")
            self.assertEqual(
                network.ping(network.client, addresses[user], Network.LAN_ADDRESS, 3), 3)
        live = weir.json("sessions", "--control", weir.control)
        self.assertEqual(len(live), len(USERS))
        traffic = client.device_traffic()
        weir.stop()
        sums = weir.rows("SELECT count(*) AS n, sum(packets_in) AS packets_in, "
                         "sum(bytes_out) AS bytes_out FROM sessions WHERE reason = 'shutdown'")[0]
        self.assertEqual(sums, {
            "n": len(USERS), "packets_in": traffic[3], "bytes_out": traffic[0]})
        # The last tick has the counters of all shards, and each Child SA is numbered once.
        last = weir.rows("SELECT packets_in FROM ticks ORDER BY at_ns DESC LIMIT 1")[0]
        self.assertEqual(last["packets_in"], traffic[3])
        numbers = [row["child"] for row in weir.rows("SELECT child FROM child_sa_installed")]
        self.assertEqual(len(set(numbers)), len(USERS) + 2)

    def test_user_comes_to_another_shard(self):
        """A user's session ends when the user comes back after a crash, at whichever shard."""
        network, weir, client = self.set_up_lab({"right": ("alice.lab", PSK)})
        shards = []
        while len(set(shards[-2:])) < 2:
            self.assertLess(len(shards), 30, "thirty times the same shard, of three")
            if shards:
                client.daemon.kill()
                client = Charon(self, f"client-{len(shards)}", network.client,
                                client_configuration({"right": ("alice.lab", PSK)}))
            client.connect("right")
            shards.append(self.shard_of_last(len(shards) + 1))
        wait_for("one session to be left", lambda: weir.metric("ike_sessions") == 1, 30, every=0.2)
        logins = weir.rows("SELECT session, replaces FROM session_established ORDER BY rowid")
        self.assertEqual([row["replaces"] for row in logins],
                         [None, *(row["session"] for row in logins[:-1])])
        ends = wait_for("the others' ends", lambda: (found := weir.rows(
            "SELECT reason FROM session_closed")) and len(found) == len(logins) - 1 and found, 30)
        self.assertEqual({row["reason"] for row in ends}, {"replaced"})
        address = client.virtual_address("right")
        self.assertEqual(network.ping(network.client, address, Network.LAN_ADDRESS, 3), 3)

    def test_move_and_rekeys(self):
        """MOBIKE and rekeys reach the shard that has the session."""
        names = [f"u{number}" for number in range(20)]
        network, weir, client = self.set_up_lab(
            {name: (f"{name}.lab", PSK) for name in names}, local="%any")
        users, shards = [], set()
        while len(users) < 3 or len(shards) < 2:
            self.assertLess(len(users), len(names), "all users at one shard, of three")
            name = names[len(users)]
            client.connect(name)
            users.append((name, client.virtual_address(name)))
            shards.add(self.shard_of_last(len(users)))
        for words in (("sysctl", "-qw", "net.ipv4.conf.cable.promote_secondaries=1"),
                      ("ip", "address", "add", "192.0.2.3/24", "dev", "cable"),
                      ("ip", "address", "del", "192.0.2.2/24", "dev", "cable")):
            network.run(network.client, *words)
        wait_for("every session to move", lambda: len(weir.rows(
            "SELECT DISTINCT session FROM address_changed WHERE cause = 'mobike'"))
            == len(users), 30)
        for name, address in users:
            wait_for(f"{name} at the new address", lambda: network.ping(
                network.client, address, Network.LAN_ADDRESS, count=1) == 1, 30)
        for number, (name, address) in enumerate(users[:3], 1):
            client.swanctl("--rekey", "--ike", name)
            wait_for(f"{name}'s new IKE SA", lambda: len(weir.rows(
                "SELECT 1 FROM ike_sa_rekeyed")) == number, 60)
            self.assertEqual(network.ping(network.client, address, Network.LAN_ADDRESS, 3), 3)
        self.assertEqual(weir.metric("ike_sessions"), len(users))
        self.assertEqual(weir.rows("SELECT reason FROM session_closed"), [])
