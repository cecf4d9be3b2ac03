"""The installed policy tried on wires of its own: denied commands sent by a stand-in T-box, with the gate between.

Law: no frame of this ever reaches a vehicle: the wires are virtual ones that are made for it and removed after it. What
must not cross is decided beforehand by the policy itself, and what did cross is what the kernel heard.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from busgate.bridge.cangw import interface_kind
from busgate.bridge.ear import Ear, listen
from busgate.bridge.links import ip
from busgate.bridge.port import BridgeError
from busgate.detect.alerts import written
from busgate.gateway import Gateway
from busgate.model import EXTENDED, Frame, Mode, Side
from busgate.service import load
from busgate.service.selftest import Check, State
from busgate.settings import Settings
from busgate.trust.keys import new_key

_PROGRAM = "from busgate.cli import main; main()"
_START_SECONDS = 30.0
_LISTEN_SECONDS = 0.6
_GAP_SECONDS = 0.01
_TELEMETRY = 0x18FFFAFD | EXTENDED
"""A proprietary group that tells the gate nothing of the vehicle's state."""
_TESTER = 0x4A

# ISO 14229-1: requests that alter an ECU at once: hard reset, programming session, routine, output, clearing, writing.
_REQUESTS = ("1101", "1002", "3101FF00", "2FF00003FF", "14FFFFFF", "2EF19000")


class Ends(NamedTuple):
    """Four interfaces: the gate's two, and the far ends that stand for the T-box and the vehicle."""

    tbox_far: str
    tbox: str
    vehicle: str
    vehicle_far: str


def rehearse(settings: Settings) -> list[Check]:
    """Try the policy of these settings on isolated wires; each check says what was seen."""
    described = load.vehicle(str(settings.profile))
    adopted = load.policy(Path(str(settings.policy)), operator=str(settings.operator), unsigned=False)
    device = settings.device or "rehearsal"
    denied = list(denied_commands(described, adopted, device))
    try:
        with _wires() as ends:
            return list(_tried(settings, ends, denied, device))
    except BridgeError as fault:
        return [Check("denied commands", State.SKIPPED, f"no isolated wires could be made ({fault})",
                      "run this as root, on a kernel with vxcan (modprobe vxcan can-gw)")]  # fmt: skip


def denied_commands(described: load.Vehicle, adopted: load.Adopted, device: str) -> Iterator[Frame]:
    """Commands to the vehicle that this policy does not let pass, each tried on the policy beforehand."""
    for frame in commands(described):
        gateway = Gateway(described.profile, described.database, mode=Mode.ENFORCE, device=device)
        gateway.adopt(adopted.policy, 0, signed=True)
        if not gateway.receive(frame).forward:
            yield frame


def commands(described: load.Vehicle) -> Iterator[Frame]:
    """What an attacker would try: each marked message with several contents, a reset and a flash of every ECU."""
    profile = described.profile
    sa = next(iter(profile.tbox.sas), _TESTER)
    for mark in profile.commands:
        decoder = described.database.decoders[mark.message]
        for filler in (0x00, 0x55, 0xAA, 0xFF):
            yield Frame(0, Side.TBOX, decoder.can_id, bytes([filler]) * decoder.length, 4 if decoder.length > 8 else 0)
    for ecu in profile.ecus:
        for request in map(bytes.fromhex, _REQUESTS):
            data = (bytes([len(request)]) + request).ljust(8, b"\xaa")
            if ecu.sa is not None:
                yield Frame(0, Side.TBOX, EXTENDED | 0x18DA0000 | ecu.sa << 8 | sa, data)
            if ecu.uds is not None:
                high = EXTENDED if ecu.uds.request > 0x7FF else 0
                yield Frame(0, Side.TBOX, ecu.uds.request | high, data)
        if ecu.sa is not None:  # J1939-71: TSC1, torque and speed limited to nothing
            yield Frame(0, Side.TBOX, EXTENDED | 0x0C000000 | ecu.sa << 8 | sa, bytes.fromhex("C300007DFFFFFFFF"))


def _tried(settings: Settings, ends: Ends, denied: list[Frame], device: str) -> Iterator[Check]:
    with tempfile.TemporaryDirectory(prefix="busgate-selftest-") as scratch, _far(ends) as (tbox, vehicle):
        gate = _started(settings, ends, Path(scratch), device)
        try:
            yield _telemetry("telemetry", tbox, vehicle)
            yield _denied("denied commands", denied, tbox, vehicle)
            gate.kill()
            gate.wait(10)
            yield _denied("denied, agent killed", denied, tbox, vehicle)
            yield _telemetry("telemetry, agent killed", tbox, vehicle)
        finally:
            if gate.poll() is None:
                gate.send_signal(signal.SIGTERM)
                gate.wait(30)


