"""Where the vehicle is and how it is: the location report and what embeds it (JT/T 808-2019, 8.12-8.13 and 8.45).

Law: numbers stand here as on the wire, with their unit in the name; additional items are kept in order, known or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import IntFlag
from typing import ClassVar, Self

from busgate_sim.cloud.jt808 import Edition
from busgate_sim.cloud.octets import Octets, counted

BEIJING = timezone(timedelta(hours=8))
"""GMT+8, the time of both platform protocols."""

MILEAGE = 0x01
"""Additional item: the odometer in 0.1 km, four octets."""

RECORDER_SPEED = 0x03
"""Additional item: the speed by the vehicle's own sensor in 0.1 km/h, two octets."""

SIGNAL_STRENGTH = 0x30
"""Additional item: of the radio network, one octet."""


class Alarm(IntFlag):
    """Bits of the alarm word (table 24)."""

    EMERGENCY = 1 << 0
    OVERSPEED = 1 << 1
    FATIGUE = 1 << 2
    DANGER = 1 << 3
    GNSS_FAULT = 1 << 4
    ANTENNA_OPEN = 1 << 5
    ANTENNA_SHORT = 1 << 6
    SUPPLY_LOW = 1 << 7
    SUPPLY_LOST = 1 << 8
    DISPLAY_FAULT = 1 << 9
    SPEECH_FAULT = 1 << 10
    CAMERA_FAULT = 1 << 11
    AREA = 1 << 20
    ROUTE = 1 << 21
    STOLEN = 1 << 26
    ILLEGAL_IGNITION = 1 << 27
    ILLEGAL_MOVEMENT = 1 << 28
    COLLISION = 1 << 29
    ROLLOVER = 1 << 30


class Status(IntFlag):
    """Bits of the status word (table 25)."""

    ACC = 1 << 0
    POSITIONED = 1 << 1
    SOUTH = 1 << 2
    WEST = 1 << 3
    OUT_OF_SERVICE = 1 << 4
    POSITION_ENCRYPTED = 1 << 5
    FUEL_CUT = 1 << 10
    CIRCUIT_CUT = 1 << 11
    DOORS_LOCKED = 1 << 12
    DOOR_1_OPEN = 1 << 13
    DOOR_2_OPEN = 1 << 14
    DOOR_3_OPEN = 1 << 15
    DOOR_4_OPEN = 1 << 16
    DOOR_5_OPEN = 1 << 17
    BY_GPS = 1 << 18
    BY_BEIDOU = 1 << 19
    BY_GLONASS = 1 << 20
    BY_GALILEO = 1 << 21


@dataclass(frozen=True, slots=True)
class Location:
    """0x0200: `alarm` and `status` as `Alarm` and `Status` (other bits possible), `time` as its 12 BCD digits.

    `items` are the additional items (id, octets); `rest` is what follows and is no item.
    """

    number: ClassVar[int] = 0x0200
    alarm: int
    status: int
    latitude_udeg: int
    longitude_udeg: int
    altitude_m: int
    speed_01kmh: int
    direction_deg: int
    time: str
    items: tuple[tuple[int, bytes], ...] = ()
    rest: bytes = b""

    @property
    def position(self) -> tuple[float, float]:
        """Latitude and longitude in degrees, south and west negative by the status bits."""
        south, west = self.status & Status.SOUTH, self.status & Status.WEST
        latitude, longitude = self.latitude_udeg / 1e6, self.longitude_udeg / 1e6
        return -latitude if south else latitude, -longitude if west else longitude

    @property
    def when(self) -> datetime | None:
        """The time, None if the digits are none."""
        try:
            return datetime.strptime(self.time, "%y%m%d%H%M%S").replace(tzinfo=BEIJING)
        except ValueError:
            return None

    def item(self, number: int) -> int | None:
        """An additional item as a number, None without it."""
        return next((int.from_bytes(data) for known, data in self.items if known == number), None)

    def write(self, _edition: Edition) -> bytes:
        """The body's octets."""
        wide = (self.alarm, self.status, self.latitude_udeg, self.longitude_udeg)
        narrow = (self.altitude_m, self.speed_01kmh, self.direction_deg)
        fixed = b"".join(number.to_bytes(4) for number in wide) + b"".join(number.to_bytes(2) for number in narrow)
        items = b"".join(bytes([number]) + counted(data) for number, data in self.items)
        return fixed + bytes.fromhex(self.time) + items + self.rest

    @classmethod
    def read(cls, octets: Octets, _edition: Edition) -> Self:
        """The body from its octets."""
        alarm, status, latitude, longitude = (octets.number(4) for _ in range(4))
        altitude, speed, direction = (octets.number(2) for _ in range(3))
        time = octets.take(6).hex()
        items, rest = _items(octets.rest())
        return cls(alarm, status, latitude, longitude, altitude, speed, direction, time, items, rest)


def _items(data: bytes) -> tuple[tuple[tuple[int, bytes], ...], bytes]:
    items, at = list[tuple[int, bytes]](), 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        items.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return tuple(items), data[at:]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """0x0500: the location after a vehicle control; its status bits say what became of it."""

    number: ClassVar[int] = 0x0500
    serial: int
    location: Location

    def write(self, edition: Edition) -> bytes:
        """The body's octets."""
        return self.serial.to_bytes(2) + self.location.write(edition)

    @classmethod
    def read(cls, octets: Octets, edition: Edition) -> Self:
        """The body from its octets."""
        return cls(octets.number(2), Location.read(octets, edition))


def stamp(at: int) -> str:
    """A time (ns since 1970) as the BCD digits of these protocols, in GMT+8."""
    return datetime.fromtimestamp(at // 1_000_000_000, BEIJING).strftime("%y%m%d%H%M%S")
