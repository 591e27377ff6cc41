"""`weir drain`: strongSwan follows its redirects from one Weir to another."""

import contextlib
import json
import os
import pty
import subprocess

from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir, binary, configuration

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
SECOND = "192.0.2.3"


class DrainTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.network.run(self.network.gateway, "ip", "address", "add", f"{SECOND}/24",
                         "dev", "cable")
        self.weir = Weir.in_lab(self, self.network)
        self.first_folder, self.folder = self.folder, self.folder / "second"
        self.folder.mkdir()
        settings = configuration(self.folder, pools=[
            {"name": "staff", "addresses": "10.89.0.0/24"}])
        settings["gateway"] |= {
            "listen": [SECOND], "port": 500, "nat_port": 4500, "dataplane": "tun",
            "tun": {"name": "weir1"}}
        self.other = Weir(self, settings, self.network.gateway)
        self.folder = self.first_folder
        self.client = Charon(self, "client", self.network.client, client_configuration(
            {"right": (USER, PSK)}), hosts=f"{SECOND} gw2.example.org")

    def drain(self, *words):
        return self.weir.command("drain", *words, "--control", self.weir.control).stdout

    def test_a_live_session_goes_to_the_other_gateway(self):
        self.check_a_live_session(SECOND)

    def test_a_live_session_goes_to_a_name(self):
        self.check_a_live_session("gw2.example.org")

    def check_a_live_session(self, target):
        self.client.connect("right")
        self.assertTrue(self.client.virtual_address("right").startswith("10.88.0."))
        shown = self.drain("--to", target, "--deadline", "30s")
        self.assertTrue(shown.endswith("nobody is left\n"), shown)
        self.other.wait_for_rows(
            "the session at the other gateway", "SELECT 1 FROM session_established")
        address = wait_for("the client's new address", lambda: next((
            vip for sa in self.client.ike_sas().values() if sa["state"] == "ESTABLISHED"
            for vip in sa.get("local-vips", []) if vip.startswith("10.89.0.")), None))
        self.assertEqual(
            self.network.ping(self.network.client, address, Network.LAN_ADDRESS), 5)
        closed = self.weir.wait_for_rows("the end of the session", "SELECT * FROM session_closed")
        self.assertEqual([row["reason"] for row in closed], ["drained"])
        self.assertEqual(self.weir.http("/readyz")[0], 503)
        self.weir.wait_for_rows("the end of the drain", "SELECT 1 FROM gateway_drain_ended")

    def test_a_login_goes_to_the_other_gateway(self):
        self.drain("--to", SECOND)
        self.client.connect("right")
        self.assertTrue(self.client.virtual_address("right").startswith("10.89.0."))
        rejected = self.weir.wait_for_rows(
            "the redirect", "SELECT reason FROM ike_sa_init_rejected")
        self.assertEqual(rejected[0]["reason"], "redirected")
        self.client.disconnect("right")
        self.drain("--cancel")
        wait_for("readiness", self.weir.is_ready)
        self.client.connect("right")
        self.assertTrue(self.client.virtual_address("right").startswith("10.88.0."))

    def test_who_cannot_follow_is_deleted_at_the_deadline(self):
        self.client.connect("right")
        lines = self.drain("--deadline", "2s", "--format", "ndjson").splitlines()
        self.assertEqual([json.loads(line)["left"] for line in lines], [1, 0])
        wait_for("the client to be told", lambda: not self.client.ike_sas(), 30)
        closed = self.weir.wait_for_rows("the end of the session", "SELECT * FROM session_closed")
        self.assertEqual([row["reason"] for row in closed], ["drained"])

    def test_a_bar_on_a_terminal(self):
        self.client.connect("right")
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [binary(), "drain", "--deadline", "1s", "--control", self.weir.control],
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
        self.assertEqual(process.wait(30), 0)
        os.set_blocking(master, False)
        shown = ""

        def is_whole():
            nonlocal shown
            with contextlib.suppress(BlockingIOError):
                shown += os.read(master, 65_536).decode()
            return shown.endswith("nobody is left\r\n")
        wait_for("the last word on the terminal", is_whole, 30)
        os.close(master)
        os.close(slave)
        self.assertIn("[------------------------------] 1 of 1 sessions left", shown)
        self.assertIn("[##############################] 0 of 1 sessions left", shown)
