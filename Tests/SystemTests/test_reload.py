"""`weir reload` and SIGHUP: what changed is followed, a live session never notices."""

import json
import signal

from charon import Charon, client_configuration, pinging
from lab import LabTestCase, Network, wait_for
from weir import Weir, write_secret

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"


class ReloadTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.weir = Weir.in_lab(self, self.network)

    def change(self, change):
        """Writes the configuration anew after `change` has had it."""
        change(self.weir.settings)
        self.weir.file.write_text(json.dumps(self.weir.settings, indent=2))

    def reload(self, status=0):
        return self.weir.command("reload", "--control", self.weir.control, status=status)

    def test_a_live_session_stays(self):
        client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "second": ("second.lab", "new-psk-0123456789")}))
        client.connect("right")
        address = client.virtual_address("right")

        def grow(settings):
            settings["pools"][0]["addresses"] = "10.88.0.0/23"
            settings["pools"].append({"name": "guests", "addresses": "10.90.0.0/24"})
            settings["gateway"]["max_sessions"] = 77
            write_secret(self.folder / "guests.psk", "new-psk-0123456789")
            guests = settings["connections"][0] | {
                "name": "guests", "remote_ids": "second.lab", "pool": "guests",
                "secret": {"file": f"{self.folder}/guests.psk"}}
            settings["connections"].insert(0, guests)
        with pinging(self.network, self.network.client, address, Network.LAN_ADDRESS) as pings:
            client.wait_for_packets(3)
            self.change(grow)
            shown = self.reload().stdout
            client.connect("second")
            client.wait_for_packets(3)
        sent, answered = pings
        self.assertEqual(sent, answered, "a reload must not lose a packet")
        self.assertIn("gateway.max_sessions: 10000 -> 77", shown)
        self.assertIn("pools[staff].addresses: 10.88.0.0/24 -> 10.88.0.0/23", shown)
        self.assertNotIn("second.lab", shown)
        self.assertTrue(client.virtual_address("second").startswith("10.90.0."))
        self.assertIn("10.90.0.", self.network.run(
            self.network.gateway, "ip", "route", "show", "dev", "weir0").stdout)
        events = self.weir.wait_for_rows("the event", "SELECT * FROM config_reloaded")
        self.assertIn("gateway.max_sessions: 10000 -> 77", events[0]["difference"])
        wait_for("the limit to show", lambda: self.weir.metric("ike_sessions_limit") == 77)
        self.assertEqual(self.weir.metric("weir_config_reloads_total"), 1)
        # Now lend what it would lose: refused, and nothing of it happens.
        self.change(lambda settings: settings["pools"].pop())
        self.change(lambda settings: settings["connections"].pop(0))
        self.assertIn("1 of the addresses that it would lose are lent",
                      self.reload(status=1).stderr)
        client.disconnect("second")
        self.assertIn("pools[guests].name: removed guests", self.reload().stdout)
        self.assertNotIn("10.90.0.", self.network.run(
            self.network.gateway, "ip", "route", "show", "dev", "weir0").stdout)

    def test_what_cannot_be_followed_changes_nothing(self):
        self.assertEqual(self.reload().stdout, "nothing has changed\n")
        self.change(lambda settings: settings["gateway"].update(port=501, max_sessions=5))
        self.assertIn("gateway.port: cannot change while weir runs (500 -> 501)",
                      self.reload(status=1).stderr)
        self.change(lambda settings: settings["gateway"].update(port=500, max_sessions=0))
        self.weir.daemon.signal(signal.SIGHUP)
        reasons = wait_for("both refusals", lambda: len(found := self.weir.rows(
            "SELECT reason FROM config_reload_refused ORDER BY id")) == 2 and found)
        self.assertEqual([row["reason"] for row in reasons], ["needs_restart", "invalid"])
        self.assertEqual(self.weir.metric("ike_sessions_limit"), 10_000)
        self.change(lambda settings: settings["gateway"].update(max_sessions=5))
        self.weir.daemon.signal(signal.SIGHUP)
        wait_for("the limit to show", lambda: self.weir.metric("ike_sessions_limit") == 5)
