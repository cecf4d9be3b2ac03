"""Runs a command on a Linux kernel of its own that has CAN: User-Mode Linux, an ordinary process of the host.

Law: the guest sees the host's files and writes to none of them but the one that tells its exit status. What is missing
on this machine is named, and then nothing is run: exit code 77, or 1 where BUSGATE_NEED_KERNEL is set.

    python tests/kernel/boot.py                        the tests of tests/kernel/inside
    python tests/kernel/boot.py pytest -k crash        some of them; or a file, or FILE::TEST
    python tests/kernel/boot.py -- sh -c 'ip -br link' anything else
"""

from __future__ import annotations

import compileall
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
MINUTES = 25
MEMORY = "1024M"
NEEDS = {"linux.uml": "user-mode-linux", "modprobe": "kmod", "ip": "iproute2", "candump": "can-utils"}
"""Programs, and the Debian packages that have them."""
HEADER = Path("/usr/include/dlfcn.h")

_PLACES = os.pathsep.join(["/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def missing() -> list[str]:
    """The Debian packages that would have to be installed first."""
    packages = [package for program, package in NEEDS.items() if shutil.which(program, path=_PLACES) is None]
    # A processor with AMX: the guest's kernel has to be helped to keep its larger registers (xstate.c).
    if _has_amx() and not (shutil.which("cc") and HEADER.exists()):
        packages.append("gcc libc6-dev")
    return packages


def run(command: list[str], seconds: float = 60 * MINUTES) -> int:
    """Run a command in the guest, its output to our standard output; its exit status.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    for each in ("agent", "firmware-sim", "tests"):  # the guest writes nothing, and would compile it for each process
        compileall.compile_dir(ROOT / each, quiet=2)
    with tempfile.TemporaryDirectory(prefix="busgate-guest-") as out:
        environment = {"GUEST_ROOT": str(ROOT), "GUEST_OUT": out, "GUEST_RUN": shlex.join(command)}
        # The kernel's command line ends up in init's environment; blanks would end a value, so it is handed a script.
        first = Path(out) / "init"
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
        first.write_text(f"#!/bin/sh\n{exports}exec /bin/sh {shlex.quote(str(ROOT / 'tests/kernel/guest.sh'))}\n")
        first.chmod(0o755)
        helped = dict(os.environ)
        if _has_amx():
            source, helped["LD_PRELOAD"] = ROOT / "tests/kernel/xstate.c", f"{out}/xstate.so"
            words = ["cc", "-O2", "-shared", "-fPIC", "-o", helped["LD_PRELOAD"], str(source)]
            subprocess.run(words, check=True)
        guest = [
            shutil.which("linux.uml", path=_PLACES) or "linux.uml",
            f"mem={MEMORY}",
            "rootfstype=hostfs",
            "rootflags=/",
            "rw",
            f"init={first}",
            "con=null",
            "con0=null,fd:1",
            f"uml_dir={out}",
            "quiet",
        ]
        with contextlib.suppress(OSError):
            os.nice(-5)  # root may: a machine busy with other tests must not look like a slow gate
        subprocess.run(
            guest, env=helped, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=seconds, check=False
        )
        status = Path(out) / "status"
        return int(status.read_text()) if status.is_file() else 1


def _has_amx() -> bool:
    return "amx_tile" in Path("/proc/cpuinfo").read_text(encoding="utf-8")


def main(words: list[str]) -> int:
    """What the command line asks for."""
    if packages := missing():
        print(
            f"skipped: the kernel tests were not run; install {' '.join(packages)} (Debian's names) first",
            file=sys.stderr,
        )
        return 1 if os.environ.get("BUSGATE_NEED_KERNEL") else SKIPPED
    if words[:1] == ["--"]:
        return run(words[1:])
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"]
    chosen = words[1:] if words[:1] == ["pytest"] else words
    named = any((ROOT / word.partition("::")[0]).exists() for word in chosen if not word.startswith("-"))
    return run([*tests, *([] if named else ["tests/kernel/inside"]), *chosen])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
