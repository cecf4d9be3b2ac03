# What a technician would look at, and what a bad day does: run in the guest by check.service.
. /root/services_common.sh
heard() { # wire, frame sent, on: whether it comes out there
    timeout 3 candump -L -n 1 "$3,${2%%#*}:1FFFFFFF" >/tmp/heard 2>/dev/null &
    listener=$!
    sleep 0.3
    for _ in 1 2 3 4 5; do cansend "$1" "$2"; sleep 0.2; done
    wait $listener
    grep -q "$2" /tmp/heard
}
not_heard() { ! heard "$@"; }
modprobe -a can can-raw can-gw vxcan
for pair in "tb0 tb1" "ve0 ve1"; do
    # shellcheck disable=SC2086
    set -- $pair
    ip link add "$1" type vxcan peer name "$2"
    ip link set "$1" up
    ip link set "$2" up
done
check "both services start" systemctl start busgate-keeper busgate-gate
check "the gate is active" soon active busgate-gate
check "the keeper is active" soon active busgate-keeper
sleep 2
check "what the policy allows crosses" soon heard tb1 18EAFF4A#CAFE00 ve1
check "what it does not allow stops" not_heard tb1 18EAFF4A#D3FE00 ve1
check "telemetry flows" heard ve1 18FEF127#C300000000000000 tb1
check "what the kernel keeps crosses" heard tb1 18FEF34A#0102030405060708 ve1
gate=$(pid busgate-gate)
check "the gate is nobody special" test "$(ps -o user= -p "$gate" | tr -d ' ')" = busgate-gate
check "the gate cannot read the device's key" sh -c "! setpriv --reuid=busgate-gate --regid=busgate --clear-groups cat /etc/busgate/device.key"
kill -STOP "$gate"
check "with the gate stopped the kernel's part goes on" heard tb1 18FEF34A#0102030405060708 ve1
check "systemd's watchdog starts another within 10 s" soon another busgate-gate "$gate"
check "it says so itself" sh -c "journalctl -u busgate-gate --no-pager | grep -qi watchdog"
sleep 4
check "the new one judges" soon heard tb1 18EAFF4A#CAFE00 ve1
gate=$(pid busgate-gate)
kill -9 "$gate"
check "a killed gate is started again" soon another busgate-gate "$gate"
sleep 3
check "and judges" soon heard tb1 18EAFF4A#CAFE00 ve1
keeper=$(pid busgate-keeper)
kill -9 "$keeper"
check "a killed keeper is started again" soon active busgate-keeper
check "the gate went on" test "$(pid busgate-gate)" != 0
busgate override on --reason "a check" >/tmp/said 2>&1 || echo "FAILED override: $(cat /tmp/said)"
sleep 0.3
check "the override cuts what the policy allows" not_heard tb1 18EAFF4A#CAFE00 ve1
check "and what the kernel kept" not_heard tb1 18FEF34A#0102030405060708 ve1
busgate override off --reason "checked" >/tmp/said 2>&1 || echo "FAILED override: $(cat /tmp/said)"
sleep 0.5
check "and lifts" soon heard tb1 18EAFF4A#CAFE00 ve1
check "settings are read again" systemctl reload busgate-gate
systemctl stop busgate-gate busgate-keeper
check "both stop when asked" sh -c "! systemctl is-active --quiet busgate-gate && ! systemctl is-failed --quiet busgate-gate"
check "the log verifies" busgate verify /var/lib/busgate/log
check "denied commands are denied" sh -c "busgate selftest can --config /etc/busgate/busgate.yaml --seconds 0.2 --denied --json | grep -c CROSSED | grep -qx 0"
echo "ok the last one"
sync
systemctl poweroff --force --force
