# What every client's script has in common; sourced by it. Given: GATEWAY, ADDRESS, USER_ID, PSK,
# WRONG_ID, LAN.
set -eu

# `wait_for COMMAND …`: until it succeeds; the script's own time limit ends it.
wait_for() { until "$@"; do sleep 0.2; done; }

say() { echo "[$(date +%H:%M:%S)] $*"; }

# Each SA that the kernel deletes, with what it carried, goes to /out/kernel.
watch_kernel() {
    ip -s xfrm monitor SA >/out/kernel &
    sleep 0.5
}

# Of the SAs that are in place.
sa_spis() { ip xfrm state | grep 'mode tunnel' | grep -o 'spi 0x[0-9a-f]*' | sort; }

# `replaced BEFORE`: two SAs are in place, and neither was before.
replaced() {
    local now
    now=$(sa_spis)
    [ "$(grep -c spi <<<"$now")" = 2 ] && ! grep -qxF "$1" <<<"$now"
}

virtual_address() { ip -4 -o address | grep -o '10\.88\.[0-9.]*' | head -1; }

# Small packets, and some near the MTU.
ping_lan() {
    ping -n -q -c 5 -i 0.2 -I "$(virtual_address)" "$LAN"
    ping -n -q -c 5 -i 0.2 -s 1300 -I "$(virtual_address)" "$LAN"
}

# Lets the host act while the tunnel is up.
pause() {
    virtual_address >/out/up.new && mv /out/up.new /out/up
    wait_for test -e /out/go
}

# All SAs are gone, and counted.
finish() {
    wait_for sh -c '! ip xfrm state | grep -q "mode tunnel"'
    awk '$2 != 0 { print "XFRM-ERROR", $0 }' /proc/net/xfrm_stat
    sleep 0.5
}
