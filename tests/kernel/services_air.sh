# The air side, as services.sh: a T-box and a cloud in namespaces of their own, and busgate-net between them.
. /root/services_common.sh
TBOX=10.88.1.2 OUTER=203.0.113.1 CLOUD=203.0.113.10 STRANGER=203.0.113.20
fence() { nft list table inet busgate; }
forwards() { test "$(sysctl -n net.ipv4.ip_forward)" = "$1"; }
asks() { ip netns exec box python3 /root/services_air.py ask "$1" 6808; }
not_asks() { ! asks "$@"; }
loads() { ip netns exec box python3 -c "import urllib.request as u; print(len(u.urlopen('http://$CLOUD:8080/update.bin', timeout=20).read()))"; }
manager() { setpriv --reuid=fleet-manager --regid=fleet-manager --init-groups busgate held "$@"; }
held_name() { manager list --report json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["name"])'; }
waits() { manager list | grep -q " waits .*update.bin"; }
again() { # service, main process before: another is ready; notes when a look meets no fence
    fence >/dev/null 2>&1 || unfenced=yes
    another "$@" && active "$1"
}
for name in box cloud; do
    ip netns add $name
    ip -n $name link set lo up
done
ip link add eth1 type veth peer name eth0 netns box
ip link add wwan0 type veth peer name eth0 netns cloud
ip addr add 10.88.1.1/24 dev eth1
ip addr add $OUTER/24 dev wwan0
ip link set eth1 up
ip link set wwan0 up
ip -n box addr add $TBOX/24 dev eth0
ip -n box link set eth0 up
ip -n box route add default via 10.88.1.1
ip -n cloud addr add $CLOUD/24 dev eth0
ip -n cloud addr add $STRANGER/24 dev eth0
ip -n cloud link set eth0 up
# The cloud knows the way to the T-box, so that only the fence keeps them apart.
ip -n cloud route add 10.88.1.0/24 via $OUTER
mkdir -p /tmp/cloud
head -c 20000 /dev/urandom >/tmp/cloud/update.bin
for address in $CLOUD $STRANGER; do
    ip netns exec cloud python3 /root/services_air.py platform $address 6808 >"/tmp/callers-$address" 2>&1 &
done
ip netns exec cloud python3 -m http.server 8080 --bind $CLOUD --directory /tmp/cloud >/tmp/web 2>&1 &
useradd --groups busgate,busgate-release fleet-manager

check "before the net gate nothing is forwarded" forwards 0
check "and there is no fence" sh -c "! nft list table inet busgate"
check "the keeper and the net gate start" systemctl start busgate-net
active busgate-net || {
    journalctl -u busgate-net --no-pager | tail -n 8
    systemctl poweroff --force --force
}
check "the net gate is active" soon active busgate-net
net=$(pid busgate-net)
check "the net gate is nobody special" test "$(ps -o user= -p "$net" | tr -d ' ')" = busgate-net
check "its fence stands" fence
check "now packets are forwarded" forwards 1
check "an endpoint of the policy answers the T-box" soon asks $CLOUD
check "by the relay: it was called by the gate" grep -qx $OUTER /tmp/callers-$CLOUD
check "another address does not" not_asks $STRANGER
check "and never heard of it" test ! -s /tmp/callers-$STRANGER
unfenced=
kill -9 "$net"
check "with the net gate killed the fence stands" fence
check "and the other address does not answer" not_asks $STRANGER
check "a killed net gate is started again" soon again busgate-net "$net"
check "the fence stood at every look meanwhile" test -z "$unfenced"
check "and it relays" soon asks $CLOUD
loads >/tmp/loaded 2>&1 &
loading=$!
check "a download waits for the fleet manager" soon waits
check "the T-box has nothing of it" sh -c "cat /tmp/loaded; test ! -s /tmp/loaded"
check "the fleet manager releases it" sh -c "setpriv --reuid=fleet-manager --regid=fleet-manager --init-groups busgate held release $(held_name) --reason checked"
wait $loading
check "and the T-box gets it" grep -qx 20000 /tmp/loaded
check "no service may release what is held" sh -c "! setpriv --reuid=busgate-net --regid=busgate --init-groups touch /var/lib/busgate/marks/mine"
check "the net gate is at the exchange" test -S /run/busgate-exchange/air.sock
check "the evidence is kept" sh -c "test -n \"\$(find /var/lib/busgate/net/evidence -name '*.pcapng' -size +0)\""
check "the net gate reads its settings again" systemctl reload busgate-net
check "the net gate stops when asked" sh -c "systemctl stop busgate-net && ! systemctl is-failed --quiet busgate-net"
check "its fence stays" fence
systemctl stop busgate-keeper
check "the log verifies" busgate verify /var/lib/busgate/log --bundle /tmp/bundle.zip
check "the net gate's start is in it" sh -c "python3 -m zipfile -e /tmp/bundle.zip /tmp/bundle && grep -raq '\"by\":\"busgate net\"' /tmp/bundle"
echo "ok the last one"
systemctl poweroff
