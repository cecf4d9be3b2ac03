"""Cutting one direction of a stream into units whose first octets say how long they are.

Law: the spans given, joined, are the bytes fed, in order. What is a unit depends on the bytes from its start on and on
what was cut before, never on how the bytes came in pieces. Bytes that start no unit are given in stretches: up to the
next unit, `STRETCH` bytes at most. Held back are at most the longest unit and one stretch.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from re import Pattern

from busgate.model import Span

STRETCH = 1024
"""Bytes between units are given in pieces of this size, so that waiting for a unit never holds more."""

MORE = 0
"""What `_measure` says when the bytes so far do not tell yet."""

NONE = -1
"""What `_measure` says where no unit starts."""


class Framer(ABC):
    """One direction of a stream; a protocol says how long a unit is (`_measure`) and what it says (`_unit`).

    `synced` is whether the next octet is known to start a unit: a whole one ended just before it. `fresh` is whether
    it is the first of the stream.
    """

    UNKNOWN = "no unit starts here"
    CUT = "the stream ends within a unit"
    START: Pattern[bytes] = re.compile(b"(?s:.)")
    """Matches wherever a unit may start, also where the bytes end before they tell: it makes long stretches cheap."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self.synced = False
        self.fresh = True

    @property
    def held(self) -> int:
        """Bytes fed and not given back yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Span]:
        """Take the next bytes of the stream; the units they finish, and what lies between them."""
        self._buffer += data
        return self._drain(closing=False)

    def close(self) -> list[Span]:
        """The stream has ended; what was held back."""
        return self._drain(closing=True)

    def release(self) -> list[Span]:
        """Give what is known to be no unit without waiting for the stretch to fill, as a relay must after each `feed`.

        What is given is the same, only cut at other places.
        """
        spans = self._stretches(self._buffer, 0, self._scanned)
        del self._buffer[: self._scanned]
        self._scanned = 0
        return spans

    @abstractmethod
    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        """How long the unit at `at` is, or MORE, or NONE; what was said of some bytes holds when more have come."""

    @abstractmethod
    def _unit(self, raw: bytes) -> list[Span]:
        """Read one whole unit; nearly always one span."""

    def _rest(self, raw: bytes) -> Span:
        """The beginning of a unit whose end never came."""
        return Span(raw, None, self.CUT)

    def _seek(self, buffer: bytearray, at: int) -> int:
        """The next place behind `at` where a unit may start."""
        found = self.START.search(buffer, at + 1)
        return found.start() if found else len(buffer)

    def _drain(self, *, closing: bool) -> list[Span]:
        buffer, spans = self._buffer, list[Span]()
        start, scan = 0, self._scanned
        while scan < len(buffer):
            size = self._measure(buffer, scan, closing=closing)
            if size != NONE and (size == MORE or scan + size > len(buffer)):
                if not closing:
                    break
                if self.synced or self.fresh:
                    spans += self._stretches(buffer, start, scan)
                    spans.append(self._rest(bytes(buffer[scan:])))
                    start = scan = len(buffer)
                    break
                size = NONE
            if size == NONE:
                self.synced = self.fresh = False
                scan = self._seek(buffer, scan)
                whole = (scan - start) // STRETCH * STRETCH
                spans += self._stretches(buffer, start, start + whole)
                start += whole
                continue
            spans += self._stretches(buffer, start, scan)
            start = scan = scan + size
            self.synced, self.fresh = True, False
            spans += self._unit(bytes(buffer[scan - size : scan]))
        if closing:
            spans += self._stretches(buffer, start, len(buffer))
            start = scan = len(buffer)
        del buffer[:start]
        self._scanned = scan - start
        return spans

    def _stretches(self, buffer: bytearray, start: int, end: int) -> list[Span]:
        return [
            Span(bytes(buffer[at : min(at + STRETCH, end)]), None, self.UNKNOWN) for at in range(start, end, STRETCH)
        ]
