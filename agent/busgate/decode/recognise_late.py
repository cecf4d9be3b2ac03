"""A command language that begins in a stream which passes unread.

Law: a right unit (header, length, checksum) of JT/T 808, 905 or GB/T 32960 of at most `MOST_UNIT` bytes is found with
its last byte, wherever it begins and however the stream is cut. Nothing is held back for it: what of a unit went on
before it was whole is told. Octets without a mark cost one search each.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor
from typing import NamedTuple, Protocol

from busgate.decode.jt808_frame import ALTERNATIVE, DELIMITER, parse_content
from busgate.decode.recognise_marks import gb32960, jt808

MOST_UNIT = 2 * (1023 + 32)

_ESCAPES = re.compile(rb"[\x7d\xe6\x3e]")
_GB_HEAD = 24
_GB_START = re.compile(rb"(?=##|\$\$)")


class Late(NamedTuple):
    """A unit in a stream: its language, and where it begins and ends in the piece that finished it.

    `gone` are bytes of it that came before that piece; `start` is 0 where there are any.
    """

    name: str
    gone: bytes
    start: int
    end: int


class _Watch(Protocol):
    tail: bytes
    """What came already of a unit that may be under way."""

    def feed(self, data: bytes) -> Late | None: ...


class _Frames:
    """Frames of JT/T 808 with one of the delimiters."""

    def __init__(self, mark: int) -> None:
        self.tail = b""
        self._mark = mark

    def feed(self, data: bytes) -> Late | None:
        at = data.find(self._mark)
        if at < 0:
            self.tail = self.tail + data if self.tail and len(self.tail) + len(data) <= MOST_UNIT else b""
            return None
        content, gone, begin = self.tail[1:] + data[:at], self.tail, 0
        while at >= 0:
            if (gone or begin < at) and self._is_right(content):
                self.tail = b""
                return Late("jt808", gone, begin, at + 1)
            gone, begin, at = b"", at, data.find(self._mark, at + 1)
            content = data[begin + 1 : at]
        self.tail = data[begin : begin + MOST_UNIT]
        return None

    def _is_right(self, content: bytes) -> bool:
        if not 13 <= len(content) <= MOST_UNIT:
            return False
        # Most of what stands between two marks by accident has no number where every form of the header has one.
        if not _ESCAPES.search(content, 0, 10) and not content[5:10].hex().isdecimal():
            return False
        frame = parse_content(content, self._mark)
        return frame is not None and not frame.flaws and frame.phone.isdecimal()


class _Packets:
    """Packets of GB/T 32960."""

    def __init__(self) -> None:
        self.tail = b""

    def feed(self, data: bytes) -> Late | None:
        text, known, first, right = self.tail + data, len(self.tail), -1, list[tuple[int, int]]()
        for found in _GB_START.finditer(text) if b"##" in text or b"$$" in text else ():
            at = found.start()
            if gb32960(text[at : at + _GB_HEAD]) is False:
                continue
            head = text[at : at + _GB_HEAD]
            end = at + _GB_HEAD + 1 + (int.from_bytes(head[22:]) if len(head) == _GB_HEAD else 0)
            if len(head) < _GB_HEAD or len(text) < end <= at + MOST_UNIT:
                first = at if first < 0 else first
            elif known < end <= min(len(text), at + MOST_UNIT) and not reduce(xor, text[at + 2 : end]):
                right.append((end, at))
        if right:
            end, at = min(right)
            return Late("gb32960", text[at:known], max(at - known, 0), end - known)
        if first < 0 and text[-1:] in {b"#", b"$"}:
            first = len(text) - 1
        self.tail = text[first:] if first >= 0 else b""
        return None


class Lookout:
    """One direction of a stream that nobody reads."""

    def __init__(self) -> None:
        self._frames = _Frames(DELIMITER)
        self._packets = _Packets()
        self._watches: tuple[_Watch, ...] = (self._frames, _Frames(ALTERNATIVE), self._packets)

    def feed(self, data: bytes) -> Late | None:
        """The next bytes; the first unit that they finish."""
        found = [late for each in self._watches if (late := each.feed(data)) is not None]
        return min(found, key=lambda late: late.end, default=None)

    def begun(self, name: str) -> bytes:
        """What went on already of a unit of this language that is not whole yet."""
        tail = self._frames.tail if name == "jt808" else self._packets.tail
        check = jt808 if name == "jt808" else gb32960
        return tail if tail and check(tail) is not False else b""
