"""Installs busgate into a Debian of its own and watches its services under a real systemd.

The gate of the frames runs on a kernel with CAN, User-Mode Linux. That one has no nftables for IP, so the gate of the
air side runs in a container (systemd-nspawn) with a network of its own, on the kernel of this machine.

Law: nothing of this machine is touched but a temporary folder, and a control group for the container. Needs root,
debootstrap and a Debian mirror, besides what boot.py needs; what is missing is named, and then nothing is run: exit
code 77.

    python tests/kernel/services.py            about five minutes; the guests' consoles, then one line a check
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import boot

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "bookworm"
PACKAGES = (
    "systemd,systemd-sysv,udev,dbus,python3,python3-venv,iproute2,kmod,can-utils,procps,libcap2-bin,nftables,netbase"
)
NEEDS = boot.NEEDS | {"debootstrap": "debootstrap", "mkfs.ext4": "e2fsprogs", "systemd-nspawn": "systemd-container"}
SECONDS = 600
CHECK = """\
[Unit]
Description=look at busgate's services
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/{script}
StandardOutput={to}
StandardError={to}
TTYPath=/dev/tty0
[Install]
WantedBy=multi-user.target
"""
CONTAINER = """\
group=/sys/fs/cgroup/$2
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && mkdir "$group" || exit
mkdir -p /run/systemd && mount -t tmpfs none /run/systemd || exit
sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" timeout --kill-after=20 "$3" \
  systemd-nspawn --quiet --boot --directory="$1" --machine="$2" --private-network --register=no --keep-unit \
  --link-journal=no --console=pipe
find "$group" -depth -type d -exec rmdir {} +
"""
"""Hides from the container, and from nspawn, who else may be in charge of control groups here."""
SETTINGS = """\
device: bus-0421
tbox: socketcan:tb0
vehicle: socketcan:ve0
profile: demo-ebus
policy: policy.yaml.signed
operator: operator.vkey
key: device.key
log: /var/lib/busgate/log
switch: /var/lib/busgate/switch
keeper: /run/busgate/keeper.sock
network:
  tbox: eth1
  uplink: wwan0
  addresses: [10.88.1.2/32]
  memory: /var/lib/busgate/net/seen.json
  evidence: {folder: /var/lib/busgate/net/evidence, megabytes: 16}
  hold: {folder: /var/lib/busgate/held, marks: /var/lib/busgate/marks, megabytes: 64}
  exchange: /run/busgate-exchange
"""
POLICY = """\
policy: services
version: 1
profile: demo-ebus
mode: enforce
allow:
  - {id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {count: 10, per: 1 s}}
  - {id: position, why: place, pgn: 0xFEF3}
  - {id: software, why: updates, cloud: {protocol: http, asks: "download of software", endpoints: [updates]}}
network:
  endpoints:
    - {id: platform, why: telemetry, addresses: [203.0.113.10], ports: 6808, speaks: jt808}
    - {id: updates, why: software, addresses: [203.0.113.10], ports: 8080, speaks: http}
  hold: {downloads: 1 kB}
"""


def missing() -> list[str]:
    """The Debian packages that would have to be installed first, or "root"."""
    lacking = [package for program, package in NEEDS.items() if shutil.which(program, path=boot._PLACES) is None]
    return lacking + (["root"] if os.geteuid() else [])


def installed(root: Path) -> None:
    """A Debian in a folder, with busgate as `make install` puts it, keys and a policy as docs/install.md says."""
    sh("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root))
    sh("make", "install", f"DESTDIR={root}", "PY=/usr/bin/python3", cwd=ROOT)
    etc = root / "etc" / "busgate"
    busgate = [sys.executable, "-c", "from busgate.cli import main; main()"]
    (etc / "policy.yaml").write_text(POLICY, encoding="utf-8")
    sh(*busgate, "keys", "new", "operator", "--out", str(root / "root" / "operator.key"))
    sh(*busgate, "keys", "new", "bus-0421", "--out", str(etc / "device.key"))
    sh(*busgate, "policy", "sign", str(etc / "policy.yaml"), "--key", str(root / "root" / "operator.key"))
    shutil.copyfile(root / "root" / "operator.key.vkey", etc / "operator.vkey")
    (etc / "busgate.yaml").write_text(SETTINGS, encoding="utf-8")
    modules = next(Path("/usr/lib/uml/modules").iterdir())
    shutil.copytree(modules, root / "lib" / "modules" / modules.name, symlinks=True, dirs_exist_ok=True)
    for ours in (ROOT / "tests/kernel").glob("services*"):
        shutil.copyfile(ours, root / "root" / ours.name)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "check.service").symlink_to("/etc/systemd/system/check.service")


def asked(root: Path, script: str, to: str) -> None:
    """Have the guest run a script once it is up."""
    (root / "etc/systemd/system/check.service").write_text(CHECK.format(script=script, to=to), encoding="utf-8")


def contained(root: Path) -> str:
    """What a container says of the air side, from its start to its end. Its traces stay in `root`."""
    asked(root, "services_air.sh", "file:/root/said")
    name = f"busgate-services-{os.getpid()}"
    words = ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", str(root), name, str(SECONDS)]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, errors="replace"
    )
    said = root / "root/said"
    return said.read_text(encoding="utf-8") if said.is_file() else done.stdout + done.stderr


def watched(root: Path, folder: Path) -> str:
    """What the guest says from power on to power off."""
    asked(root, "services.sh", "tty")
    image = folder / "root.img"
    sh("mkfs.ext4", "-q", "-d", str(root), str(image), "1500M")
    words = [
        shutil.which("linux.uml", path=boot._PLACES) or "linux.uml", "mem=1024M", f"ubd0={image}", "root=/dev/ubda",
        "rw", "con=null", "con0=null,fd:1", f"uml_dir={folder}", "systemd.show_status=0", "quiet",
    ]  # fmt: skip
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
                          errors="replace")  # fmt: skip
    return done.stdout


def sh(*words: str, cwd: Path | None = None) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main() -> int:
    """Install, watch, and count what failed."""
    if lacking := missing():
        print(f"skipped: the services were not tried; needed: {' '.join(lacking)}", file=sys.stderr)
        return boot.SKIPPED
    with tempfile.TemporaryDirectory(prefix="busgate-services-") as folder:
        root = Path(folder) / "root"
        installed(root)
        several = watched(root, Path(folder)), contained(root)
    said = "\n".join(several)
    checks = [line.strip() for line in said.splitlines() if line.startswith(("ok ", "FAILED "))]
    print(said if not checks else "\n".join(checks))
    failed = [line for line in checks if line.startswith("FAILED")]
    print(f"{len(checks)} checks, {len(failed)} failed")
    return int(bool(failed) or checks.count("ok the last one") != len(several))


if __name__ == "__main__":
    sys.exit(main())
