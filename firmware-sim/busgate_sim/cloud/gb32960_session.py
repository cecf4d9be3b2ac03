"""How vehicle and platform log in and out, and what they answer each other (GB/T 32960.3, 7.1, 7.3-7.6).

Law: each body reads and writes the same octets in the edition it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from busgate_sim.cloud.gb32960 import Edition
from busgate_sim.cloud.octets import ContradictionError, Octets, fixed

_ICCID = 20
_CODE = 24
_USER = 12
_PASSWORD = 20


@dataclass(frozen=True, slots=True)
class Login:
    """Command 01; `codes` name the rechargeable battery systems, 2025 with how many `packs` each of them has.

    `serial` counts the logins of a day. `code_width` is 2016's; 2025 has 24 octets for each code.
    """

    time: bytes
    serial: int
    iccid: str
    codes: tuple[str, ...] = ()
    code_width: int = _CODE
    packs: tuple[int, ...] = ()

    def write(self, edition: Edition) -> bytes:
        """The data's octets."""
        head = self.time + self.serial.to_bytes(2) + fixed(self.iccid, _ICCID)
        codes = b"".join(fixed(code, self.code_width) for code in self.codes)
        if edition is Edition.Y2025:
            return head + bytes([len(self.packs), *self.packs]) + codes
        return head + bytes([len(self.codes), self.code_width]) + codes

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The data from its octets."""
        time, serial, iccid, count = octets.take(6), octets.number(2), octets.text(_ICCID), octets.number(1)
        if edition is Edition.Y2025:
            packs = tuple(octets.take(count))
            return cls(time, serial, iccid, tuple(octets.text(_CODE) for _ in range(sum(packs))), packs=packs)
        width = octets.number(1)
        if not width and count > 1:
            # Codes of no octets are no codes: one such vehicle is met, with a count of 1.
            raise ContradictionError(f"{count} codes of no octets")
        return cls(time, serial, iccid, tuple(octets.text(width) for _ in range(count)), width)


@dataclass(frozen=True, slots=True)
class Logout:
    """Commands 04 and 06: the time and the serial number of the login that ends."""

    time: bytes
    serial: int

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.time + self.serial.to_bytes(2)

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        return cls(octets.take(6), octets.number(2))


@dataclass(frozen=True, slots=True)
class PlatformLogin:
    """Command 05: one platform to another."""

    time: bytes
    serial: int
    user: str
    password: str
    encryption: int = 1

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        named = fixed(self.user, _USER) + fixed(self.password, _PASSWORD)
        return self.time + self.serial.to_bytes(2) + named + bytes([self.encryption])

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        time, serial = octets.take(6), octets.number(2)
        return cls(time, serial, octets.text(_USER), octets.text(_PASSWORD), octets.number(1))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Commands 07 (heartbeat) and 08 (clock): no data."""

    def write(self, _edition: Edition) -> bytes:
        """The data's octets: none."""
        return b""

    @classmethod
    def read(cls, _octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        return cls()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the time (of what is answered, or the platform's for 08), nothing for a heartbeat."""

    time: bytes = b""

    def write(self, _edition: Edition) -> bytes:
        """The data's octets."""
        return self.time

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The data from its octets."""
        return cls(octets.take(6) if octets.left else b"")
