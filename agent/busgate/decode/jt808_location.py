"""Where a vehicle is and in what state: the location body and the messages with one (JT/T 808, clause 8).

Law: latitude and longitude are shown as transmitted (1e-6 degree, unsigned) and as degrees with the sign that the
status bits give them. Status bits 10 and 11 are the oil and the circuit cut, 12 the doors locked: what a command did.
"""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import Reading, Seen, byte, dword, many, of, one, read_body, time, word
from busgate.decode.jt808_location_items import LocationItem, location_items
from busgate.decode.jt808_message import Table, empty, plain
from busgate.decode.jt808_octets import Octets, ShortError

ALARMS = {
    0: "emergency alarm",
    1: "overspeed",
    2: "fatigue driving",
    3: "danger warning",
    4: "GNSS module fault",
    5: "GNSS antenna cut",
    6: "GNSS antenna short circuit",
    7: "main power undervoltage",
    8: "main power off",
    9: "display fault",
    10: "TTS module fault",
    11: "camera fault",
    12: "IC card module fault",
    13: "overspeed warning",
    14: "fatigue driving warning",
    15: "driving against the rules",
    16: "tyre pressure warning",
    17: "right-turn blind spot",
    18: "daily driving time exceeded",
    19: "parking overtime",
    20: "entering or leaving area",
    21: "entering or leaving route",
    22: "driving time of segment too short or too long",
    23: "off route",
    24: "VSS fault",
    25: "oil abnormal",
    26: "vehicle stolen",
    27: "illegal ignition",
    28: "illegal displacement",
    29: "collision or rollover",
    30: "rollover warning",
    31: "illegal door opening",
}
"""Bits of the alarm flag of 2019; 15 to 17 are reserved before, 31 since."""

STATUS = {
    0: "ACC on",
    1: "positioned",
    2: "south",
    3: "west",
    4: "out of operation",
    5: "coordinates encrypted",
    6: "forward collision warning",
    7: "lane departure warning",
    10: "oil cut",
    11: "circuit cut",
    12: "doors locked",
    13: "front door open",
    14: "middle door open",
    15: "rear door open",
    16: "driver door open",
    17: "other door open",
    18: "GPS used",
    19: "BeiDou used",
    20: "GLONASS used",
    21: "Galileo used",
    22: "vehicle moving",
}
"""Bits of the status; bits 8 and 9 together are `load`."""

LOADS = {0: "empty", 1: "half loaded", 2: "reserved", 3: "full"}

SOUTH = 1 << 2
WEST = 1 << 3


def signed_degrees(value: int, unit: int, *, negative: bool) -> float:
    """A coordinate in degrees; terminals are met that send a signed number instead of setting the status bit."""
    if value >> 31:
        return (value - (1 << 32)) / unit
    return -value / unit if negative else value / unit


def _degrees(coordinate: str, negative: int) -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[float, float]:
        value = signed_degrees(seen[coordinate], 1_000_000, negative=bool(seen["status_flag"] & negative))
        return value, value

    return of(cut)


def _load() -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[str, str]:
        value = LOADS[seen["status_flag"] >> 8 & 3]
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class LocationBasic:
    """The 28 octets that every location has.

    Altitude in m (signed), speed in 0.1 km/h, direction in degrees from north, time of GMT+8.
    """

    alarm_flag: int = dword(bits=("alarms", ALARMS))
    status_flag: int = dword(bits=("status", STATUS))
    latitude: int = dword()
    longitude: int = dword()
    altitude: int = word()
    speed: int = word(scaled=("speed_kmh", 10))
    direction: int = word()
    time: str = time()
    latitude_deg: float = _degrees("latitude", SOUTH)
    longitude_deg: float = _degrees("longitude", WEST)
    load: str = _load()


@dataclass(frozen=True, slots=True)
class Location:
    """0x0200, and the 0x0202 and 0x0203 of some terminals: a location with its additional items."""

    alarm_flag: int = dword(bits=("alarms", ALARMS))
    status_flag: int = dword(bits=("status", STATUS))
    latitude: int = dword()
    longitude: int = dword()
    altitude: int = word()
    speed: int = word(scaled=("speed_kmh", 10))
    direction: int = word()
    time: str = time()
    latitude_deg: float = _degrees("latitude", SOUTH)
    longitude_deg: float = _degrees("longitude", WEST)
    load: str = _load()
    items: tuple[LocationItem, ...] = location_items()


@dataclass(frozen=True, slots=True)
class LocationResponse:
    """0x0201 and 0x0500: serial of the query or command, and the location afterwards."""

    response_serial: int = word()
    location: Location = one(Location)


def _sized_locations() -> Any:
    def cut(octets: Octets, seen: Seen) -> tuple[tuple[Location, ...], list[dict[str, Any]]]:
        values: list[Location] = []
        shown: list[dict[str, Any]] = []
        while len(values) < seen["total"]:
            before = octets.at
            try:
                reading: Reading = read_body(Location, octets.take(octets.number(2)), octets.edition)
            except ShortError as short:
                octets.at = before
                raise ShortError(shown) from short
            shown.append(reading.fields)
            if not isinstance(reading.body, Location):
                raise ShortError(shown)
            values.append(reading.body)
        return tuple(values), shown

    return of(cut)


@dataclass(frozen=True, slots=True)
class LocationBatch:
    """0x0704: locations, each after its length. Type 0 is a batch of now, 1 is what was kept out of coverage."""

    total: int = word()
    batch_type: int = byte(names={0: "normal batch", 1: "blind spot supplement"})
    locations: tuple[Location, ...] = _sized_locations()


@dataclass(frozen=True, slots=True)
class Tracking:
    """0x8202: interval in s (0 stops), and for how long in s."""

    interval: int = word()
    validity: int | None = dword(optional=True)


@dataclass(frozen=True, slots=True)
class AlarmConfirmation:
    """0x8203: serial of the alarm (0: all of that type), and the alarm bits that a person confirms."""

    alarm_serial: int = word()
    alarm_type: int = dword(bits=("alarms", ALARMS))


@dataclass(frozen=True, slots=True)
class Acceleration:
    """One measurement of 0x2070: time, and acceleration on three axes as transmitted (bit 15 is the sign)."""

    time: str = time()
    x: int = word()
    y: int = word()
    z: int = word()


@dataclass(frozen=True, slots=True)
class Accelerations:
    """0x2070 of one vendor family."""

    measurements: tuple[Acceleration, ...] = many(Acceleration)


LOCATIONS: Table = {
    0x0200: plain("location report", Location),
    0x0201: plain("location query response", LocationResponse),
    0x0500: plain("vehicle control response", LocationResponse),
    0x0704: plain("location batch upload", LocationBatch),
    0x2070: plain("acceleration report", Accelerations),
    0x8201: empty("location query"),
    0x8202: plain("temporary location tracking control", Tracking),
    0x8203: plain("manual alarm confirmation", AlarmConfirmation),
}
