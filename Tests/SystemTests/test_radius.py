"""FreeRADIUS hears of every session what Weir's store has of it; when it dies, Weir says so, keeps
what it has to tell, and tells it when the server is back."""

import datetime
import json

from charon import Charon, client_configuration
from freeradius import SECRET, FreeRADIUS
from lab import LabTestCase, Network, wait_for
from prometheus import Alertmanager, Prometheus
from weir import Weir, write_secret

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
PORT = 1813


class RadiusTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.radius = FreeRADIUS(
            self, PORT, prefix=("ip", "netns", "exec", self.network.gateway))
        secret = self.folder / "radius.secret"
        write_secret(secret, SECRET)
        self.weir = Weir.in_lab(self, self.network, radius={
            "servers": [{"name": "freeradius", "address": "127.0.0.1", "accounting_port": PORT,
                         "secret": {"file": str(secret)}}],
            "timeout": "500ms", "retries": 1, "probe": "1s", "interim": "1s"})
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK)}))

    def metric(self, name, **labels):
        return self.weir.metric(f"weir_radius_{name}", server="freeradius", **labels)

    def wait_until_up(self, value):
        wait_for(f"weir_radius_server_up to be {value}",
                 lambda: self.metric("server_up") == value, 30, every=0.2)

    def session(self):
        """A user logs in, pings, and leaves."""
        self.client.connect("right")
        address = self.client.virtual_address("right")
        self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
        return address

    def test_accounting_equals_the_store(self):
        self.wait_until_up(1)
        address = self.session()
        wait_for("an interim update with the traffic", lambda: any(
            record["Acct-Status-Type"] == "Interim-Update" and record["Acct-Input-Packets"] == "5"
            for record in self.radius.records()), 30)
        self.client.rekey_child("right")
        self.network.ping(self.network.client, address, Network.LAN_ADDRESS)
        self.client.disconnect("right")
        stops = wait_for("the Stop", lambda: self.radius.of("Stop"), 30)
        self.weir.wait_for_rows(
            "the session's end", "SELECT 1 FROM sessions WHERE ended_ns IS NOT NULL", seconds=30)
        (session,) = self.weir.rows("SELECT * FROM sessions")
        stop = stops[session["session"]]
        for name, attribute in (("bytes_in", "Acct-Input-Octets"),
                                ("packets_in", "Acct-Input-Packets"),
                                ("bytes_out", "Acct-Output-Octets"),
                                ("packets_out", "Acct-Output-Packets")):
            self.assertEqual(int(stop[attribute]), session[name], attribute)
        self.assertGreater(session["bytes_in"], 0)
        self.assertEqual(stop["Acct-Terminate-Cause"], "User-Request")
        self.assertEqual(stop["Acct-Input-Gigawords"], "0")
        start = self.radius.of("Start")[session["session"]]
        for record in (start, stop):
            self.assertEqual(record["User-Name"], f'"{USER}"')
            self.assertEqual(record["Framed-IP-Address"], address)
            self.assertEqual(record["NAS-Identifier"], '"gw.lab"')
        began = datetime.datetime.strptime(
            start["Event-Timestamp"].strip('"').removesuffix(" UTC"), "%b %d %Y %H:%M:%S")
        self.assertAlmostEqual(
            began.replace(tzinfo=datetime.timezone.utc).timestamp(),
            session["started_ns"] / 1e9, delta=1.5)
        # The name is for the server, and for nobody else here.
        log = self.weir.daemon.stderr.read_text() + self.weir.http("/metrics")[2].decode()
        self.assertNotIn(USER, log)
        self.assertGreater(self.metric("requests_total", result="answered"), 3)
        self.assertEqual(self.metric("requests_total", result="unanswered"), 0)
        self.weir.stop()
        kinds = [record["Acct-Status-Type"] for record in self.radius.records()]
        self.assertEqual((kinds[0], kinds[-1]), ("Accounting-On", "Accounting-Off"))

    def test_a_server_that_dies_and_comes_back(self):
        self.wait_until_up(1)
        self.radius.stop()
        self.wait_until_up(0)
        self.weir.wait_for_rows(
            "the event", "SELECT 1 FROM radius_server_down WHERE server = 'freeradius'")
        self.session()
        self.client.disconnect("right")
        self.weir.wait_for_rows(
            "the session's end", "SELECT 1 FROM sessions WHERE ended_ns IS NOT NULL", seconds=30)
        wait_for("records that wait", lambda: self.weir.metric(
            "weir_radius_accounting_queue_length") >= 2, 30)
        self.radius.start()
        self.wait_until_up(1)
        (up,) = self.weir.wait_for_rows("the event", "SELECT * FROM radius_server_up")
        self.assertGreater(up["down_ms"], 0)
        stops = wait_for("the Stop", lambda: self.radius.of("Stop"), 30)
        (session,) = self.weir.rows("SELECT * FROM sessions")
        stop = stops[session["session"]]
        self.assertEqual(int(stop["Acct-Input-Octets"]), session["bytes_in"])
        self.assertEqual(list(self.radius.of("Start")), [session["session"]])
        wait_for("an empty queue", lambda: self.weir.metric(
            "weir_radius_accounting_queue_length") == 0, 30)
        self.assertEqual(self.weir.rows("SELECT * FROM accounting_lost"), [])

    def test_the_alert_of_a_server_that_dies(self):
        """Prometheus judges by the shipped rules, and Alertmanager holds what they raise."""
        both = {"WeirRadiusServerDown", "WeirRadiusDown"}
        self.wait_until_up(1)
        alertmanager = Alertmanager(self, self.network.gateway)
        prometheus = Prometheus(
            self, self.network.gateway, self.weir.settings["telemetry"]["metrics"]["port"],
            alertmanager)
        self.assertFalse(both & prometheus.firing())
        self.radius.stop()
        wait_for("both alerts", lambda: both <= prometheus.firing(), 60, every=0.5)
        groups = wait_for("their groups", lambda: (
            both <= set(found := alertmanager.groups()) and found), 60, every=0.5)
        (one,), (all_of_them,) = groups["WeirRadiusServerDown"], groups["WeirRadiusDown"]
        self.assertEqual((one["server"], one["severity"]), ("freeradius", "warning"))
        self.assertEqual(all_of_them["severity"], "critical")
        self.assertIn("Problem</span> RADIUS server freeradius",
                      self.weir.http("/")[2].decode())
        self.radius.start()
        wait_for("no alert", lambda: not both & prometheus.firing(), 60, every=0.5)
        self.assertIn("OK</span> RADIUS server freeradius", self.weir.http("/")[2].decode())

    def test_another_secret_is_no_answer(self):
        self.weir.stop()
        settings = json.loads(json.dumps(self.weir.settings))
        write_secret(self.folder / "radius.secret", "another")
        self.weir = Weir(self, settings, self.network.gateway)
        # FreeRADIUS is silent to who does not prove the secret.
        self.weir.wait_for_rows(
            "the event", "SELECT 1 FROM radius_server_down", seconds=30)
        self.assertEqual(self.metric("server_up"), 0)
        self.assertEqual(self.metric("requests_total", result="answered"), 0)
