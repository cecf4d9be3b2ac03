"""Learning what a T-box does in ordinary service, from recordings or in line, to propose a policy.

Law: learning forwards everything in both directions and judges nothing, so it is for a vehicle that would otherwise
have no gate at all. What was learned is written out every minute: a power cut loses no more than that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from busgate.bridge.channels import SideMap
from busgate.bridge.live import LivePort
from busgate.bridge.rawport import RawPort
from busgate.bridge.trace import Trace
from busgate.detect.rule import VITAL
from busgate.gateway import Gateway
from busgate.judge.floor import Floor
from busgate.judge.policy import load_policy
from busgate.model import BusgateError, Command, Frame, Mode, Verdict
from busgate.record.log import Log
from busgate.service import load
from busgate.service.hold import Hold
from busgate.service.layers import Layers, hindrance, interfaces, leftover
from busgate.service.lessons import Lessons
from busgate.service.live import Line
from busgate.service.override import installed
from busgate.service.proposal import About, proposal
from busgate.service.replay import YEAR_2000
from busgate.service.station import Station
from busgate.trust.keys import test_signer

SAVED_EVERY_NS = 60_000_000_000
_HOUR_NS = 3600 * 10**9
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wires:
    """The live wires, as `interface:channel`: both sides, or the one that both share."""

    tbox: str | None = None
    vehicle: str | None = None
    tap: str | None = None


class Pupil:
    """A gateway's student, and the proposal it makes of what it heard."""

    def __init__(self, vehicle: load.Vehicle, source: str) -> None:
        """`source` says where the lessons are from."""
        self.lessons = Lessons()
        self._vehicle = vehicle
        self._source = source
        self._wall = 0

    def gateway(self, wall_offset: int | None) -> Gateway:
        """A gateway that has no policy, and teaches this one."""
        profile = self._vehicle.profile
        gateway = Gateway(profile, self._vehicle.database, mode=Mode.MONITOR, wall_offset=wall_offset)
        self._wall = wall_offset or 0
        self.lessons.next_recording()

        def hear(frame: Frame, command: Command | None, verdict: Verdict, goes_on: bool) -> None:
            speed = gateway.situation.snapshot(frame.at).get("speed")
            told = speed if isinstance(speed, (int, float)) else None
            at = frame._replace(at=frame.at + self._wall)
            self.lessons.hear(at, command, verdict, goes_on=goes_on, speed=told)

        gateway.student = hear
        return gateway

    def proposal(self) -> str:
        """The proposed policy, as text that `busgate policy check` takes."""
        profile = self._vehicle.profile
        about = About(
            profile=profile.profile,
            source=self._source,
            tbox_addresses=tuple(profile.tbox.sas),
            vital=VITAL,
            moment=_moment,
            skip_signals=frozenset((mark.message, mark.signal) for mark in profile.counters),
        )
        text = proposal(self.lessons, about)
        load_policy(text, "the proposal")  # what we propose can be read; anything else is a bug
        return text


def from_traces(traces: Sequence[Path], sides: SideMap, vehicle: load.Vehicle) -> tuple[Pupil, list[str]]:
    """Learn from recordings, one after the other; also what their readers noticed."""
    pupil = Pupil(vehicle, ", ".join(path.name for path in traces))
    warnings: list[str] = []
    for path in traces:
        trace = Trace(path, sides)
        gateway = None
        for unit in trace:
            if gateway is None:
                gateway = pupil.gateway(0 if unit.at >= YEAR_2000 else None)
            gateway.receive(unit)
        warnings += [f"{path.name}: {warning}" for warning in trace.warnings]
    return pupil, warnings


def in_line(  # noqa: PLR0913 - wires, vehicle, how long, where to, and two call-backs
    wires: Wires, vehicle: load.Vehicle, *, hours: float, out: Path, going: Callable[[], bool], say: Say
) -> Pupil:
    """Learn on live wires for some hours, or until not `going`; everything is forwarded meanwhile."""
    with ExitStack() as leaving:
        layers = _in_hand(wires, leaving)
        port = _opened(wires, echoed=layers is None)
        leaving.callback(port.close)
        start = port.now()
        wall = port.wall() - start
        where = f"{wires.tbox} and {wires.vehicle}" if wires.tap is None else str(wires.tap)
        pupil = Pupil(vehicle, where)
        gateway = pupil.gateway(wall)
        # Events are nobody's here: the log of a gate begins when it has a policy.
        log = Log.open(None, test_signer("learn"), device="learn", boot="0" * 32, now=start, wall_offset=wall)
        station = Station(gateway, leaving.enter_context(log))
        if layers is not None:
            layers.enter(Mode.MONITOR)
        until = start + round(hours * _HOUR_NS)
        say(f"learning on {where} for {hours:g} hours; everything is forwarded, nothing is blocked; Ctrl-C ends it")
        saved = start

        def look(now: int) -> None:
            nonlocal saved
            if now - saved >= SAVED_EVERY_NS:
                saved = now
                save(out, pupil.proposal())

        carried = (lambda _: False) if layers is None else layers.carries
        Line(port, station, carried=carried, look=look).run(lambda: going() and port.now() < until)
    return pupil


def save(out: Path, text: str) -> None:
    """Put a proposal where it was wanted, whole or not at all."""
    new = out.with_name(f".{out.name}.new")
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(out)
    except OSError as fault:
        raise BusgateError(
            f"{out} cannot be written: {fault.strerror}. Next: name a file in a folder that can be"
        ) from None


def _in_hand(wires: Wires, leaving: ExitStack) -> Layers | None:
    """Have the wires for ourselves, where they are forwarded between; the kernel's part, which goes when learning ends.

    Raises:
        BusgateError: somebody else forwards there, or the local hand has cut the T-box off.
    """
    if wires.tap is not None or wires.tbox is None or wires.vehicle is None:
        return None
    leaving.enter_context(Hold(wires.tbox, wires.vehicle))
    if (override := installed()) is not None and override.read().on:
        raise BusgateError(
            "the local override is on, and learning would let every frame of the T-box cross. Next: busgate override"
        )
    names = interfaces(wires.tbox, wires.vehicle)
    if names is None:
        return None
    if left := leftover(*names):
        raise BusgateError(
            f"the kernel forwards between {names[0]} and {names[1]} ({len(left)} rules): a gate was here, and learning "
            "would let everything cross beside it. Next: if there shall be no gate any more, sudo busgate rules "
            f"--clear --tbox {wires.tbox} --vehicle {wires.vehicle}"
        )
    if hindrance(wires.tbox, wires.vehicle) is not None:
        return None
    layers = Layers(*names, Floor((), ()))
    leaving.callback(layers.clear)
    return layers


def _opened(wires: Wires, *, echoed: bool) -> LivePort | RawPort:
    if wires.tbox and wires.vehicle and RawPort.serves(wires.tbox, wires.vehicle):
        return RawPort.open(wires.tbox, wires.vehicle, echoed=echoed)
    return LivePort.open(wires.tbox, wires.vehicle, tap=wires.tap, transmit=wires.tap is None, echoed=echoed)


def _moment(at: int) -> str:
    """A time for people, to the second; a recording that counts from its start is told in seconds."""
    if at < YEAR_2000:
        return f"{at / 1e9:.1f} s"
    return f"{datetime.fromtimestamp(at // 10**9, UTC):%Y-%m-%d %H:%M:%S}Z"
