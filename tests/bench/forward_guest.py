"""Forwarding between two CAN buses of a real kernel: how late frames come out, and what it costs; run in the guest.

Contenders do the same work in turns: the gate in its two layers, the gate alone, a python-can Notifier bridge, and the
kernel's can-gw without any judgement. Both directions carry numbered frames; the kernel says when each was on either
wire. Prints one JSON object a line, after `BENCH `.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import yaml

from busgate.bridge.player import RawPlayer, sleep_sharply
from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT, Frame, Side

ROOT = Path(__file__).resolve().parents[2]
TBOX_FAR, TBOX, VEHICLE, VEHICLE_FAR = "tb1", "tb0", "ve0", "ve1"
SECONDS = 2.0
JUDGED, TELEMETRY = 0x18FEE64A | EXTENDED, 0x18FEF227 | EXTENDED
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()"]


class Load(NamedTuple):
    """Frames a second on each of the two wires, and how long their data is."""

    name: str
    rate: int
    length: int = 8
    flags: int = 0


# One CPU of a User-Mode Linux carries sender, gate, keeper and receiver, and a system call there takes ten times what
# it takes on the host: this is what it can offer steadily. Full buses are measured on the host, in bench_forward.
LOADS = (
    Load("20 a second", 20),
    Load("150 a second", 150),
    Load("300 a second", 300),
    Load("150 FD of 64 bytes a second", 150, 64, FD_FORMAT | BIT_RATE_SWITCH),
)
CONTENDERS = ("busgate", "busgate without kernel", "python-can Notifier", "can-gw alone")

POLICY = """\
policy: bench
version: 1
profile: bench
mode: enforce
allow:
  - {id: judged, why: a rate has to be counted, pgn: 0xFEE6, rate: {count: 10000, per: 1 s}}
"""

# The same work as a tester writes it in an evening: python-can's Notifier on both buses, and cantools for each frame.
BRIDGE = """\
import sys, threading, can, cantools
from pathlib import Path
folder, busy = Path(sys.argv[1]), sys.argv[2] == "busy"
database = cantools.database.Database()
for name in ("ebus-j1939.dbc", "ebus-body11.dbc"):
    database.add_dbc_string((folder / name).read_text(encoding="utf-8"))
by_id = {each.frame_id: each for each in database.messages}
wires = {"interface": "socketcan", "fd": True, "ignore_config": True, "local_loopback": False}
buses = [can.Bus(name, **wires) for name in ("tb0", "ve0")]
def onto(bus):
    def forward(message):
        try:
            bus.send(message)
            layout = by_id.get(message.arbitration_id)
            if layout is not None:
                layout.decode(bytes(message.data), decode_choices=False)
        except (can.CanError, ValueError, KeyError, cantools.database.DecodeError):
            pass
    return forward
notifiers = [can.Notifier(buses[0], [onto(buses[1])]), can.Notifier(buses[1], [onto(buses[0])])]
print("between", flush=True)
if busy:
    layout = next(each for each in database.messages if each.length == 8)
    while True:
        layout.decode(bytes(8), decode_choices=False)
threading.Event().wait()
"""

# An analysis that never ends, as a process of its own: what the gate's other process does at its worst.
ANALYSIS = """\
import sys
from busgate.gateway import Gateway
from busgate.bridge.trace import Trace
from busgate.bridge.channels import SideMap
from busgate.service import load
from pathlib import Path
vehicle = load.vehicle("demo-ebus")
while True:
    gate = Gateway(vehicle.profile, vehicle.database)
    for unit in Trace(Path(sys.argv[1]), SideMap(["can1"], ["can0"])):
        gate.receive(unit)
