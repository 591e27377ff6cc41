# OpenIKED's iked. It programs the kernel by PF_KEY, which has neither AES-GCM nor HMAC-SHA-256 for
# ESP there.
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
echo '_iked:x:987:987::/run/iked:/usr/sbin/nologin' >>/etc/passwd
echo '_iked:x:987:' >>/etc/group
mkdir -p /run/iked /etc/iked/{private,ca,certs,crls,pubkeys/{ipv4,ipv6,fqdn,ufqdn}}
chmod 700 /etc/iked/private
openssl ecparam -genkey -name prime256v1 -noout -out /etc/iked/private/local.key
openssl ec -in /etc/iked/private/local.key -pubout -out /etc/iked/local.pub
chmod 600 /etc/iked/private/local.key
# A rekey is due after 85 to 95 % of its 200 KiB.
policy() {
    echo "ikev2 $1 active esp from 0.0.0.0/0 to 10.99.0.0/24 local $ADDRESS peer $GATEWAY" \
        "ikesa enc aes-128-gcm prf hmac-sha2-256 group curve25519" \
        "childsa enc aes-256 auth hmac-sha2-512" \
        "srcid $2 dstid gw.lab lifetime 3h bytes 200K psk \"$3\" request address any iface $1"
}
{
    policy wrong "$WRONG_ID" "not the PSK"
    policy right "$USER_ID" "$PSK"
} >/tmp/iked.conf
chmod 600 /tmp/iked.conf
for name in right wrong; do
    ip link add $name type dummy
    ip link set $name up
done
watch_kernel
iked -d -vv -f /tmp/iked.conf -s /run/iked.sock >/out/client.log 2>&1 &
wait_for sh -c 'ip -4 address | grep -q " 10\.88\."'
say "logged in"
ping_lan
say "rekey"
before=$(sa_spis)
ping -n -q -c 142 -i 0.02 -s 1300 -I "$(virtual_address)" "$LAN"
wait_for replaced "$before"
ping_lan
say "the gateway's turn"
pause
ping_lan
say "logout"
ikectl -s /run/iked.sock reset id FQDN/gw.lab
finish
