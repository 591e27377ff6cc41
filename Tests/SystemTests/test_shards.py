"""A gateway of several threads is one to its peers and in its records."""

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir

PSK = "lab-psk-0123456789abcdef"
USERS = [f"user{number}.lab" for number in range(6)]


class ShardsTests(LabTestCase):
    def test_users_of_all_shards(self):
        network = self.network = Network(self)
        weir = Weir.in_lab(self, network, gateway={
            "name": "gw.lab", "shards": 3, "control": f"{self.folder}/control.sock"})
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
