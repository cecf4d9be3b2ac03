"""A recording played onto live wires, for a tester: what is sent when, how late it was, and what a gate made of it.

Law: what is played is the recording, changed as the job says and in no other way, and each change is counted. Timing is
measured, not assumed: by the kernel's own times where the wires are SocketCAN.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from busgate.bridge import cues
from busgate.bridge.channels import SideMap
from busgate.bridge.cues import SECOND, Cue, Faults
from busgate.bridge.player import Player, RawPlayer, listen_all, opened, sleep_sharply
from busgate.bridge.port import BridgeError
from busgate.bridge.trace import Trace
from busgate.detect.alerts import written
from busgate.model import BusgateError, Frame, Side
from busgate.record.entry import EntryError, decode
from busgate.record.evidence import open_evidence
from busgate.record.found import EvidenceError
from busgate.service.expect import Expectations, Outcome, Seen, judged

_AHEAD_NS = 2_000_000
_MOST_TIMED = 1 << 20
_EVERY = 128
_Key = tuple[int, bytes, int]


@dataclass(frozen=True, slots=True)
class Job:
    """All that one play is told; times in ns."""

    trace: Path
    wires: Mapping[str, str | None]
    """Wire (`vcan0` or `interface:channel`) to the recording's channel; None is the next one by name."""
    speed: float = 1.0
    loops: int = 1
    """0 is for ever."""
    gap: int | None = None
    start: int = 0
    stop: int | None = None
    identifiers: Mapping[int, int] = field(default_factory=dict)
    addresses: Mapping[int, int] = field(default_factory=dict)
    inject: tuple[Cue, ...] = ()
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    expect: Expectations | None = None
    log: Path | None = None
    settle: float = 2.0
    compare: bool = False