"""


def sh(line: str) -> None:
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{line}: {done.stderr}")


def prepared(folder: Path) -> list[str]:
    """Wires, keys, a signed policy and a profile that takes a full bus for no flood; the words that start a gate."""
    for near, far in ((TBOX, TBOX_FAR), (VEHICLE, VEHICLE_FAR)):
        sh(f"ip link add {near} type vxcan peer name {far}")
        for name in (near, far):
            sh(f"ip link set {name} mtu 72 txqueuelen 1000 up")
    profile = yaml.safe_load((ROOT / "dbc/demo-ebus/profile.yaml").read_text(encoding="utf-8"))
    profile |= {"profile": "bench", "flood": {"per_id": 1_000_000, "total": 1_000_000}}
    home = folder / "bench"
    home.mkdir()
    (home / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    for name in profile["dbc"]:
        (home / name).write_bytes((ROOT / "dbc/demo-ebus" / name).read_bytes())
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    for words in (["keys", "new", "operator", "--out", f"{folder}/operator.key"],
                  ["keys", "new", "bench", "--out", f"{folder}/device.key"],
                  ["policy", "sign", f"{folder}/policy.yaml", "--key", f"{folder}/operator.key"]):  # fmt: skip
        subprocess.run([*BUSGATE, *words], check=True, stdout=subprocess.DEVNULL)
    return [
        "run", "--tbox", f"socketcan:{TBOX}", "--vehicle", f"socketcan:{VEHICLE}", "--profile", str(home), "--policy",
        f"{folder}/policy.yaml.signed", "--operator", f"{folder}/operator.key.vkey", "--key", f"{folder}/device.key",
        "--log", f"{folder}/log",
    ]  # fmt: skip


@contextmanager
def contending(name: str, words: list[str], *, busy: bool) -> Iterator[int | None]:
    """One forwarder at work; its process, None for the kernel."""
    process = other = None
    try:
        match name:
            case "can-gw alone":
                for one, two in ((TBOX, VEHICLE), (VEHICLE, TBOX)):
                    sh(f"cangw -A -s {one} -d {two} && cangw -A -X -s {one} -d {two}")
            case "python-can Notifier":
                command = [sys.executable, "-c", BRIDGE, str(ROOT / "dbc/demo-ebus"), "busy" if busy else "idle"]
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                assert process.stdout is not None
                process.stdout.readline()
            case _:
                more = ["--no-kernel"] if name.endswith("kernel") else []
                process = subprocess.Popen([*BUSGATE, *words, *more], stderr=subprocess.PIPE)
                assert process.stderr is not None
                process.stderr.readline()
        if busy and name != "python-can Notifier":
            trace = str(ROOT / "firmware-sim/scenarios/demo-day.log")
            other = subprocess.Popen([sys.executable, "-c", ANALYSIS, trace])
        time.sleep(2.0)
        yield None if process is None else process.pid
    finally:
        for each in (process, other):
            if each is not None:
                each.kill()
                each.wait()
        subprocess.run(["pkill", "-9", "-f", "busgate.cli.*keep"], check=False, capture_output=True)
        sh("cangw -F; true")


def measured(load: Load, pid: int | None) -> dict[str, float]:
    """Both directions for some seconds: latencies in us, losses, the forwarder's CPU."""
    tbox, vehicle = RawPlayer.on(TBOX_FAR), RawPlayer.on(VEHICLE_FAR)
    count = round(load.rate * SECONDS)
    filler = bytes(load.length - 8)
    cpu, began = cpu_of(pid), time.monotonic()
    for number in range(count):
        due = began + number / load.rate
        while (left := due - time.monotonic()) > 0:
            if left > 0.0005:
                tbox.listen()
                vehicle.listen()
            time.sleep(max(0.0, min(left, 0.0005)))
        payload = number.to_bytes(8, "big") + filler
        tbox.send(Frame(0, Side.TAP, JUDGED, payload, load.flags))
        vehicle.send(Frame(0, Side.TAP, TELEMETRY, payload, load.flags))
        if not number % 16:
            tbox.listen()
            vehicle.listen()
    took = time.monotonic() - began
    spent = cpu_of(pid) - cpu
    time.sleep(0.5)
    tbox.listen()
    vehicle.listen()
    late: list[float] = []
    for sender, receiver, can_id in ((tbox, vehicle, JUDGED), (vehicle, tbox, TELEMETRY)):
        for frame in receiver.heard:
            number = int.from_bytes(frame.data[:8], "big")
            if frame.can_id == can_id and number < len(sender.sent):
                late.append((frame.at - sender.sent[number]) / 1000)
    for player in (tbox, vehicle):
        player.close()
    late.sort()
    lost = 1 - len(late) / (2 * count)
    if not late:
        return {"lost": 1.0, "cpu": spent / took, "rate": count / took}
    quantiles = {name: late[min(len(late) - 1, int(len(late) * part))] for name, part in
                 (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}  # fmt: skip
    return {**quantiles, "max": late[-1], "lost": lost, "cpu": spent / took, "rate": count / took}


def cpu_of(pid: int | None) -> float:
    """Seconds of CPU that a process has taken."""
    if pid is None:
        return 0.0
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sleep_sharply()
    with tempfile.TemporaryDirectory() as folder:
        words = prepared(Path(folder))
        got: dict[tuple[str, bool, str], list[dict[str, float]]] = {}
        for _ in range(turns):
            for busy in (False, True):
                for load in LOADS if not busy else LOADS[1:2]:
                    for name in CONTENDERS:
                        with contending(name, words, busy=busy) as pid:
                            got.setdefault((load.name, busy, name), []).append(measured(load, pid))
    for (load_name, busy, name), rows in got.items():
        keys = {key for row in rows for key in row}
        row = {key: statistics.median(each[key] for each in rows if key in each) for key in keys}
        print("BENCH", json.dumps({"load": load_name, "busy": busy, "contender": name, **row}), flush=True)


if __name__ == "__main__":
    main()
