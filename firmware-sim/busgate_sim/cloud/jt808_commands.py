"""Bodies by which a platform commands a terminal, and the answers to them (JT/T 808-2019, 8.10-8.24, 8.44, 8.60).

Law: each body reads and writes the same octets in the edition it was made for; vendors' values stay octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from busgate_sim.cloud.jt808 import Edition
from busgate_sim.cloud.octets import ContradictionError, Octets, counted, fixed, free_bytes, free_text

MAXIMUM_SPEED = 0x0055
"""Parameter: km/h, four octets."""

DOOR = 0x0001
"""Control of 0x8500 in 2019: 0 locks, 1 opens, where the older flag octet has 0 for unlock and 1 for lock."""

_MAKER = 5

Parameter = tuple[int, bytes]


def _write_parameters(parameters: tuple[Parameter, ...]) -> bytes:
    items = b"".join(number.to_bytes(4) + counted(value) for number, value in parameters)
    return bytes([len(parameters)]) + items


def _read_parameters(octets: Octets) -> tuple[Parameter, ...]:
    return tuple((octets.number(4), octets.take(octets.number(1))) for _ in range(octets.number(1)))


@dataclass(frozen=True, slots=True)
class SetParameters:
    """0x8103: pairs of parameter number and value."""

    number: ClassVar[int] = 0x8103
    parameters: tuple[Parameter, ...]

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return _write_parameters(self.parameters)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(_read_parameters(octets))


@dataclass(frozen=True, slots=True)
class AskSomeParameters:
    """0x8106: the parameters with these numbers, please."""

    number: ClassVar[int] = 0x8106
    numbers: tuple[int, ...]

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return bytes([len(self.numbers)]) + b"".join(number.to_bytes(4) for number in self.numbers)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(tuple(octets.number(4) for _ in range(octets.number(1))))


@dataclass(frozen=True, slots=True)
class Parameters:
    """0x0104: the answer to both queries, with the query's serial number."""

    number: ClassVar[int] = 0x0104
    serial: int
    parameters: tuple[Parameter, ...]

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return self.serial.to_bytes(2) + _write_parameters(self.parameters)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(2), _read_parameters(octets))


@dataclass(frozen=True, slots=True)
class TerminalControl:
    """0x8105: a command word and its text parameters.

    2011 and 2013: 1 upgrade, 2 connect to another server, 3 off, 4 reset, 5 factory settings, 6 close the data link,
    7 close all radio; 2019 keeps 2, 4 and 5. Vendors use others, such as 0x64 and 0x65 (cut and restore).
    """

    number: ClassVar[int] = 0x8105
    word: int
    parameters: tuple[str, ...] = ()

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return bytes([self.word]) + free_bytes(";".join(self.parameters))

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        word, text = octets.number(1), free_text(octets.rest())
        return cls(word, tuple(text.split(";")) if text else ())


@dataclass(frozen=True, slots=True)
class VehicleControl:
    """0x8500: 2011 and 2013 have one octet of `flags` (bit 0: 0 unlock, 1 lock), 2019 has `controls`.

    The standard contradicts itself on whether a count precedes the controls of 2019, and both are met; `counted` says
    which. Each control is a number and one octet, as for the door; 0xF001 and up are a vendor's.
    """

    number: ClassVar[int] = 0x8500
    flags: int = 0
    controls: tuple[tuple[int, int], ...] = ()
    counted: bool = True

    def write(self, edition: Edition) -> bytes:
        """The body's octets."""
        if edition is not Edition.Y2019:
            return bytes([self.flags])
        items = b"".join(number.to_bytes(2) + bytes([value]) for number, value in self.controls)
        return len(self.controls).to_bytes(2) + items if self.counted else items

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The body from its octets."""
        if edition is not Edition.Y2019:
            return cls(flags=octets.number(1))
        if octets.left == 3:
            return cls(controls=((octets.number(2), octets.number(1)),), counted=False)
        count = octets.number(2)
        if octets.left != 3 * count:
            raise ContradictionError(f"{count} controls in {octets.left} octets")
        return cls(controls=tuple((octets.number(2), octets.number(1)) for _ in range(count)))


@dataclass(frozen=True, slots=True)
class Text:
    """0x8300: a text and where it goes by its flag bits; 2019 adds its `kind` (1 notice, 2 service)."""

    number: ClassVar[int] = 0x8300
    flags: int
    text: str
    kind: int = 1

    def write(self, edition: Edition) -> bytes:
        """The body's octets."""
        kind = bytes([self.kind]) if edition is Edition.Y2019 else b""
        return bytes([self.flags]) + kind + free_bytes(self.text)

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The body from its octets."""
        flags = octets.number(1)
        kind = octets.number(1) if edition is Edition.Y2019 else 1
        return cls(flags, free_text(octets.rest()), kind)


@dataclass(frozen=True, slots=True)
class Through:
    """Octets passed through: 00 GNSS, 0B IC card, 41 and 42 serial ports, F0-FF a vendor's."""

    number: ClassVar[int]
    kind: int
    data: bytes

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return bytes([self.kind]) + self.data

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(1), octets.rest())


class ThroughDown(Through):
    """0x8900."""

    __slots__ = ()
    number: ClassVar[int] = 0x8900


class ThroughUp(Through):
    """0x0900."""

    __slots__ = ()
    number: ClassVar[int] = 0x0900


@dataclass(frozen=True, slots=True)
class Upgrade:
    """0x8108: an upgrade package; `kind` 0 is the terminal, 12 the card reader, 52 the positioning module."""

    number: ClassVar[int] = 0x8108
    kind: int
    maker: str
    version: str
    package: bytes

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        named = bytes([self.kind]) + fixed(self.maker, _MAKER) + counted(free_bytes(self.version))
        return named + counted(self.package, 4)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        kind, maker = octets.number(1), octets.text(_MAKER)
        return cls(kind, maker, free_text(octets.take(octets.number(1))), octets.take(octets.number(4)))


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """0x0108: 0 done, 1 failed, 2 cancelled."""

    number: ClassVar[int] = 0x0108
    kind: int
    result: int

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return bytes([self.kind, self.result])

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(1), octets.number(1))


@dataclass(frozen=True, slots=True)
class TaxiControl:
    """JT/T 905 0x8500: item 0 fuel, 1 circuit, 2 doors, 3 vehicle lock, and a command of 0 or 1."""

    number: ClassVar[int] = 0x8500
    item: int
    command: int

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return bytes([self.item, self.command])

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(1), octets.number(1))
