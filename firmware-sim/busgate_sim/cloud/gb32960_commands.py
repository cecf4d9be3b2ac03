"""How a platform asks, sets and controls a terminal (GB/T 32960.3-2016, annex B; met on 2025's packets as well).

Law: each body reads and writes the same octets. Values of parameters have no lengths: after an unknown parameter the
rest cannot be read, and is kept as `rest`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from busgate_sim.cloud.gb32960 import Edition
from busgate_sim.cloud.octets import ContradictionError, Octets, Refused, fixed

UPGRADE = 0x01
POWER_OFF = 0x02
RESET = 0x03
FACTORY_SETTINGS = 0x04
CUT_LINK = 0x05
WARN = 0x06
SAMPLING_LINK = 0x07

VENDOR_LOCK = 0x90
"""A control that one public platform uses on its vehicles, with 0x91 to lock and 0x90 to unlock; 80-FE are vendors'."""

_WIDTHS = {1: 2, 2: 2, 3: 2, 4: 1, 6: 2, 7: 5, 8: 5, 9: 1, 0x0A: 2, 0x0B: 2, 0x0C: 1, 0x0D: 1, 0x0F: 2, 0x10: 1}
"""Octets of each parameter's value: 1-3 storage and reporting periods, 4-6 server, 7-8 versions, 9-C timers, D-F public
platform, 10 sampling."""

_LENGTH_BEFORE = {5: 4, 0x0E: 0x0D}
"""Parameters as long as the value of the parameter before them says: the names of the two servers."""

_UPGRADE = re.compile(
    rb"([^;]*);([^;]*);([^;]*);(.{6});(.{2});(.{4});(.{5});(.{5});([^;]*);(.{2})", re.DOTALL
)  # fmt: skip
UPGRADE_FIELDS = ("apn", "user", "password", "address", "port", "maker", "hardware", "firmware", "url", "timeout")


@dataclass(frozen=True, slots=True)
class Query:
    """Command 80: the parameters with these numbers, please."""

    time: bytes
    numbers: tuple[int, ...]

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.time + bytes([len(self.numbers), *self.numbers])

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        return cls(octets.take(6), tuple(octets.take(octets.number(1))))


@dataclass(frozen=True, slots=True)
class Settings:
    """Command 81, and the answer to 80: `count` parameters, of which `values` could be read and `rest` could not."""

    time: bytes
    count: int
    values: tuple[tuple[int, bytes], ...]
    rest: bytes = b""

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.time + bytes([self.count]) + b"".join(bytes([n]) + value for n, value in self.values) + self.rest

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        time, count, content = octets.take(6), octets.number(1), octets.rest()
        values, at = dict[int, bytes](), 0
        for _ in range(count):
            number = content[at] if at < len(content) else 0
            width = _WIDTHS.get(number)
            if number in _LENGTH_BEFORE and _LENGTH_BEFORE[number] in values:
                width = values[_LENGTH_BEFORE[number]][0]
            if width is None or number in values or at + 1 + width > len(content):
                break
            values[number] = content[at + 1 : at + 1 + width]
            at += 1 + width
        if len(values) == count and at < len(content):
            raise ContradictionError(f"{len(content) - at} octets after {count} parameters")
        return cls(time, count, tuple(values.items()), content[at:])


@dataclass(frozen=True, slots=True)
class Control:
    """Command 82: one control and its argument, whose form depends on it."""

    time: bytes
    control: int
    argument: bytes = b""

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.time + bytes([self.control]) + self.argument

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        return cls(octets.take(6), octets.number(1), octets.rest())


def upgrade_argument(url: str, *, firmware: str = "", maker: str = "", timeout_min: int = 10) -> bytes:
    """The argument of `UPGRADE`: where the firmware is and what it is; the server is part of the URL.

    Raises:
        ValueError: a `;` in the URL, or a field that does not fit.
    """
    if ";" in url:
        raise ValueError("the URL of an upgrade may have no ;")
    sized = [fixed(maker, 4), fixed("", 5), fixed(firmware, 5)]
    return b";".join([b"", b"", b"", bytes(6), bytes(2), *sized, url.encode(), timeout_min.to_bytes(2)])


def upgrade_fields(argument: bytes) -> dict[str, bytes] | Refused:
    """The upgrade's fields by `UPGRADE_FIELDS`: with the standard's widths, or else as texts between `;`."""
    sized = _UPGRADE.fullmatch(argument)
    fields = list(sized.groups()) if sized else argument.split(b";")
    if len(fields) != len(UPGRADE_FIELDS):
        return Refused(f"upgrade: {len(fields)} fields, not {len(UPGRADE_FIELDS)}")
    return dict(zip(UPGRADE_FIELDS, fields, strict=True))
