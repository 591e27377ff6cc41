"""Independent eyes: tshark decrypts all that was on the wire, and finds nothing wrong with it."""

from capture import Capture, key_options
from charon import Charon, client_configuration
from lab import LabTestCase, Network, wait_for
from weir import Weir

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"
IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL = "35", "36", "37"


class WireTests(LabTestCase):
    def test_tshark_understands_everything(self):
        network = Network(self)
        keylog = self.folder / "keys"
        weir = Weir.in_lab(self, network, environment={"WEIR_TEST_KEYLOG": str(keylog)})
        client = Charon(self, "client", network.client, client_configuration({
            "right": (USER, PSK), "wrong": ("psk-client2.lab", "not the PSK")}))
        capture = Capture(self, network.gateway)
        client.fail_to_connect("wrong")
        client.connect("right")
        address = client.virtual_address("right")
        pings = 0
        for change in (client.rekey_child, client.rekey_ike, lambda name: None):
            pings += network.ping(network.client, address, Network.LAN_ADDRESS)
            change("right")
        client.disconnect("right")
        children = [
            (row["inbound_spi"], row["outbound_spi"]) for row in weir.wait_for_rows(
                "the Child SAs", "SELECT * FROM child_sa_installed ORDER BY rowid")]
        wait_for("the last packet in the capture",
                 lambda: len(capture.fields("isakmp.exchangetype == 37", "isakmp.ispi")) >= 2)
        capture.stop()
        options = key_options(capture, keylog, children)

        broken = capture.fields(
            "_ws.malformed || _ws.expert.severity >= \"Warning\""
            " || isakmp.ikev2.integrity_checksum || esp.icv_bad == 1",
            "frame.number", "_ws.col.Info", "_ws.expert.message", options=options)
        self.assertEqual(broken, [])

        def ike(*names, exchange):
            return capture.fields(f"isakmp.exchangetype == {exchange}", *names, options=options)
        # Each protected message was decrypted, and holds what it should.
        for exchange in (IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL):
            found = ike("isakmp.enc.decrypted", exchange=exchange)
            self.assertGreaterEqual(len(found), 2)
            self.assertTrue(all(row != [""] for row in found), (exchange, found))
        methods = [row[0] for row in ike("isakmp.auth.method", exchange=IKE_AUTH)]
        self.assertEqual(methods, ["2", "", "2", "2"])
        notifies = ike("isakmp.notify.msgtype", exchange=IKE_AUTH)
        self.assertIn("24", notifies[1][0].split(","), "AUTHENTICATION_FAILED")

        # Each ping went and came in a tunnel whose packets tshark can check and open.
        good = capture.fields("esp.icv_good == 1 && icmp", "icmp.type", options=options)
        self.assertEqual(sorted(row[0] for row in good), ["0"] * pings + ["8"] * pings)
        self.assertEqual(
            capture.fields("esp && !(esp.icv_good == 1)", "frame.number", options=options), [])
