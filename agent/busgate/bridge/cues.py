"""A recording as a list of cues for a player: what is sent when, on which of the recording's channels.

Law: time starts at the first cue that is played and never decreases. Each function takes cues in the order of time and
gives them so again; nothing here reads a clock, and chance comes from a seeded generator that is handed in.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from random import Random
from typing import NamedTuple

from busgate.bridge.records import PACKET, Record
from busgate.model import ERROR, EXTENDED, IDENTIFIER

SECOND = 1_000_000_000
_PDU1 = 0xF0
"""J1939-21, 5.2.3: below this format byte the next byte is a destination address."""


class Cue(NamedTuple):
    """One frame to send: ns since the start, the recording's channel, then as `model.Frame` has it."""

    at: int
    channel: str
    can_id: int
    data: bytes
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Flood:
    """The same frame again and again, from `at` (ns) for `lasts` ns, `rate` of them a second."""

    at: int
    channel: str
    can_id: int
    data: bytes
    flags: int
    rate: float
    lasts: int


@dataclass(frozen=True, slots=True)
class Faults:
    """What is done to a recording: chances for each frame, floods, and steps of its clock (at, by; ns)."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    floods: tuple[Flood, ...] = ()
    steps: tuple[tuple[int, int], ...] = ()


def cut(records: Iterable[Record], start: int, stop: int | None, left_out: Counter[str]) -> Iterator[Cue]:
    """The part of a recording from `start` to `stop` (ns after its first record), its clock started at 0.

    What is no frame that a player can send, a captured packet or a controller's own error, is counted and left out.
    """
    first = began = None
    last = 0
    for at, channel, can_id, data, flags in records:
        if first is None:
            first = last = at
        last = max(last, at)  # a recorded clock that steps back: time is held, as in a replay
        since = last - first
        if since < start:
            continue
        if stop is not None and since >= stop:
            return
        if flags == PACKET or can_id & ERROR:
            left_out["packets" if flags == PACKET else "error frames"] += 1
            continue
        began = since if began is None else began
        yield Cue(since - began, channel, can_id, data, flags)


def renamed(cues: Iterable[Cue], identifiers: Mapping[int, int], addresses: Mapping[int, int]) -> Iterator[Cue]:
    """Other identifiers (with `EXTENDED` where they have 29 bits), then other J1939 addresses.

    An address is replaced where it sends and where it is sent to, so that a session keeps both its ends.
    """
    for cue in cues:
        can_id = identifiers.get(cue.can_id & (EXTENDED | IDENTIFIER))
        can_id = cue.can_id if can_id is None else can_id | cue.can_id & ~(EXTENDED | IDENTIFIER)
        if can_id & EXTENDED and addresses:
            can_id = _addressed(can_id, addresses)
        yield cue if can_id == cue.can_id else cue._replace(can_id=can_id)


def with_faults(cues: Iterable[Cue], faults: Faults, chance: Random, done: Counter[str]) -> Iterator[Cue]:
    """Cues with frames dropped, doubled, swapped with their channel's next one, and floods; `done` counts each."""
    return _stepped(_merged(_shaken(cues, faults, chance, done), faults.floods, done), faults.steps, done)


def injected(cues: Iterable[Cue], extra: Sequence[Cue]) -> Iterator[Cue]:
    """Cues and others between them, after those of the same time."""
    return heapq.merge(cues, sorted(extra, key=attrgetter("at")), key=attrgetter("at"))


def capped(cues: Iterable[Cue], most: int) -> Iterator[Cue]:
    """No silence is longer than `most` ns."""
    before = taken = 0
    for cue in cues:
        taken += max(0, cue.at - before - most)
        before = cue.at
        yield cue._replace(at=cue.at - taken)


def _addressed(can_id: int, addresses: Mapping[int, int]) -> int:
    sa = can_id & 0xFF
    can_id = can_id & ~0xFF | addresses.get(sa, sa)
    if (can_id >> 16) & 0xFF < _PDU1:
        da = (can_id >> 8) & 0xFF
        can_id = can_id & ~0xFF00 | addresses.get(da, da) << 8
    return can_id


def _shaken(cues: Iterable[Cue], faults: Faults, chance: Random, done: Counter[str]) -> Iterator[Cue]:
    held: dict[str, Cue] = {}
    last = 0
    for cue in cues:
        last = cue.at
        if chance.random() < faults.drop:
            done["dropped"] += 1
            continue
        before = held.pop(cue.channel, None)
        if before is None and chance.random() < faults.reorder:
            held[cue.channel] = cue
            continue
        yield cue
        if chance.random() < faults.duplicate:
            done["duplicated"] += 1
            yield cue
        if before is not None:
            done["reordered"] += 1
            yield before._replace(at=cue.at)
    yield from (cue._replace(at=last) for cue in held.values())  # nothing came after them: they stay in their order


def _merged(cues: Iterable[Cue], floods: Sequence[Flood], done: Counter[str]) -> Iterator[Cue]:
    return heapq.merge(cues, *(_flood(flood, done) for flood in floods), key=attrgetter("at"))


def _flood(flood: Flood, done: Counter[str]) -> Iterator[Cue]:
    for number in range(round(flood.lasts / SECOND * flood.rate)):
        done["flooded"] += 1
        yield Cue(flood.at + round(number / flood.rate * SECOND), flood.channel, flood.can_id, flood.data, flood.flags)


def _stepped(cues: Iterable[Cue], steps: Sequence[tuple[int, int]], done: Counter[str]) -> Iterator[Cue]:
    """The recording's clock set forwards, a silence, or backwards: all that came meanwhile comes at once."""
    waiting = sorted(steps)
    shift = last = 0
    for cue in cues:
        while waiting and cue.at >= waiting[0][0]:
            shift += waiting.pop(0)[1]
            done["clock steps"] += 1
        last = max(last, cue.at + shift)
        yield cue._replace(at=last)
