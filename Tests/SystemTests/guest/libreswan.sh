# libreswan's pluto with the kernel's ESP.
. "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
pluto=/usr/libexec/ipsec
mkdir -p /tmp/l/nss /tmp/l/d /run/pluto
certutil -N -d sql:/tmp/l/nss --empty-password
connection() {
    cat <<C
conn $1
	ikev2=insist
	authby=secret
	ike=aes_gcm128-sha2_256;dh31
	esp=aes_gcm128
	left=$ADDRESS
	leftid=@$2
	leftsubnet=0.0.0.0/0
	leftmodecfgclient=yes
	right=$GATEWAY
	rightid=@gw.lab
	rightsubnet=10.99.0.0/24
	narrowing=yes
	auto=ignore
C
}
{
    printf 'config setup\n\tuniqueids=no\n'
    connection right "$USER_ID"
    connection wrong "$WRONG_ID"
} >/tmp/l/ipsec.conf
cat >/tmp/l/ipsec.secrets <<C
@gw.lab @$USER_ID : PSK "$PSK"
@gw.lab @$WRONG_ID : PSK "not the PSK"
C
chmod 600 /tmp/l/ipsec.secrets
watch_kernel
$pluto/pluto --nofork --config /tmp/l/ipsec.conf --secretsfile /tmp/l/ipsec.secrets \
    --ipsecdir /tmp/l/d --nssdir /tmp/l/nss --rundir /run/pluto --logfile /out/client.log &
wait_for $pluto/whack --status >/dev/null 2>&1
$pluto/whack --listen
$pluto/addconn --config /tmp/l/ipsec.conf --ctlsocket /run/pluto/pluto.ctl right wrong
say "wrong key"
# It would try for ever.
! timeout 10 $pluto/whack --name wrong --initiate || exit 3
$pluto/whack --name wrong --delete
say "right key"
$pluto/whack --name right --initiate
ping_lan
say "rekey"
$pluto/whack --name right --rekey-ike
$pluto/whack --name right --rekey-ipsec
ping_lan
say "the gateway's turn"
pause
ping_lan
say "logout"
$pluto/whack --trafficstatus
$pluto/whack --name right --terminate
finish
