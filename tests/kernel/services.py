"""Installs busgate into a Debian of its own and watches its services under a real systemd, on a kernel with CAN.

Law: nothing of this machine is touched but a temporary folder. Needs root, debootstrap and a Debian mirror, besides
what boot.py needs; what is missing is named, and then nothing is run: exit code 77.

    python tests/kernel/services.py            about five minutes; the guest's console, then one line a check
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
PACKAGES = "systemd,systemd-sysv,udev,dbus,python3,python3-venv,iproute2,kmod,can-utils,procps,libcap2-bin"
NEEDS = boot.NEEDS | {"debootstrap": "debootstrap", "mkfs.ext4": "e2fsprogs"}
SECONDS = 420
CHECK = """\
[Unit]
Description=look at busgate's services
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/check.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/tty0
[Install]
WantedBy=multi-user.target
"""
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
"""
POLICY = """\
policy: services
version: 1
profile: demo-ebus
mode: enforce
allow:
  - {id: faults, why: asks, pgn: 0xEA00, da: any, requested: [0xFECA], rate: {count: 10, per: 1 s}}
  - {id: position, why: place, pgn: 0xFEF3}
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
    (root / "etc/systemd/system/check.service").write_text(CHECK, encoding="utf-8")
    (root / "root/check.sh").write_text(
        (ROOT / "tests/kernel/services.sh").read_text(encoding="utf-8"), encoding="utf-8"
    )
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "check.service").symlink_to("/etc/systemd/system/check.service")


def watched(root: Path, folder: Path) -> str:
    """What the guest says from power on to power off."""
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
        said = watched(root, Path(folder))
    checks = [line.strip() for line in said.splitlines() if line.startswith(("ok ", "FAILED "))]
    print(said if not checks else "\n".join(checks))
    failed = [line for line in checks if line.startswith("FAILED")]
    print(f"{len(checks)} checks, {len(failed)} failed")
    return int(bool(failed) or "ok the last one" not in checks)


if __name__ == "__main__":
    sys.exit(main())
