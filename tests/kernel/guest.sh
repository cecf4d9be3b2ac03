#!/bin/sh
# The first process of the guest: mounts what a system has, makes CAN interfaces, runs one command, switches off.
# Told in its environment: GUEST_ROOT (the checkout), GUEST_OUT (a folder of the host for the exit status), GUEST_RUN.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run/tmp LANG=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/run/hypothesis BUSGATE_IN_GUEST=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts /run/tmp /run/modules/lib/modules
mount -t tmpfs tmpfs /dev/shm 2>/dev/null
mount -t devpts devpts /dev/pts 2>/dev/null
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/modules/lib/modules/$(uname -r)"
for module in can can-raw can-gw can-bcm vcan vxcan veth nf_tables; do
    modprobe -d /run/modules "$module" 2>/dev/null || echo "the guest's kernel has no module $module"
done
ip link set lo up
# This checkout's code, whichever one the virtual environment was made for.
export PYTHONPATH="$GUEST_ROOT/agent:$GUEST_ROOT/firmware-sim:$GUEST_ROOT/tests"
cd "$GUEST_ROOT" || echo "the guest cannot enter $GUEST_ROOT"
# shellcheck disable=SC2086
eval "set -- $GUEST_RUN"
"$@"
echo $? > "$GUEST_OUT/status"
sync
echo o > /proc/sysrq-trigger
sleep 5
