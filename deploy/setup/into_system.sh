#!/bin/sh
# Install busgate as services: `into_system.sh ""` into this machine, `into_system.sh FOLDER` staged below a folder.
# What an installer has written in /etc/busgate and /etc/systemd/network is never overwritten.
set -eu
root=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
home=/opt/busgate
cd "$here"

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    echo "busgate: installing into this machine takes root. Next: sudo make install, or make install DESTDIR=FOLDER" >&2
    exit 1
fi

sh deploy/setup/venv.sh "$root$home"
sh deploy/setup/install.sh "$root$home" requirements.lock
"$root$home/bin/python" -m pip install --no-build-isolation --no-deps --force-reinstall -q . >/dev/null

put() { # mode, source, place
    install -D -m "$1" "$2" "$root$3"
}
keep() { # as put, but never over what is there
    [ -e "$root$3" ] || put "$@"
}

for name in busgate busgate-soc; do
    module=$(echo "$name" | tr - _)
    mkdir -p "$root/usr/bin"
    printf '#!/bin/sh\nexec %s/bin/python -I -c "from %s.cli import main; main()" "$@"\n' "$home" "$module" >"$root/usr/bin/$name"
    chmod 755 "$root/usr/bin/$name"
done
put 644 deploy/systemd/busgate-gate.service /usr/lib/systemd/system/busgate-gate.service
put 644 deploy/systemd/busgate-keeper.service /usr/lib/systemd/system/busgate-keeper.service
put 644 deploy/systemd/busgate-panel.service /usr/lib/systemd/system/busgate-panel.service
put 644 deploy/systemd/busgate-net.service /usr/lib/systemd/system/busgate-net.service
put 644 deploy/sysctl/forwarding.conf /usr/share/busgate/forwarding.conf
put 644 deploy/systemd/busgate-watchdog.conf /usr/share/doc/busgate/examples/busgate-watchdog.conf
put 644 deploy/systemd/60-busgate-gpio.rules /usr/lib/udev/rules.d/60-busgate-gpio.rules
put 644 deploy/systemd/busgate.sysusers /usr/lib/sysusers.d/busgate.conf
put 644 deploy/systemd/busgate.tmpfiles /usr/lib/tmpfiles.d/busgate.conf
put 644 deploy/systemd/modules.conf /usr/lib/modules-load.d/busgate.conf
keep 640 deploy/busgate.yaml /etc/busgate/busgate.yaml
for page in docs/*.md; do
    put 644 "$page" "/usr/share/doc/busgate/$(basename "$page")"
done
for example in deploy/network/* deploy/mosquitto/* deploy/pi/*; do
    put 644 "$example" "/usr/share/doc/busgate/examples/$(basename "$example")"
done

if [ -n "$root" ]; then
    echo "busgate: staged below $root"
    exit 0
fi
if command -v systemd-sysusers >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    systemd-sysusers busgate.conf
    systemd-tmpfiles --create busgate.conf
    chgrp -R busgate /etc/busgate
    systemctl daemon-reload
    # Now, not only after the next start; a machine without these modules or pins goes on without them.
    for module in can can-raw can-gw; do
        modprobe "$module" 2>/dev/null || echo "busgate: this kernel has no module $module now; docs/install.md" >&2
    done
    udevadm control --reload 2>/dev/null && udevadm trigger --subsystem-match=gpio --action=change 2>/dev/null || true
    echo "busgate: installed. Next: docs/install.md, from \"Keys and policy\" on"
else
    echo "busgate: installed; this machine does not run systemd now, so nobody was made and nothing was started"
fi
