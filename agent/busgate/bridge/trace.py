"""Recordings as units: any trace or capture, with its channels mapped to sides and its clock made to run forwards.

Law: units come in the order recorded and `at` never decreases; where the recorded clock stepped back, the time before
holds and the step is counted. What cannot be read is counted or warned of, never passed over in silence.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter
from pathlib import Path

from busgate.bridge import asc, candump, capture
from busgate.bridge.channels import SideMap
from busgate.bridge.port import BridgeError
from busgate.bridge.records import PACKET, Notes, Record
from busgate.bridge.sniff import READS, Format, Source, a
from busgate.model import Frame, Packet, Side, Unit

ABSOLUTE = 10**17
"""An `at` from here on is Unix time (1973 and later); below it, time since some start."""


_COUNTED_FROM_1 = frozenset({Format.ASC, Format.BLF, Format.TRC})
"""Formats whose own channel numbers begin at 1, while here, as in python-can, all begin at 0."""


class _Lane:
    """One channel of a recording."""

    __slots__ = ("side", "units")

    def __init__(self, side: Side | None) -> None:
        self.side = side
        self.units = 0


class Trace:
    """One recording. Iterate it for its units; the counts are of the reading that was begun last.

    `clock_steps` counts how often the recorded time ran backwards.
    """

    def __init__(self, path: Path, sides: SideMap) -> None:
        """Raises BridgeError when there is no recording at `path`."""
        self.path = path
        self._sides = sides
        # Kept for the first reading: what comes through a pipe can be opened once only.
        self._source: Source | None = Source(path)
        self.format = self._source.format
        self._begin()

    def __iter__(self) -> Iterator[Unit]:
        """The units; raises BridgeError when nothing in the recording can be read, or no channel has a side."""
        self._begin()
        source, self._source = self._source or Source(self.path), None
        try:
            yield from self._units(self._records(source))
            self._end(source)
        finally:
            source.close()

    def records(self) -> Iterator[Record]:
        """As iterating, with the recording's own channels and clock, whether a channel has a side or not."""
        self._begin()
        source, self._source = self._source or Source(self.path), None
        lanes = self._lanes
        try:
            for record in self._records(source):
                channel = record[1]
                if channel not in lanes:
                    lanes[channel] = _Lane(Side.TAP)
                lanes[channel].units += 1
                yield record
            self._end(source)
        finally:
            source.close()

    @property
    def absolute(self) -> bool:
        """Whether the recording tells Unix time; False before its first frame was read."""
        return self._began is not None and self._began >= ABSOLUTE

    @property
    def channels(self) -> Counter[str]:
        """Frames and packets of every channel, whether it has a side or not."""
        return Counter({name: lane.units for name, lane in self._lanes.items()})

    @property
    def unmapped(self) -> Counter[str]:
        """Frames and packets of the channels that have no side and were left out."""
        return Counter({name: lane.units for name, lane in self._lanes.items() if lane.side is None})

    @property
    def frames(self) -> int:
        """Units yielded so far: frames, and packets of a capture."""
        return self.channels.total() - self.unmapped.total()

    @property
    def skipped(self) -> int:
        """Lines or records that could not be read."""
        return self._notes.skipped

    @property
    def first_skipped(self) -> int | None:
        """The number of the first of them, from 1."""
        return self._notes.first_skipped

    @property
    def warnings(self) -> list[str]:
        """What the reader of the report must know about this recording."""
        return self._notes.warnings

    def _begin(self) -> None:
        self._notes = Notes()
        self._began: int | None = None
        self.clock_steps = 0
        self._lanes: dict[str, _Lane] = {}

    def _records(self, source: Source) -> Iterator[Record]:
        match source.format:
            case Format.CANDUMP:
                return candump.read(source.stream, self._notes, lambda: bool(source.damage))
            case Format.ASC:
                return asc.read(source.stream, self._notes, lambda: bool(source.damage))
            case Format.PCAP | Format.PCAPNG:
                return capture.read(source.stream, self._notes)
            case Format.BLF | Format.TRC | Format.CSV | Format.MF4 | Format.SQLITE:
                # python-can is imported for these only: the others are read without it.
                from busgate.bridge import foreign

                return foreign.read(source, self._notes)

    def _units(self, records: Iterable[Record]) -> Iterator[Unit]:
        lanes = self._lanes
        last = before = 0
        # Frame(...) and Packet(...) go through a Python-level __new__ that takes twice as long; a trace holds millions.
        new = tuple.__new__
        for at, channel, can_id, data, flags in records:
            if at >= last:
                last = at
            elif at < before:
                self.clock_steps += 1
            before = at
            try:
                lane = lanes[channel]
            except KeyError:
                if not lanes:
                    self._began = last = at
                lane = lanes[channel] = _Lane(self._sides(channel))
            lane.units += 1
            if lane.side is None:
                continue
            if flags == PACKET:
                yield new(Packet, (last, lane.side, can_id, data, False))
            else:
                yield new(Frame, (last, lane.side, can_id, data, flags))

    def _end(self, source: Source) -> None:
        """Say what the reader of the report must know; refuse a recording that said nothing."""
        seen = self.channels.total()
        if not seen and (self.skipped or not source.certain):
            raise BridgeError(
                f"{self.path}: this is not {a(self.format)}; first line was {source.first_line!r}. {READS}"
            )
        if seen and not self.frames:
            raise BridgeError(
                f"{self.path}: none of its channels was given a side; it has {_counts(self.channels)}. "
                "Name them with --tbox, --vehicle or --tap"
            )
        for sentence in self._remarks(source, seen):
            self._notes.warn(sentence)

    def _remarks(self, source: Source, seen: int) -> Iterator[str]:
        if source.damage:
            yield f"the compressed file is cut or damaged ({source.damage}); what was whole was read"
        if not seen:
            yield "the recording holds no frame"
        if self.skipped:
            yield f"{self.skipped} records could not be read, the first is number {self.first_skipped}"
        if self.clock_steps:
            yield f"the recorded clock stepped back {self.clock_steps} times; time was held there"
        if unmapped := self.unmapped:
            yield f"channels without a side were left out: {_counts(unmapped)}"
        if seen and (unmet := self._sides.unmet(self._lanes)):
            counted = f"; in {a(self.format)} they are counted from 0" if self.format in _COUNTED_FROM_1 else ""
            yield f"no frame came on {', '.join(unmet)}; the recording has {_counts(self.channels)}{counted}"


def merge(*sources: Iterable[Unit]) -> Iterator[Unit]:
    """Several recordings of one day as one, in the order of time; raises BridgeError when their clocks cannot be one.

    Units of equal time come in the order of `sources`.
    """
    begun = [(first, iterator) for iterator in map(iter, sources) if (first := next(iterator, None)) is not None]
    if len({first.at >= ABSOLUTE for first, _ in begun}) > 1:
        raise BridgeError(
            "one recording tells the time of day and the other only the time since its start, so they cannot be "
            "joined; record both with absolute timestamps"
        )
    return heapq.merge(*(chain((first,), rest) for first, rest in begun), key=attrgetter("at"))


def _counts(channels: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(channels.items()))