def _denied(name: str, denied: list[Frame], tbox: Ear, vehicle: Ear) -> Check:
    vehicle.heard.clear()
    for frame in denied:
        tbox.send(frame._replace(at=time.monotonic_ns()))
        time.sleep(_GAP_SECONDS)
    listen([tbox, vehicle], _LISTEN_SECONDS)
    crossed = sorted({written(frame) for frame in vehicle.heard if frame.can_id != _TELEMETRY})
    if crossed:
        return Check(name, State.FAILED, f"{len(crossed)} of {len(denied)} CROSSED: {', '.join(crossed[:5])}",
                     "do not drive with this gate; keep its log and report this")  # fmt: skip
    return Check(name, State.OK, f"{len(denied)} commands that the policy denies were sent, none crossed")


def _telemetry(name: str, tbox: Ear, vehicle: Ear) -> Check:
    tbox.heard.clear()
    for number in range(10):
        vehicle.send(Frame(time.monotonic_ns(), Side.TAP, _TELEMETRY, bytes([number] * 8)))
        listen([tbox, vehicle], _GAP_SECONDS)
    listen([tbox, vehicle], _LISTEN_SECONDS)
    came = sum(frame.can_id == _TELEMETRY for frame in tbox.heard)
    if came < 10:
        return Check(name, State.FAILED, f"{came} of 10 frames of the vehicle reached the T-box",
                     "busgate rules shows what the kernel forwards; modprobe can-gw")  # fmt: skip
    return Check(name, State.OK, "10 of 10 frames of the vehicle reached the T-box")


def _started(settings: Settings, ends: Ends, scratch: Path, device: str) -> subprocess.Popen[str]:
    """The gate as installed, but for its wires, key, log and broker."""
    key = scratch / "device.key"
    new_key(device, key)
    config = scratch / "busgate.yaml"
    wanted = {
        "tbox": f"socketcan:{ends.tbox}", "vehicle": f"socketcan:{ends.vehicle}", "profile": settings.profile,
        "policy": _absolute(settings.policy), "operator": _absolute(settings.operator), "key": str(key),
        "log": str(scratch / "log"), "device": device, "mode": "enforce", "realtime": False,
    }  # fmt: skip
    config.write_text(yaml.safe_dump(wanted), encoding="utf-8")
    words = [sys.executable, "-c", _PROGRAM, "run", "--config", str(config)]
    gate = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    assert gate.stderr is not None  # noqa: S101 - a pipe was asked for
    readable, _, _ = select.select([gate.stderr], [], [], _START_SECONDS)
    said = gate.stderr.readline().strip() if readable else "it said nothing for 30 s"
    if "between" not in said:
        gate.kill()
        gate.wait(10)
        raise BridgeError(f"the gate did not start: {said.removeprefix('busgate: ')}")
    gate.stderr.readline()
    return gate


def _absolute(given: str | None) -> str | None:
    """A path from here; a key given as text stays what it is."""
    return str(Path(given).resolve()) if given is not None and Path(given).exists() else given


@contextmanager
def _far(ends: Ends) -> Iterator[tuple[Ear, Ear]]:
    tbox, vehicle = (Ear.on(name, hardware=False) for name in (ends.tbox_far, ends.vehicle_far))
    try:
        yield tbox, vehicle
    finally:
        tbox.close()
        vehicle.close()


@contextmanager
def _wires() -> Iterator[Ends]:
    """Two virtual cables of our own, named after this process, gone when it is done."""
    number = os.getpid() % 100_000
    ends = Ends(*(f"bgt{number}{letter}" for letter in "abcd"))
    made: list[str] = []
    try:
        for one, other in ((ends.tbox_far, ends.tbox), (ends.vehicle, ends.vehicle_far)):
            ip("link", "add", one, "type", "vxcan", "peer", "name", other)
            made.append(one)
            for name in (one, other):
                ip("link", "set", name, "up")
        if interface_kind(ends.tbox) != "vxcan":
            raise BridgeError("the kernel did not make them")
        yield ends
    finally:
        for name in made:
            ip("link", "del", name)
