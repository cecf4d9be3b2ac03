"""How late frames come out of the gate at full buses, and what it costs, against a python-can Notifier bridge.

Both contenders are processes on one pinned core, between sequenced sockets; who sends and hears has another core. The
analysis beside it saturates the contender's core: in a process of its own for the gate, which is how it is built, in a
thread for python-can, which is how such bridges are written.
"""

from __future__ import annotations

import json
import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("forward_worker.py")
SECONDS, TURNS = 2.0, 3
JUDGED, TELEMETRY = 0x98FEE64A, 0x98FEF227
_CLASSICAL, _FD = struct.Struct("=IB3x8s"), struct.Struct("=IBB2x64s")
_MILLION = 1e6

ANALYSIS = """\
import sys
from pathlib import Path
from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.gateway import Gateway
from busgate.service import load
vehicle = load.vehicle("demo-ebus")
print("begun", flush=True)
while True:
    gate = Gateway(vehicle.profile, vehicle.database)
    for unit in Trace(Path(sys.argv[1]), SideMap(["can1"], ["can0"])):
        gate.receive(unit)
"""


class Load(NamedTuple):
    """Frames a second on each of the two wires, and whether they are CAN FD frames of 64 bytes."""

    name: str
    rate: int
    fd: bool = False


# A 29-bit frame with 8 bytes takes 131 bits and, with half of the worst stuffing, 146: 3,425 a second at 500 kbit/s.
# A 29-bit FD frame of 64 bytes takes about 60 bits at 500 kbit/s and 610 at 2 Mbit/s: 2,350 a second. The flood is
# nearly what a bus carries of empty frames (10,600 a second); a policy's rate goes up to 10,000.
LOADS = (
    Load("sparse, 20/s a wire", 20),
    Load("50 % of 500 kbit/s", 1712),
    Load("100 % of 500 kbit/s", 3425),
    Load("100 % of FD 500k/2M", 2350, fd=True),
    Load("flood, 9,900/s a wire", 9_900),
)
BUSY = LOADS[2]
CONTENDERS = ("busgate", "python-can")


def rows() -> list[dict[str, Any]]:
    """Each load with the contender's analysis idle, one with it saturated."""
    got: dict[tuple[str, bool, str], list[dict[str, float]]] = {}
    for _ in range(TURNS):
        for load, busy in [*((each, False) for each in LOADS), (BUSY, True)]:
            for name in CONTENDERS:
                got.setdefault((load.name, busy, name), []).append(_run(name, load, busy=busy))
    told: list[dict[str, Any]] = []
    for load, busy in [*((each, False) for each in LOADS), (BUSY, True)]:
        ours, peer = (
            {
                key: statistics.median(turn[key] for turn in got[load.name, busy, name])
                for key in got[load.name, busy, name][0]
            }
            for name in CONTENDERS
        )
        state = "analysis saturated" if busy else "analysis idle"
        for key, unit in (("p50", "us"), ("p99", "us"), ("p999", "us"), ("max", "us"), ("cpu_us", "us CPU")):
            told.append(
                {"name": f"forward {key}, {load.name}, {state}", "value": ours[key], "unit": unit,
                 "ratio": peer[key] / ours[key] if ours[key] else 0.0, "peer": "python-can Notifier + cantools",
                 "peer_value": peer[key], "lost": ours["lost"], "peer_lost": peer["lost"]}
            )  # fmt: skip
    return told


def guest_rows() -> list[dict[str, Any]]:
    """The same on a real kernel's CAN, in the guest: the gate's two layers, and can-gw alone beside them."""
    boot = ROOT / "tests" / "kernel" / "boot.py"
    words = [sys.executable, str(boot), "--", sys.executable, str(Path(__file__).with_name("forward_guest.py"))]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    got = [json.loads(line[6:]) for line in said.splitlines() if line.startswith("BENCH ")]
    by = {(row["load"], row["busy"], row["contender"]): row for row in got}
    told: list[dict[str, Any]] = []
    for (load, busy, contender), row in by.items():
        peer = by[load, busy, "python-can Notifier"]
        if contender == "python-can Notifier":
            continue
        state = "analysis saturated" if busy else "analysis idle"
        about = {"peer": "python-can Notifier + cantools"}
        about |= {name: row[name] for name in ("lost", "cpu", "rate")}
        about |= {f"peer_{name}": peer[name] for name in ("lost", "cpu", "rate")}
        told += [
            {"name": f"guest {contender}: {key}, {load}, {state}", "value": row[key], "unit": "us",
             "ratio": peer[key] / row[key] if row[key] > 0 else 0.0, "peer_value": peer[key], **about}
            for key in ("p50", "p99", "p999", "max")
        ]  # fmt: skip
    return told


