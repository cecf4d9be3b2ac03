"""Where a taxi is: the location body of JT/T 905 and the messages that carry one (JT/T 905-2014).

Law: coordinates are 1e-4 minute, unsigned; degrees have the sign of the status bits. Speed is 0.1 km/h, direction in
steps of 2 degrees. Status bits 10 and 11 are the oil and the circuit cut, 12 the doors locked, 13 the vehicle locked.
"""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import Seen, byte, dword, many, of, one, time, word
from busgate.decode.jt808_location import signed_degrees
from busgate.decode.jt808_location_items import ITEMS, Kind, LocationItem, location_items
from busgate.decode.jt808_message import Table, empty, plain
from busgate.decode.jt808_octets import Octets

ALARMS = {
    0: "emergency alarm",
    1: "warning",
    2: "GNSS module fault",
    3: "GNSS antenna cut",
    4: "GNSS antenna short circuit",
    5: "main power undervoltage",
    6: "main power off",
    7: "ISU display fault",
    8: "TTS module fault",
    9: "camera fault",
    10: "taximeter fault",
    11: "evaluator fault",
    12: "LED advertising screen fault",
    13: "LCD screen fault",
    14: "security module fault",
    15: "LED top light fault",
    16: "overspeed",
    17: "continuous driving overtime",
    18: "daily driving time exceeded",
    19: "parking overtime",
    20: "entering or leaving area or route",
    21: "driving time of segment too short or too long",
    22: "driving on forbidden segment",
    23: "VSS fault",
    24: "illegal ignition",
    25: "illegal displacement",
    26: "ISU storage fault",
    27: "recording device fault",
    28: "taximeter clock error",
}
STATUS = {
    0: "not positioned",
    1: "south",
    2: "west",
    3: "out of operation",
    4: "reserved by a passenger",
    5: "vacant to occupied",
    6: "occupied to vacant",
    8: "ACC on",
    9: "occupied",
    10: "oil cut",
    11: "circuit cut",
    12: "doors locked",
    13: "vehicle locked",
    14: "operation limit reached",
}
SOUTH = 1 << 1
WEST = 1 << 2
MINUTES = 600_000
"""How many 1e-4 minutes a degree has."""

_ITEMS: dict[int, Kind] = {
    **{number: ITEMS[number] for number in (0x01, 0x02, 0x11, 0x12, 0x13)},
    0x03: Kind("altitude", "signed", unit="m"),
    0x14: Kind("forbidden_segment_id"),
}


def _degrees(coordinate: str, negative: int) -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[float, float]:
        degrees = signed_degrees(seen[coordinate], MINUTES, negative=bool(seen["status_flag"] & negative))
        value = round(degrees, 7)
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class TaxiLocationBasic:
    """The 25 octets that every location has; time of GMT+8."""

    alarm_flag: int = dword(bits=("alarms", ALARMS))
    status_flag: int = dword(bits=("status", STATUS))
    latitude: int = dword()
    longitude: int = dword()
    speed: int = word(scaled=("speed_kmh", 10))
    direction: int = byte(scaled=("direction_deg", 0.5))
    time: str = time()
    latitude_deg: float = _degrees("latitude", SOUTH)
    longitude_deg: float = _degrees("longitude", WEST)


@dataclass(frozen=True, slots=True)
class TaxiLocation:
    """0x0200 and 0x0202: a location with its additional items."""

    alarm_flag: int = dword(bits=("alarms", ALARMS))
    status_flag: int = dword(bits=("status", STATUS))
    latitude: int = dword()
    longitude: int = dword()
    speed: int = word(scaled=("speed_kmh", 10))
    direction: int = byte(scaled=("direction_deg", 0.5))
    time: str = time()
    latitude_deg: float = _degrees("latitude", SOUTH)
    longitude_deg: float = _degrees("longitude", WEST)
    items: tuple[LocationItem, ...] = location_items(_ITEMS)


@dataclass(frozen=True, slots=True)
class TaxiLocationResponse:
    """0x0201 and 0x0500: serial of the query or command, and the location afterwards."""

    response_serial: int = word()
    location: TaxiLocation = one(TaxiLocation)


@dataclass(frozen=True, slots=True)
class TaxiLocations:
    """0x0203: locations that were kept out of coverage."""

    locations: tuple[TaxiLocationBasic, ...] = many(TaxiLocationBasic)


@dataclass(frozen=True, slots=True)
class TaxiTracking:
    """0x8202: by time (0), distance (1) or both; interval in s or m; for how long in s or m."""

    attribute: int = byte()
    interval: int = word()
    validity: int = dword()


LOCATIONS: Table = {
    0x0200: plain("location report", TaxiLocation),
    0x0201: plain("location query response", TaxiLocationResponse),
    0x0202: plain("location tracking report", TaxiLocation),
    0x0203: plain("location supplement", TaxiLocations),
    0x0500: plain("vehicle control response", TaxiLocationResponse),
    0x8201: empty("location query"),
    0x8202: plain("location tracking control", TaxiTracking),
}
