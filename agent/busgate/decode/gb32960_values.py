"""How values stand in the data of a GB/T 32960.3 packet: small steps, which the bodies string into layouts.

Law: big endian throughout (6.1). A number is given in the unit that its name ends with, (wire - bias) / divisor, exact
to its last decimal; a number that stands for something is the standard's word for it, or hexadecimal where it has none.
All ones is "invalid" and all ones less one "abnormal" (6.2), whatever the width, and a count that is one of these has
no list behind it. A step takes only what is there; bytes that are missing are a fault in words. No step raises.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

INVALID = "invalid"
ABNORMAL = "abnormal"

_BEIJING = timezone(timedelta(hours=8))
_CODES = {1: "B", 2: "H", 4: "I"}


class Fields:
    """A packet's data while it is read: what was found so far, and the place of the next byte.

    `fault` is "" or why the reading had to end; `flaws` is what was wrong with values that were read all the same.
    """

    __slots__ = ("at", "data", "fault", "flaws", "values")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.values: dict[str, Any] = {}
        self.fault = ""
        self.flaws: list[str] = []

    @property
    def left(self) -> int:
        """How many bytes were not read yet."""
        return len(self.data) - self.at

    def take(self, size: int, what: str) -> bytes | None:
        """The next `size` bytes; None, and a fault, where there are fewer."""
        if size > self.left:
            self.fault = f"{what} needs {size} bytes, {self.left} are left"
            return None
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def number(self, size: int, what: str) -> int | None:
        """The next `size` bytes as a number; None as in `take`."""
        taken = self.take(size, what)
        return None if taken is None else int.from_bytes(taken)

    def rest(self) -> bytes:
        """All that was not read yet."""
        taken = self.data[self.at :]
        self.at = len(self.data)
        return taken


Step = Callable[[Fields], bool]
"""One value: reads it and answers whether the reading goes on."""

Layout = tuple[Step, ...]


def run(layout: Layout, fields: Fields) -> bool:
    """Read a layout as far as it goes; True when every step found its bytes."""
    return all(step(fields) for step in layout)


def missing(wire: int, size: int) -> str:
    """Whether a number of `size` bytes says "abnormal" or "invalid", else ""."""
    most = (1 << 8 * size) - 1
    return INVALID if wire == most else ABNORMAL if wire == most - 1 else ""


def physical(wire: int, size: int, divisor: int, bias: int) -> int | float | str:
    """A number as it is on the wire, in its unit."""
    return missing(wire, size) or (wire - bias if divisor == 1 else (wire - bias) / divisor)


def label(wire: int, names: Mapping[int, str]) -> str:
    """The standard's word for a number of one byte."""
    return names.get(wire) or missing(wire, 1) or f"0x{wire:02X}"


def shown(data: bytes) -> str:
    """Text (ASCII or GBK) without the zeros that fill its field up; bytes that are no text are shown as escapes."""
    return data.strip(b"\0").decode("gbk", "backslashreplace")


def number(name: str, size: int = 1, divisor: int = 1, bias: int = 0) -> Step:
    """A number in its unit."""

    def step(fields: Fields) -> bool:
        wire = fields.number(size, name)
        if wire is None:
            return False
        fields.values[name] = physical(wire, size, divisor, bias)
        return True

    return step


def choice(name: str, names: Mapping[int, str]) -> Step:
    """A byte that stands for something."""

    def step(fields: Fields) -> bool:
        wire = fields.number(1, name)
        if wire is None:
            return False
        fields.values[name] = label(wire, names)
        return True

    return step


def text(name: str, size: int) -> Step:
    """A text in a field of `size` bytes."""

    def step(fields: Fields) -> bool:
        taken = fields.take(size, name)
        if taken is None:
            return False
        fields.values[name] = shown(taken)
        return True

    return step


def sized_hex(name: str, size: int = 2) -> Step:
    """Bytes after their count, in hexadecimal."""

    def step(fields: Fields) -> bool:
        length = fields.number(size, name)
        taken = None if length is None else fields.take(length, name)
        if taken is None:
            return False
        fields.values[name] = taken.hex()
        return True

    return step


def time(name: str) -> Step:
    """A time (6.4): year of the century to second in GMT+8, as ISO 8601; hexadecimal where there is no such time."""

    def step(fields: Fields) -> bool:
        taken = fields.take(6, name)
        if taken is None:
            return False
        try:
            year, month, day, hour, minute, second = taken
            fields.values[name] = datetime(2000 + year, month, day, hour, minute, second, tzinfo=_BEIJING).isoformat()
        except ValueError:
            fields.values[name] = taken.hex()
            fields.flaws.append(f"{name} {taken.hex()} is no time")
        return True

    return step


def numbers(name: str, count_size: int, size: int = 1, divisor: int = 1, bias: int = 0) -> Step:
    """As many numbers of `size` bytes as their count says."""

    def step(fields: Fields) -> bool:
        count = fields.number(count_size, name)
        if count is None:
            return False
        if word := missing(count, count_size):
            fields.values[name] = word
            return True
        taken = fields.take(count * size, name)
        if taken is None:
            return False
        wires = struct.unpack(f">{count}{_CODES[size]}", taken)
        fields.values[name] = [physical(wire, size, divisor, bias) for wire in wires]
        return True

    return step


def rows(name: str, layout: Layout, count_size: int = 1) -> Step:
    """As many rows of the same layout as their count says."""

    def step(fields: Fields) -> bool:
        count = fields.number(count_size, name)
        if count is None:
            return False
        outer, found = fields.values, list[dict[str, Any]]()
        outer[name] = missing(count, count_size) or found
        for _ in range(0 if outer[name] is not found else count):
            fields.values = {}
            whole = run(layout, fields)
            found.append(fields.values)
            fields.values = outer
            if not whole:
                return False
        return True

    return step


def group(name: str, layout: Layout) -> Step:
    """Values that belong together under one name."""

    def step(fields: Fields) -> bool:
        outer, fields.values = fields.values, {}
        whole = run(layout, fields)
        outer[name], fields.values = fields.values, outer
        return whole

    return step
