"""A gateway of several threads is one to its peers and in its records."""

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir

PSK = "lab-psk-0123456789abcdef"
USERS = [f"user{number}.lab" for number in range(6)]


class ShardsTests(LabTestCase):
    def test_users_of_all_shards(self):
        network = self.network = Network(self)
        # No more addresses than users, two for each thread: who finds a thread's used up is handed
        # to another.
        weir = Weir.in_lab(self, network, gateway={
            "name": "gw.lab", "shards": 3, "control": f"{self.folder}/control.sock"},
            pools=[{"name": "staff", "addresses": "10.88.0.1-10.88.0.6"}])
        client = Charon(self, "client", network.client, client_configuration(
            {user.removesuffix(".lab"): (user, PSK) for user in USERS}))
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

    def test_users_who_come_back(self):
        """Clients that crashed log in anew, most of them at another shard than before."""
        network = Network(self)
        weir = Weir.in_lab(self, network, gateway={
            "name": "gw.lab", "shards": 3, "control": f"{self.folder}/control.sock"})
        accounts = client_configuration(
            {user.removesuffix(".lab"): (user, PSK) for user in USERS})
        for name in ("client", "restarted"):
            client = Charon(self, name, network.client, accounts)
            for user in USERS:
                client.connect(user.removesuffix(".lab"))
            client.daemon.kill()
        wait_for("the old sessions to be replaced", lambda: len(weir.json(
            "sessions", "--control", weir.control)) == len(USERS), seconds=30)
        weir.stop()
        ends = weir.rows("SELECT reason, count(*) AS n FROM sessions GROUP BY reason")
        self.assertEqual(
            {row["reason"]: row["n"] for row in ends},
            {"replaced": len(USERS), "shutdown": len(USERS)})

    def shard_of_last(self, weir, logins):
        """The shard of the last of so many logins: the first byte of the gateway's SPI."""
        rows = wait_for("the login's record", lambda: (found := weir.rows(
            "SELECT responder_spi FROM session_established ORDER BY rowid"))
            and len(found) == logins and found, 30)
        return int(rows[-1]["responder_spi"], 16) >> 56

    def test_move_and_rekeys(self):
        """MOBIKE and rekeys reach the shard that has the session."""
        names = [f"u{number}" for number in range(20)]
        network = self.network = Network(self)
        weir = Weir.in_lab(self, network, gateway={
            "name": "gw.lab", "shards": 3, "control": f"{self.folder}/control.sock"})
        client = Charon(self, "client", network.client, client_configuration(
            {name: (f"{name}.lab", PSK) for name in names}, local="%any"))
        users, shards = [], set()
        while len(users) < 3 or len(shards) < 2:
            self.assertLess(len(users), len(names), "all users at one shard, of three")
            name = names[len(users)]
            client.connect(name)
            users.append((name, client.virtual_address(name)))
            shards.add(self.shard_of_last(weir, len(users)))
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
