"""strongSwan and Weir agree on algorithms of every kind, and traffic flows by them."""

from charon import Charon, client_configuration
from lab import LabTestCase, Network
from weir import Weir, configuration

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"

# Connection by (IKE suite, ESP suite).
SUITES = {
    "gcm": ("aes256gcm16-prfsha384-ecp384", "aes256gcm16"),
    "cbc": ("aes256-sha256-modp3072", "aes256-sha256"),
    "cbc128": ("aes128-sha384-ecp521", "aes128-sha512"),
    "ctr": ("aes128ctr-sha512-modp2048", "aes256ctr-sha384"),
    "chacha": ("chacha20poly1305-prfsha256-x25519", "chacha20poly1305"),
    "ccm": ("aes256ccm16-prfsha384-ecp256", "aes128ccm16"),
    "x448": ("aes256gcm16-prfsha512-x448", "aes256gcm16"),
    "modp4096": ("aes128gcm16-prfsha256-modp4096", "aes128gcm16"),
}
# What connections of these names end with.
WEAK = {"cbc": "aes_cbc", "cbc128": "aes_cbc", "ctr": "modp2048"}


class SuiteTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        connection = configuration(self.folder)["connections"][0] | {
            "ike_proposals": sorted({ike for ike, _ in SUITES.values()}),
            "esp_proposals": sorted({esp for _, esp in SUITES.values()})}
        self.weir = Weir.in_lab(self, self.network, connections=[connection])
        accounts = {name: (USER, PSK) for name in [*SUITES, "poor", "poor-child"]}
        self.client = Charon(self, "client", self.network.client, client_configuration(
            accounts, suites=SUITES | {
                "poor": ("3des-sha1-modp1024", "aes128gcm16"),
                "poor-child": (SUITES["gcm"][0], "3des-sha1")}))

    def test_each_carries_traffic_and_is_rekeyed(self):
        for name, suites in SUITES.items():
            with self.subTest(name):
                self.client.connect(name)
                address = self.client.virtual_address(name)
                for rekey in (None, self.client.rekey_child, self.client.rekey_ike):
                    if rekey:
                        rekey(name)
                    self.assertEqual(self.network.ping(
                        self.network.client, address, Network.LAN_ADDRESS), 5)
                self.client.disconnect(name)
                sessions = self.weir.wait_for_rows(
                    "the session", "SELECT * FROM session_established WHERE ike_suite = ?",
                    suites[0])
                self.assertEqual([row["esp_suite"] for row in sessions], [suites[1]])
                chosen = self.weir.rows(
                    "SELECT algorithm FROM weak_suite_chosen WHERE sa = 'ike' AND session = ?",
                    sessions[0]["session"])
                # At the login, and at the rekey.
                self.assertEqual(
                    [row["algorithm"] for row in chosen], [WEAK[name]] * 2 if name in WEAK else [])

    def test_weak_ones_are_refused(self):
        for name, sa, algorithm in (("poor", "ike", "modp1024"), ("poor-child", "child", "3des")):
            self.client.fail_to_connect(name)
            refused = self.weir.wait_for_rows(
                "the refusal", "SELECT * FROM weak_suite_refused WHERE sa = ?", sa)
            self.assertEqual([row["algorithm"] for row in refused], [algorithm])
        self.assertEqual(self.weir.rows("SELECT * FROM sessions"), [])