class Timing(NamedTuple):
    """How far frames were from when they were due, in us: median, 99 in 100, worst; `why` not, if nothing is known."""

    frames: int = 0
    p50: float = 0.0
    p99: float = 0.0
    most: float = 0.0
    why: str = ""

    @classmethod
    def of(cls, errors: list[int], why: str = "") -> Timing:
        """Errors in ns, of either sign."""
        if not errors or why:
            return cls(why=why or "nothing was sent")
        ordered = sorted(abs(error) for error in errors)
        return cls(
            len(ordered),
            ordered[len(ordered) // 2] / 1000,
            ordered[len(ordered) * 99 // 100] / 1000,
            ordered[-1] / 1000,
        )


@dataclass(slots=True)
class Result:
    """What was played, and what came of it."""

    seconds: float
    sent: Counter[str]
    not_sent: Counter[str]
    changes: Counter[str]
    losses: Counter[str]
    warnings: list[str]
    timing: Timing
    peer: Timing | None
    outcomes: list[Outcome]


def play(job: Job, going: Callable[[], bool]) -> Result:
    """Play until the end, or until not `going`. Raises BusgateError for a trace, wire or log that cannot be used."""
    script = _Script(job)
    if not script.assigned:
        raise BusgateError(f"{job.trace} holds no frame that could be played")
    before = None if job.log is None else _log_size(job.log)
    sleep_sharply()
    with opened(list(job.wires)) as players:
        stage = _Stage(job, players, script.assigned)
        for cue in script.cues():
            if not going() or not stage.play(cue, going):
                break
        if not stage.sent.total() + stage.not_sent.total() and going():
            seen = ", ".join(script.channels) or "none"
            raise BusgateError(
                f"nothing of {job.trace} was played. Next: look at --start, --stop and --drop, and at which channels "
                f"it has ({seen})"
            )
        stage.wait(job.settle if job.expect is not None else 0.2)
        peer = _peer(script, players) if job.compare and going() else None
        alerts = [] if job.log is None or before is None else _alerts(job.log, *before)
        outcomes = [] if job.expect is None else judged(job.expect, alerts, stage.seen())
        losses = Counter[str]()
        for name, player in players.items():
            losses.update({f"{name} {kind}": count for kind, count in player.losses().items()})
        return Result(
            seconds=stage.seconds,
            sent=stage.sent,
            not_sent=stage.not_sent,
            changes=script.changes,
            losses=losses,
            warnings=script.warnings(),
            timing=stage.timing(),
            peer=peer,
            outcomes=outcomes,
        )


class _Script:
    """The recording as the job changes it, and which of its channels goes onto which wire."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._trace = Trace(job.trace, SideMap())
        self.changes: Counter[str] = Counter()
        self.assigned = self._assigned()
        self._check_channels()

    def cues(self) -> Iterator[Cue]:
        """All of it, as often as it is to be played."""
        job, began, loop = self._job, 0, 0
        while not job.loops or loop < job.loops:
            last = None
            for cue in self._once(loop):
                last = cue.at
                yield cue._replace(at=began + cue.at)
            if last is None:
                return
            began += last + _AHEAD_NS
            loop += 1

    def warnings(self) -> list[str]:
        """What the reader of the recording noticed, and which channels were left out."""
        left = self._trace.channels.keys() - self.assigned.keys()
        silent = [f"channel {name} of the recording was not played; give it a wire: --to WIRE={name}" for name in left]
        return [*self._trace.warnings, *sorted(silent)]

    @property
    def channels(self) -> list[str]:
        """The recording's channels that were met so far."""
        return sorted(self._trace.channels)

    def _once(self, loop: int) -> Iterator[Cue]:
        job = self._job
        chance = Random(job.seed + loop)  # noqa: S311 - faults that can be repeated, not a secret
        made = cues.cut(self._trace.records(), job.start, job.stop, self.changes)
        made = (cue for cue in made if cue.channel in self.assigned)
        made = cues.renamed(made, job.identifiers, job.addresses)
        made = cues.injected(made, self._counted(job.inject))
        made = cues.with_faults(made, job.faults, chance, self.changes)
        return made if job.gap is None else cues.capped(made, job.gap)

    def _counted(self, extra: tuple[Cue, ...]) -> tuple[Cue, ...]:
        if extra:
            self.changes["injected"] += len(extra)
        return extra

    def _assigned(self) -> dict[str, str]:
        """Channel to wire. Channels that no wire names go to the wires that name none, both in the order of names."""
        job = self._job
        named = {channel: wire for wire, channel in job.wires.items() if channel is not None}
        open_wires = [wire for wire, channel in job.wires.items() if channel is None]
        if not open_wires:
            return named
        channels = sorted(self._channels() - named.keys(), key=_by_number)
        if len(open_wires) == 1:
            return named | dict.fromkeys(channels, open_wires[0])
        if len(channels) > len(open_wires):
            raise BridgeError(
                f"{job.trace} has channels {', '.join(channels)} for {len(open_wires)} wires; say which goes where: "
                f"--to {','.join(f'{wire}={name}' for wire, name in zip(open_wires, channels, strict=False))}"
            )
        return named | dict(zip(channels, open_wires, strict=False))

    def _channels(self) -> set[str]:
        if not self._job.trace.is_file():
            raise BridgeError(f"{self._job.trace} can be read once only; say which channel goes where: --to vcan0=can0")
        for _ in self._trace.records():
            pass
        return set(self._trace.channels)

    def _check_channels(self) -> None:
        wires = set(self.assigned.values())
        job = self._job
        for channel in [cue.channel for cue in job.inject] + [flood.channel for flood in job.faults.floods]:
            if channel not in self.assigned and channel not in wires:
                raise BridgeError(
                    f"{channel} is neither a channel of the recording nor a wire; there are: "
                    f"{', '.join([*self.assigned, *job.wires])}"
                )


class _Stage:
    """The wires at play: each cue at its time, and what was on the wires."""

    def __init__(self, job: Job, players: dict[str, Player], assigned: Mapping[str, str]) -> None:
        self._job = job
        self._players = players
        self._wire = {**{name: name for name in players}, **assigned}
        self._watching = job.expect is not None and job.expect.about_frames
        self._began: int | None = None
        self._wall = 0
        self._due: dict[str, deque[int]] = {name: deque() for name in players}
        self._errors: list[int] = []
        self._played: list[tuple[str, str, _Key]] = []
        self._count = 0
        self.sent: Counter[str] = Counter()
        self.not_sent: Counter[str] = Counter()
        self.seconds = 0.0

    def play(self, cue: Cue, going: Callable[[], bool]) -> bool:
        """Send one frame when it is due; False when stopped while waiting."""
        if self._began is None:
            self._began, self._wall = time.monotonic_ns(), time.time_ns()
        after = 0 if self._job.speed <= 0 else round(cue.at / self._job.speed)
        if not self._await(self._began + after, going):
            return False
        name = self._wire[cue.channel]
        player = self._players[name]
        if player.send(Frame(0, Side.TAP, cue.can_id, cue.data, cue.flags)):
            self.sent[name] += 1
            if self._job.speed > 0 and len(self._errors) < _MOST_TIMED:
                self._due[name].append(self._wall + after)
            if self._watching:
                self._played.append((cue.channel, name, (cue.can_id, cue.data, cue.flags)))
        else:
            self.not_sent[name] += 1
        self._count += 1
        if self._count % _EVERY == 0:
            self._take_in(0)
        self.seconds = (time.monotonic_ns() - self._began) / SECOND
        return True

    def wait(self, seconds: float) -> None:
        """Hear what still comes."""
        self._take_in(seconds)

    def timing(self) -> Timing:
        """How far from its time each frame was."""
        if self._job.speed <= 0:
            return Timing(why="played as fast as it went")
        lost = any(player.losses()["receive_queue_full"] for player in self._players.values())
        return Timing.of(self._errors, "the kernel could not keep up with telling us" if lost else "")

    def seen(self) -> Iterator[Seen]:
        """What was played, and whether it came out on another wire."""
        heard = Counter((name, (frame.can_id, frame.data, frame.flags)) for name, player in self._players.items()
                        for frame in player.heard)  # fmt: skip
        for channel, name, key in self._played:
            crossed = None if len(self._players) == 1 else False
            for other in self._players:
                if other != name and heard[other, key]:
                    heard[other, key] -= 1
                    crossed = True
            yield Seen(channel, written(Frame(0, Side.TAP, *key)), crossed)

    def _await(self, due: int, going: Callable[[], bool]) -> bool:
        while (left := due - time.monotonic_ns()) > _AHEAD_NS:
            if not going():
                return False
            self._take_in(min(0.1, (left - _AHEAD_NS / 2) / SECOND))
        if left > 0:
            time.sleep(left / SECOND)
        return True

    def _take_in(self, seconds: float) -> None:
        listen_all(self._players, seconds)
        for name, player in self._players.items():
            due = self._due[name]
            for at in player.sent:
                if due:
                    self._errors.append(at - due.popleft())
            player.sent.clear()
            if not self._watching:
                player.heard.clear()


# ---------------------------------------------------------------- the named peer: can-utils' canplayer


def _peer(script: _Script, players: dict[str, Player]) -> Timing:
    """The same frames by canplayer onto the same wires, timed by the kernel as ours were."""
    names = {name: name.removeprefix("socketcan:") for name in players}
    if not all(isinstance(player, RawPlayer) for player in players.values()):
        return Timing(why="canplayer plays onto SocketCAN only")
    due: dict[tuple[str, _Key], deque[int]] = {}
    first = None
    with tempfile.NamedTemporaryFile("w", suffix=".log", encoding="ascii") as file:
        for cue in script.cues():
            wire = script.assigned.get(cue.channel, cue.channel)
            frame = Frame(0, Side.TAP, cue.can_id, cue.data, cue.flags)
            seconds, rest = divmod(cue.at, SECOND)
            file.write(f"({seconds + 1:010}.{rest // 1000:06}) {names[wire]} {written(frame)}\n")
            due.setdefault((wire, (cue.can_id, cue.data, cue.flags)), deque()).append(cue.at)
            first = cue.at if first is None else first
        file.flush()
        for player in players.values():
            player.heard.clear()
        try:
            words = ["canplayer", "-I", file.name]
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words, and our own file
        except FileNotFoundError:
            return Timing(why="there is no canplayer here; install can-utils")
        while process.poll() is None:
            listen_all(players, 0.05)
        listen_all(players, 0.2)
    return _peer_timing(players, due, process.returncode)


def _peer_timing(players: dict[str, Player], due: dict[tuple[str, _Key], deque[int]], code: int) -> Timing:
    met: list[tuple[int, int]] = []
    for name, player in players.items():
        for frame in player.heard:
            waiting = due.get((name, (frame.can_id, frame.data, frame.flags)))
            if waiting:
                met.append((frame.at, waiting.popleft()))
    if not met or code:
        return Timing(why=f"canplayer ended with {code} and nothing of it was heard")
    start, zero = min(met, key=lambda pair: pair[1])
    return Timing.of([(at - start) - (was - zero) for at, was in met])


# ---------------------------------------------------------------- the gate's own word


def _log_size(path: Path) -> tuple[str, int]:
    """Which log the gate writes and how long it is; a gate that has none yet begins one."""
    try:
        with open_evidence(path) as logs:
            return logs[-1].name, sum(1 for _ in logs[-1].rows())
    except EvidenceError:
        if path.exists() and not path.is_dir():
            raise
        return "", 0


def _alerts(path: Path, name: str, size: int) -> list[dict[str, Any]]:
    """The alerts of a log from record `size` on, each with its count so far."""
    alerts: list[dict[str, Any]] = []
    counts: dict[tuple[object, object], int] = {}
    with open_evidence(path) as logs:
        rows = logs[-1].rows()
        fresh = [row.raw for row in rows if row.index >= (size if logs[-1].name == name else 0)]
    for raw in fresh:
        try:
            entry = decode(raw)
        except EntryError as fault:
            raise BusgateError(f"a record of {path} cannot be read: {fault}. Next: busgate verify {path}") from None
        if entry["type"] == "alert":
            alerts.append(entry)
        elif entry["type"] == "alert.count":
            counts[entry["cause"], entry["first"]] = entry["count"]
    return [alert | {"count": counts.get((alert["cause"], alert["at"]), 1)} for alert in alerts]


def _by_number(channel: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, os.path.basename(channel)))  # noqa: PTH119 - a name, not a path
    return int(digits or 0), channel
