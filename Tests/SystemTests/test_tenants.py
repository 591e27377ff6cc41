"""Two tenants with the same inner addresses: each has a TUN device and a routing table of its own,
and reaches its own hosts and nobody else's."""

import secrets

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir, configuration, write_secret

#: Each tenant's table, cable to its LAN, and how often its client pings.
TENANTS = {"red": (100, "172.16.1", 5), "blue": (200, "172.16.2", 3)}
#: The host that either tenant has, and one that the main table leads to.
HOST, SHARED = "10.50.0.10", "10.60.0.10"


class TenantsTests(LabTestCase):
    r"""
       client-red ── 192.0.2.2      ┌────────── gateway ───────────┐      red's host 10.50.0.10
                          \─────────┤ weir-red ─ table 100 ─ red   ├──────/
       client-blue ─ 203.0.113.2 ───┤ weir-blue ─ table 200 ─ blue ├────── blue's host 10.50.0.10
                                    └──────────────────────────────┘      (and 10.60.0.10)
    """

    def setUp(self):
        super().setUp()
        self.network = Network(self)
        gateway = self.network.gateway
        for setting in ("ip_forward=1", "conf.all.rp_filter=0", "conf.default.rp_filter=0"):
            self.network.run(gateway, "sysctl", "-qw", f"net.ipv4.{setting}")
        self.hosts = {name: self.add_host(name) for name in TENANTS}
        self.clients = {"red": self.network.client, "blue": self.add_namespace("c2")}
        self.add_cable("uplink", gateway, "203.0.113.1", self.clients["blue"], "203.0.113.2")
        self.network.run(self.clients["blue"], "ip", "route", "add", "default",
                         "via", "203.0.113.1")
        # Anybody but a tenant may go there.
        self.network.run(gateway, "ip", "route", "add", "10.60.0.0/24", "via", "172.16.2.2")

    def add_namespace(self, name):
        namespace = f"weir-{name}-{secrets.token_hex(3)}"
        self.run_command("ip", "netns", "add", namespace)
        self.addCleanup(self.run_command, "ip", "netns", "del", namespace, status=None)
        for command in (("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"),
                        ("ip", "link", "set", "lo", "up")):
            self.network.run(namespace, *command)
        return namespace

    def add_cable(self, name, one, one_address, other, other_address):
        self.run_command("ip", "link", "add", name, "netns", one, "type", "veth",
                         "peer", "name", "cable", "netns", other)
        for namespace, device, address in ((one, name, one_address),
                                           (other, "cable", other_address)):
            self.network.run(namespace, "ip", "address", "add", f"{address}/24", "dev", device)
            self.network.run(namespace, "ip", "link", "set", device, "up")

    def add_host(self, name):
        """A tenant's host, and the way there and back by the tenant's table."""
        table, cable, _ = TENANTS[name]
        host, gateway = self.add_namespace(name), self.network.gateway
        self.add_cable(name, gateway, f"{cable}.1", host, f"{cable}.2")
        for address in (HOST, SHARED):
            self.network.run(host, "ip", "address", "add", f"{address}/32", "dev", "lo")
        self.network.run(host, "ip", "route", "add", "default", "via", f"{cable}.1")
        self.network.run(gateway, "ip", "route", "add", "10.50.0.0/24", "via", f"{cable}.2",
                         "table", table)
        self.network.run(gateway, "ip", "rule", "add", "iif", name, "lookup", table)
        return host

    def start_weir(self):
        pools, connections = [], []
        base = configuration(self.folder)["connections"][0]
        for name, (table, _, _) in TENANTS.items():
            secret = self.folder / f"{name}.psk"
            write_secret(secret, f"psk of {name}")
            pools.append({"name": name, "addresses": "10.88.0.0/24"})
            connections.append(base | {
                "name": name, "remote_ids": f"*@{name}.example", "pool": name,
                "secret": {"file": str(secret)}, "local_ts": ["10.50.0.0/24", "10.60.0.0/24"],
                "tun": {"name": f"weir-{name}", "table": table}})
        self.weir = Weir.in_lab(self, self.network, pools=pools, connections=connections)

    def start_client(self, name, local):
        client = Charon(
            self, f"client-{name}", self.clients[name],
            client_configuration({name: (f"alice@{name}.example", f"psk of {name}")}, local=local,
                                 remote_ts="10.50.0.0/24,10.60.0.0/24"))
        client.connect(name)
        self.assertEqual(client.virtual_address(name), "10.88.0.1")
        return client

    def echoes(self, name):
        """The pings that a tenant's host has seen."""
        text = self.network.run(self.hosts[name], "cat", "/proc/net/snmp").stdout
        names, values = (line.split() for line in text.splitlines() if line.startswith("Icmp:"))
        return int(dict(zip(names[1:], values[1:]))["InEchos"])

    def test_same_inner_address(self):
        self.start_weir()
        clients = {"red": self.start_client("red", "192.0.2.2"),
                   "blue": self.start_client("blue", "203.0.113.2")}
        for name, (_, _, count) in TENANTS.items():
            self.assertEqual(
                self.network.ping(self.clients[name], "10.88.0.1", HOST, count), count)
        for name, (_, _, count) in TENANTS.items():
            self.assertEqual(self.echoes(name), count, f"pings that {name}'s host has seen")
            # Hosts reach the client of their tenant, too.
            self.assertEqual(self.network.ping(self.hosts[name], HOST, "10.88.0.1", 2), 2)
        # What a tenant's table does not know is unreachable, though the main table knows it.
        self.assertEqual(self.network.ping(self.network.gateway, "172.16.2.1", SHARED, 1), 1)
        self.assertEqual(self.network.ping(self.clients["red"], "10.88.0.1", SHARED, 1), 0)
        self.assertEqual(self.network.ping(self.clients["blue"], "10.88.0.1", SHARED, 1), 0)
        traffic = {}
        for name, client in clients.items():
            traffic[name] = client.settled_traffic()
            client.disconnect(name)
        for name, (bytes_in, packets_in, bytes_out, packets_out) in traffic.items():
            closed, = self.weir.wait_for_rows(
                f"{name}'s session to be closed",
                "SELECT c.* FROM session_closed c JOIN session_established e USING (session)"
                " WHERE e.connection = ?", name)
            self.assertEqual(
                [closed[column] for column in (
                    "bytes_in", "packets_in", "bytes_out", "packets_out")],
                [bytes_out, packets_out, bytes_in, packets_in])
        leases = self.weir.rows("SELECT pool, address FROM lease_granted")
        self.assertEqual(sorted(row["pool"] for row in leases), ["blue", "red"])
        self.assertEqual(len({row["address"] for row in leases}), 1)
        wait_for("the address to be free again", lambda: self.weir.metric(
            "ike_pool_addresses_used", pool="red") == 0, 30, every=0.2)
        self.weir.stop()
        rules = self.network.run(self.network.gateway, "ip", "rule").stdout
        self.assertNotIn("weir-", rules)
