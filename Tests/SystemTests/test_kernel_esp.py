"""Clients whose ESP is a Linux kernel's, not strongSwan's own: Weir's packets are right for those,
too, and both count the same."""

from charon import list_sas
from guest import ADDRESS, run_guest
from lab import LabTestCase, Network
from weir import Weir

USER, PSK = "psk-client.lab", "lab-psk-0123456789abcdef"

STRONGSWAN = f"""
set -eu
mkdir -p /tmp/s/swanctl
export STRONGSWAN_CONF=/tmp/s/strongswan.conf SWANCTL_DIR=/tmp/s/swanctl
cat >/tmp/s/strongswan.conf <<C
charon {{
  load = random nonce openssl curve25519 kdf kernel-netlink socket-default vici
  retransmit_tries = 2
  filelog {{ log {{ path = /out/charon.log
      default = 1 }} }}
}}
C
cat >/tmp/s/swanctl/swanctl.conf <<C
connections {{
  right {{ {{connection}}
    local {{ auth = psk
      id = {USER} }} }}
  wrong {{ {{connection}}
    local {{ auth = psk
      id = psk-client2.lab }} }}
}}
secrets {{
  ike-right {{ id-1 = {USER}
    secret = "{PSK}" }}
  ike-wrong {{ id-1 = psk-client2.lab
    secret = "not the PSK" }}
}}
C
/usr/lib/ipsec/charon &
until [ -S /run/charon.vici ]; do sleep 0.1; done
swanctl --load-all
! swanctl --initiate --ike wrong --child net --timeout 20 || exit 3
swanctl --initiate --ike right --child net --timeout 20
ping -n -q -c 5 -i 0.2 {Network.LAN_ADDRESS}
# Fragments of the inner packet, and packets near the MTU.
ping -n -q -c 5 -i 0.2 -s 1300 {Network.LAN_ADDRESS}
echo "BEFORE $(swanctl --list-sas --raw)"
swanctl --rekey --child net
sleep 1
ping -n -q -c 5 -i 0.2 {Network.LAN_ADDRESS}
echo "AFTER $(swanctl --list-sas --raw)"
grep -q . /proc/net/xfrm_stat
awk '$2 != 0 {{ print "XFRM-ERROR", $0 }}' /proc/net/xfrm_stat
swanctl --terminate --ike right --timeout 20
""".replace("{connection}", f"""version = 2
    remote_addrs = {Network.GATEWAY_ADDRESS}
    local_addrs = {ADDRESS}
    proposals = aes128gcm16-prfsha256-x25519
    vips = 0.0.0.0
    remote {{ auth = psk
      id = gw.lab }}
    children {{ net {{ remote_ts = 10.99.0.0/24
        esp_proposals = aes128gcm16 }} }}""")


class KernelESPTests(LabTestCase):
    def setUp(self):
        super().setUp()
        self.network = Network(self)
        self.weir = Weir.in_lab(self, self.network)

    def test_strongswan(self):
        output = run_guest(self, self.network, STRONGSWAN)
        self.assertEqual(output.count("5 packets transmitted, 5 received"), 3, output)
        self.assertNotIn("XFRM-ERROR", output)
        self.assertIn("AUTH_FAILED", output)
        before, after = (self.child(output, mark) for mark in ("BEFORE", "AFTER"))
        self.assertNotEqual(before["spi-in"], after["spi-in"], "the rekey replaced the Child SA")
        self.assert_counted(before, after)

    def child(self, output, mark):
        """The one Child SA that is in use, in what the guest printed after `mark`."""
        text = output.split(mark + " ")[1]
        [(_, sa)] = list_sas(text[:text.index("list-sas reply")])
        [child] = [each for each in sa["child-sas"].values() if each["state"] == "INSTALLED"]
        return child

    def assert_counted(self, *kernels):
        """Each Child SA carried what the client's kernel says: its in is our out."""
        self.weir.wait_for_rows(
            "the session to be closed", "SELECT 1 FROM sessions WHERE ended_ns IS NOT NULL")
        ours = self.weir.rows(
            "SELECT i.inbound_spi, c.* FROM child_sa_closed c JOIN child_sa_installed i"
            " USING (session, child) ORDER BY i.rowid")
        self.assertEqual(len(ours), len(kernels), ours)
        for closed, kernel in zip(ours, kernels):
            self.assertEqual(int(closed["inbound_spi"], 16), int(kernel["spi-out"], 16))
            self.assertEqual(closed["packets_in"], int(kernel["packets-out"]))
            self.assertEqual(closed["packets_out"], int(kernel["packets-in"]))
            self.assertEqual(closed["bytes_out"], int(kernel["bytes-in"]))
            self.assertEqual(closed["bytes_in"], int(kernel["bytes-out"]))
        failures = self.weir.rows("SELECT reason FROM ike_auth_failed")
        self.assertEqual([row["reason"] for row in failures], ["wrong_credential"])
