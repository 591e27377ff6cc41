"""The lab itself: the client recipe against a gateway that is not ours.

If these fail, the lab is broken; if these pass and test_strongswan.py fails, Weir is.
"""

import unittest

from charon import Charon, CharonGateway, client_configuration, list_sas, pinging
from lab import LabTestCase, Network, answered

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"


class LabTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.gateway = CharonGateway(self, self.network, USER, PSK)
        self.client = Charon(self, "client", self.network.client, client_configuration({
            "right": (USER, PSK), "wrong": (USER + "2", "not the PSK")}))

    def test_client_and_gateway_count_the_same(self):
        self.client.connect("right")
        address = self.client.virtual_address("right")
        self.assertEqual(
            self.network.ping(self.network.client, address, Network.LAN_ADDRESS), 5)
        self.assertEqual(
            self.network.ping(self.network.gateway, Network.LAN_ADDRESS, address), 5)
        bytes_in, packets_in, bytes_out, packets_out = self.client.settled_traffic()
        self.assertEqual((bytes_in, packets_in), (840, 10))
        self.assertEqual(
            self.gateway.traffic(), (bytes_out, packets_out, bytes_in, packets_in))
        self.assertEqual(
            self.client.device_traffic(), (bytes_in, packets_in, bytes_out, packets_out))
        self.client.disconnect("right")
        self.assertEqual(self.client.ike_sas(), {})

    def test_rekeys_lose_nothing(self):
        self.client.connect("right")
        address = self.client.virtual_address("right")
        with pinging(self.network, self.network.client, address, Network.LAN_ADDRESS) as pings:
            for rekey in (self.client.rekey_child, self.client.rekey_ike, self.client.rekey_child):
                self.client.wait_for_packets(5)
                rekey("right")
            self.client.wait_for_packets(5)
        sent, received = pings
        bytes_in, packets_in, bytes_out, packets_out = self.client.device_traffic()
        self.assertEqual((packets_out, packets_in), (sent, received))
        self.assertEqual(
            self.gateway.traffic(), (bytes_out, packets_out, bytes_in, packets_in))

    def test_wrong_psk_is_refused(self):
        self.assertIn("AUTH_FAILED", self.client.fail_to_connect("wrong"))
        self.assertEqual(self.client.children(), {})


class ParserTests(unittest.TestCase):
    def test_swanctl_raw_output(self):
        raw = ("list-sa event {psk {uniqueid=1 state=ESTABLISHED local-vips=[10.88.0.1 10.88.0.2] "
               "child-sas {net-1 {name=net bytes-in=252} net-2 {name=net bytes-in=84}}}}\n"
               "list-sas reply {}\n")
        self.assertEqual(list_sas(raw), [("psk", {
            "uniqueid": "1", "state": "ESTABLISHED", "local-vips": ["10.88.0.1", "10.88.0.2"],
            "child-sas": {"net-1": {"name": "net", "bytes-in": "252"},
                          "net-2": {"name": "net", "bytes-in": "84"}}})])

    def test_ping_output(self):
        self.assertEqual(
            answered("3 packets transmitted, 2 received, 33% packet loss, time 401ms"), 2)
