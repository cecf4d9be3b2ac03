"""Bodies by which a terminal and its platform get to know each other (JT/T 808-2019, 8.1-8.9, and its older texts).

Law: each body reads and writes the same octets in the edition it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from busgate_sim.cloud.jt808 import Edition
from busgate_sim.cloud.octets import Octets, counted, fixed, free_bytes, free_text

DONE = 0
FAILED = 1
WRONG = 2
UNSUPPORTED = 3

# Octets of maker, model and terminal number in a registration.
_WIDTHS = {Edition.Y2011: (5, 8, 7), Edition.Y2013: (5, 20, 7), Edition.Y2019: (11, 30, 30)}
_IMEI = 15
_SOFTWARE = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message: its serial number, its number, `DONE`, `FAILED`, `WRONG`, `UNSUPPORTED` or more."""

    number: ClassVar[int]
    serial: int
    to: int
    result: int = DONE

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return self.serial.to_bytes(2) + self.to.to_bytes(2) + bytes([self.result])

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(2), octets.number(2), octets.number(1))


class TerminalAnswer(Answer):
    """0x0001."""

    __slots__ = ()
    number: ClassVar[int] = 0x0001


class PlatformAnswer(Answer):
    """0x8001; result 4 confirms an alarm."""

    __slots__ = ()
    number: ClassVar[int] = 0x8001


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """0x0002, without content."""

    number: ClassVar[int] = 0x0002

    def write(self, _edition: Edition) -> bytes:
        """The body's octets: none."""
        return b""

    @classmethod
    def read(cls, _octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls()


class SignOff(Heartbeat):
    """0x0003: the terminal gives up its registration."""

    __slots__ = ()
    number: ClassVar[int] = 0x0003


class AskParameters(Heartbeat):
    """0x8104: all parameters, please."""

    __slots__ = ()
    number: ClassVar[int] = 0x8104


@dataclass(frozen=True, slots=True)
class Registration:
    """0x0100; the plate is the VIN where `plate_colour` is 0."""

    number: ClassVar[int] = 0x0100
    province: int
    city: int
    maker: str
    model: str
    terminal: str
    plate_colour: int
    plate: str

    def write(self, edition: Edition) -> bytes:
        """The body's octets."""
        maker, model, terminal = _WIDTHS[edition]
        place = self.province.to_bytes(2) + self.city.to_bytes(2)
        device = fixed(self.maker, maker) + fixed(self.model, model) + fixed(self.terminal, terminal)
        return place + device + bytes([self.plate_colour]) + free_bytes(self.plate)

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The body from its octets."""
        maker, model, terminal = _WIDTHS[edition]
        return cls(
            octets.number(2),
            octets.number(2),
            octets.text(maker),
            octets.text(model),
            octets.text(terminal),
            octets.number(1),
            free_text(octets.rest()),
        )


@dataclass(frozen=True, slots=True)
class RegistrationAnswer:
    """0x8100: result 0 with the authentication code; 1, 3 vehicle or terminal known already, 2, 4 not known."""

    number: ClassVar[int] = 0x8100
    serial: int
    result: int = DONE
    code: str = ""

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        return self.serial.to_bytes(2) + bytes([self.result]) + free_bytes(self.code)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(2), octets.number(1), free_text(octets.rest()))


@dataclass(frozen=True, slots=True)
class Authentication:
    """0x0102; the older editions have only the code."""

    number: ClassVar[int] = 0x0102
    code: str
    imei: str = ""
    software: str = ""

    def write(self, edition: Edition) -> bytes:
        """The body's octets."""
        if edition is not Edition.Y2019:
            return free_bytes(self.code)
        return counted(free_bytes(self.code)) + fixed(self.imei, _IMEI) + fixed(self.software, _SOFTWARE)

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The body from its octets."""
        if edition is not Edition.Y2019:
            return cls(free_text(octets.rest()))
        code = free_text(octets.take(octets.number(1)))
        return cls(code, octets.text(_IMEI), octets.text(_SOFTWARE))
