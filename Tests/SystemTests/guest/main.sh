#!/bin/bash
# Within the overlay: loads what IPsec needs, runs /out/script, leaves its status in /out/status
# and its words in /out/output.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
ip link set lo up
modprobe -a af_key xfrm_user esp4 xfrm4_tunnel authenc gcm ccm cbc ctr seqiv echainiv hmac \
    sha256_generic sha512_generic algif_hash algif_skcipher af_alg 2>/out/missing
ip address add 198.51.100.2/24 dev vec0
ip link set vec0 mtu 1500 up
ip route add default via 198.51.100.1
cd /out && timeout -k 2 "$bed_seconds" /bin/bash /out/script </dev/null >/out/output 2>&1
echo $? >/out/status.new && mv /out/status.new /out/status
sync
exec busybox poweroff -f
