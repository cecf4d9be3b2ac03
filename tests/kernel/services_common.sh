# What both guests' checks share: read by services.sh and services_air.sh.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
check() { # name, command
    name=$1
    shift
    if "$@" >/tmp/said 2>&1; then echo "ok $name"; else echo "FAILED $name: $(tail -n 3 /tmp/said | tr '\n' ' ')"; fi
}
soon() { # command: true within ten seconds
    for _ in $(seq 50); do
        "$@" && return 0
        sleep 0.2
    done
    return 1
}
active() { systemctl is-active --quiet "$1"; }
pid() { systemctl show -p MainPID --value "$1"; }
another() { p=$(pid "$1"); [ "$p" != 0 ] && [ "$p" != "$2" ]; }
# What an installation that was staged has left to do (docs/install.md).
systemd-sysusers busgate.conf
systemd-tmpfiles --create busgate.conf
chgrp -R busgate /etc/busgate
chmod 640 /etc/busgate/*
chown busgate-keeper: /etc/busgate/device.key
chmod 600 /etc/busgate/device.key
systemctl daemon-reload
