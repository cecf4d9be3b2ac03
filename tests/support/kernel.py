"""What the tests inside the guest share: its shell, a recorder that others wrote, the gate as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import can

from support.said import Said

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "dbc" / "demo-ebus" / "policy.yaml"
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]
SIM = [sys.executable, "-c", "from busgate_trial.cli import main; main()"]
TBOX, VEHICLE = "vcan1", "vcan0"
NEAR_TBOX, FAR_TBOX, NEAR_VEHICLE, FAR_VEHICLE = "tb0", "tb1", "ve0", "ve1"
"""Each side as a pair: the gate has the near end, the T-box or the vehicle the far one."""


def sh(command: str) -> str:
    """What a line of shell prints; the guest is nobody's machine."""
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
    return done.stdout


def linked(near: str, far: str) -> None:
    """A cable between two interfaces, both up."""
    sh(f"ip link add {near} type vxcan peer name {far}; ip link set {near} mtu 72 up; ip link set {far} mtu 72 up")


def busgate(*words: object) -> subprocess.CompletedProcess[str]:
    """A command of busgate's, run to its end."""
    return subprocess.run([*BUSGATE, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


class Recorder:
    """candump on one interface: an independent program's word of what was there."""

    def __init__(self, name: str, folder: Path) -> None:
        self._path = folder / f"{name}.log"
        with self._path.open("wb") as out:
            self._process = subprocess.Popen(["candump", "-L", "-r", "8388608", f"{name},0:0,#FFFFFFFF"], stdout=out)
        time.sleep(0.5)  # candump says nothing when it has begun to listen

    def frames(self) -> list[str]:
        """All frames so far as `id#data`, once nothing came for a moment."""
        size = -1
        while size != (size := self._path.stat().st_size):
            time.sleep(0.3)
        return [line.split()[2] for line in self._path.read_text().splitlines() if line.count(" ") >= 2]

    def begins(self, seconds: float = 60) -> None:
        """Wait until something is heard at all."""
        ended = time.monotonic() + seconds
        while not self._path.stat().st_size:
            assert time.monotonic() < ended, "nothing was heard"
            time.sleep(0.1)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(10)


def say(wire: str, *frames: str) -> None:
    """Send frames, one after the other."""
    for frame in frames:
        sh(f"cansend {wire} {frame}")


def passes(frame: str, wire: str, recorder: Recorder, tries: int = 8) -> None:
    """Send a frame that the agent lets cross, until it has: one that a busy machine made stale it drops."""
    before = recorder.frames().count(frame)
    for _ in range(tries):
        say(wire, frame)
        if recorder.frames().count(frame) > before:
            return
    raise AssertionError(f"{frame} does not cross: {recorder.frames()}")


def is_part(some: list[str], of: list[str]) -> bool:
    """Whether a list is another one with nothing but gaps: the same order, nothing twice, nothing new."""
    rest = iter(of)
    return all(each in rest for each in some)


class Gate:
    """`busgate run` between two buses."""

    running: ClassVar[list[Gate]] = []
    """All that were started: whoever takes the buses away ends those that a failed test has left."""

    def __init__(
        self,
        keys: Path,
        log: Path,
        *more: str,
        wires: tuple[str, str] = (TBOX, VEHICLE),
        policy: Path | None = None,
    ) -> None:
        self.log = log
        words = [
            "run", "--tbox", f"socketcan:{wires[0]}", "--vehicle", f"socketcan:{wires[1]}", "--profile", "demo-ebus",
            "--policy", str(policy or keys / "policy.yaml.signed"), "--operator", str(keys / "operator.key.vkey"),
            "--key", str(keys / "device.key"), "--log", str(log), *more,
        ]  # fmt: skip
        self._said = Said()
        self.process = subprocess.Popen([*BUSGATE, *words], stderr=self._said.file)
        self.running.append(self)
        first = self._said.first(self.process)
        assert first.startswith("busgate: "), first
        assert "between" in first, first

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return self._said.all()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


def bus(name: str, *, fd: bool = False) -> can.BusABC:
    return can.Bus(name, interface="socketcan", fd=fd, ignore_config=True)