def _run(name: str, load: Load, *, busy: bool) -> dict[str, float]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("this benchmark needs two cores: one for the forwarder, one for who measures")
    tbox, tbox_near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    vehicle, vehicle_near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near = (tbox_near, vehicle_near)
    for each in (tbox, vehicle, *near):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    pin = ["taskset", "-c", str(cores[0])]
    words = [
        *pin,
        sys.executable,
        str(WORKER),
        name,
        *(str(each.fileno()) for each in near),
        *(["busy"] if busy else []),
    ]
    fds = [each.fileno() for each in near]
    worker = subprocess.Popen(words, pass_fds=fds, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    analysis = None
    before = os.sched_getaffinity(0)
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        if busy and name == "busgate":
            trace = str(ROOT / "firmware-sim/scenarios/demo-day.log")
            analysis = subprocess.Popen([*pin, sys.executable, "-c", ANALYSIS, trace], stdout=subprocess.PIPE)
            assert analysis.stdout is not None
            analysis.stdout.readline()
        os.sched_setaffinity(0, {cores[1]})
        time.sleep(0.5)
        return _measured(worker.pid, load, tbox, vehicle)
    finally:
        os.sched_setaffinity(0, before)
        for process in (worker, analysis):
            if process is not None:
                process.kill()
                process.wait()
        for each in (tbox, vehicle, *near):
            each.close()


def _measured(pid: int, load: Load, tbox: socket.socket, vehicle: socket.socket) -> dict[str, float]:
    count = round(load.rate * SECONDS)
    sent: tuple[list[int], list[int]] = ([], [])
    late: list[float] = []
    tbox.setblocking(False)
    vehicle.setblocking(False)
    layout = _FD if load.fd else _CLASSICAL
    flags = (5,) if load.fd else ()
    length = 64 if load.fd else 8

    def hear() -> None:
        for wire, times in ((vehicle, sent[0]), (tbox, sent[1])):
            with suppress(BlockingIOError):
                while data := wire.recv(72):
                    number = int.from_bytes(data[8:16], "big")
                    late.append((time.monotonic_ns() - times[number]) / 1000)

    cpu, began = _cpu(pid), time.monotonic_ns()
    refused = 0
    for number in range(count):
        due = began + round(number / load.rate * 1e9)
        while (left := due - time.monotonic_ns()) > 0:
            select.select([tbox, vehicle], [], [], left / 1e9)
            hear()
        payload = number.to_bytes(8, "big")
        for wire, can_id, times in ((tbox, JUDGED, sent[0]), (vehicle, TELEMETRY, sent[1])):
            times.append(time.monotonic_ns())
            try:
                wire.send(layout.pack(can_id, length, *flags, payload))
            except BlockingIOError:
                refused += 1
        hear()
    spent = _cpu(pid) - cpu
    ended = time.monotonic() + 1.5
    while len(late) < 2 * count and (left_s := ended - time.monotonic()) > 0:
        select.select([tbox, vehicle], [], [], left_s)
        hear()
    late.sort()
    if not late:
        return dict.fromkeys(("p50", "p99", "p999", "max"), float("inf")) | {"cpu_us": 0.0, "lost": 1.0}
    parts = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    told = {name: late[min(len(late) - 1, int(len(late) * part))] for name, part in parts.items()}
    cost = spent * _MILLION / len(late)
    return {**told, "max": late[-1], "cpu_us": cost, "lost": 1 - len(late) / (2 * count)}


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for row in [*rows(), *(guest_rows() if "guest" in sys.argv else [])]:
        print(
            f"{row['name']:<62} {row['value']:>10.0f} {row['unit']:<7} {row['ratio']:>8.1f}x  "
            f"(peer {row['peer_value']:.0f}, lost {row['lost']:.1%} / {row['peer_lost']:.1%})"
        )
