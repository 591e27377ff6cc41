# strongSwan's charon with the kernel's ESP.
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
mkdir -p /tmp/s/swanctl
export STRONGSWAN_CONF=/tmp/s/strongswan.conf SWANCTL_DIR=/tmp/s/swanctl
cat >/tmp/s/strongswan.conf <<C
charon {
  load = random nonce openssl curve25519 kdf kernel-netlink socket-default vici
  retransmit_tries = 2
  filelog { log { path = /out/client.log
      default = 1 } }
}
C
connection() {
    cat <<C
  $1 {
    version = 2
    remote_addrs = $GATEWAY
    local_addrs = $ADDRESS
    proposals = aes128gcm16-prfsha256-x25519
    vips = 0.0.0.0
    local { auth = psk
      id = $2 }
    remote { auth = psk
      id = gw.lab }
    children { $1-net { remote_ts = 10.99.0.0/24
        esp_proposals = aes128gcm16 } } }
C
}
cat >/tmp/s/swanctl/swanctl.conf <<C
connections {
$(connection right "$USER_ID")
$(connection wrong "$WRONG_ID")
}
secrets {
  ike-right { id-1 = $USER_ID
    secret = "$PSK" }
  ike-wrong { id-1 = $WRONG_ID
    secret = "not the PSK" }
}
C
ike_spis() { swanctl --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*'; }
watch_kernel
/usr/lib/ipsec/charon &
wait_for test -S /run/charon.vici
swanctl --load-all
say "wrong key"
! swanctl --initiate --child wrong-net --timeout 20 || exit 3
say "right key"
swanctl --initiate --child right-net --timeout 20
ping_lan
say "rekey"
before=$(ike_spis)
swanctl --rekey --ike right
ike_replaced() { [ -n "$(ike_spis)" ] && ! ike_spis | grep -qxF "$before"; }
wait_for ike_replaced
swanctl --rekey --child right-net
ping_lan
say "the gateway's turn"
pause
ping_lan
say "logout"
swanctl --terminate --ike right --timeout 20
finish
