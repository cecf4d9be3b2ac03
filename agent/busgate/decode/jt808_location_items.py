"""Additional items of a location: standard, video (JT/T 1078-2016) and vendors' ones, by their number.

Law: every item keeps its bytes. One whose bytes fit its kind has a value; the others have their bytes as value, under
the standard's name if there is one, "reserved" (0x00-0xDF) or "custom" (0xE0-0xFF) if not. Octets that hold no whole
item more stay behind, where the layout reports them. The same number may come twice; both are shown, in order.

Shown: `id`, `name`, `length`, `value`, `raw`, where the value is scaled `scaled` and `unit`, and `bits` for bit fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from busgate.decode import jt808_octets
from busgate.decode.jt808_layout import Seen, byte, dword, of, read_body, word
from busgate.decode.jt808_location_vendor import (
    BaseStations,
    BlindSpotAlarm,
    CellularStations,
    DriverAssistanceAlarm,
    DriverStateAlarm,
    Humidities,
    Satellites,
    Temperatures,
    TyreAlarm,
    VendorBattery,
    WifiStations,
)
from busgate.decode.jt808_octets import Octets

LOCATION_TYPES = {0: "no specific location", 1: "circle", 2: "rectangle", 3: "polygon", 4: "segment"}
SIGNALS = {
    0: "low beam",
    1: "high beam",
    2: "right turn",
    3: "left turn",
    4: "brake",
    5: "reverse",
    6: "fog light",
    7: "marker light",
    8: "horn",
    9: "air conditioning",
    10: "neutral",
    11: "retarder",
    12: "ABS",
    13: "heater",
    14: "clutch",
}
INPUTS = {0: "deep sleep", 1: "sleep"}
VIDEO_ALARMS = {
    0: "video signal lost",
    1: "video signal covered",
    2: "storage fault",
    3: "other video equipment fault",
    4: "bus overloaded",
    5: "abnormal driving",
    6: "alarm recording storage reached its limit",
}
ABNORMAL_DRIVING = {0: "fatigue", 1: "telephoning", 2: "smoking"}


@dataclass(frozen=True, slots=True)
class LocationItem:
    """One additional item: number, name, value (int, str, a structure of this package, or bytes), and its bytes."""

    id: int
    name: str
    value: object
    raw: bytes


@dataclass(frozen=True, slots=True)
class Overspeed:
    """0x11: where the limit applied; the area or segment if there is a specific one."""

    location_type: int = byte(names=LOCATION_TYPES)
    area_id: int | None = dword(optional=True)


@dataclass(frozen=True, slots=True)
class AreaAlarm:
    """0x12: an area or route was entered or left."""

    location_type: int = byte(names=LOCATION_TYPES)
    area_id: int = dword()
    direction: int = byte(names={0: "entering", 1: "leaving"})


@dataclass(frozen=True, slots=True)
class SegmentAlarm:
    """0x13: segment, driving time in s."""

    segment_id: int = dword()
    driving_time: int = word()
    result: int = byte(names={0: "too short", 1: "too long"})


@dataclass(frozen=True, slots=True)
class AbnormalDriving:
    """0x18: what the driver does, and how tired it looks (0-100)."""

    alarm_type: int = word(bits=("alarms", ABNORMAL_DRIVING))
    fatigue_level: int | None = byte(optional=True)


@dataclass(frozen=True, slots=True)
class Analog:
    """0x2B: analogue inputs, bits 0-15 are AD0 and 16-31 AD1."""

    ad1: int = word()
    ad0: int = word()


class Kind(NamedTuple):
    """How an item is read: "number", "signed", "text", "digits", "bytes", or the class of its structure."""

    name: str
    kind: str | type = "number"
    unit: str = ""
    divisor: int = 1
    bits: dict[int, str] | None = None


_CHANNELS = {bit: f"channel {bit + 1}" for bit in range(32)}
_STORES = {bit: f"main store {bit + 1}" for bit in range(12)} | {
    bit: f"backup store {bit - 11}" for bit in range(12, 16)
}

ITEMS: dict[int, Kind] = {
    0x01: Kind("mileage", unit="km", divisor=10),
    0x02: Kind("oil", unit="L", divisor=10),
    0x03: Kind("recorder_speed", unit="km/h", divisor=10),
    0x04: Kind("alarm_event_id"),
    0x05: Kind("tyre_pressure", "bytes"),
    0x06: Kind("carriage_temperature", "signed", unit="degC"),
    0x11: Kind("overspeed_alarm", Overspeed),
    0x12: Kind("area_or_route_alarm", AreaAlarm),
    0x13: Kind("segment_driving_time_alarm", SegmentAlarm),
    0x14: Kind("video_alarm", bits=VIDEO_ALARMS),
    0x15: Kind("video_signal_lost", bits=_CHANNELS),
    0x16: Kind("video_signal_covered", bits=_CHANNELS),
    0x17: Kind("storage_fault", bits=_STORES),
    0x18: Kind("abnormal_driving", AbnormalDriving),
    0x25: Kind("vehicle_signals", bits=SIGNALS),
    0x2A: Kind("io_status", bits=INPUTS),
    0x2B: Kind("analog", Analog),
    0x30: Kind("signal_strength"),
    0x31: Kind("gnss_satellites"),
    # T/JSATL 12-2017.
    0x64: Kind("adas_alarm", DriverAssistanceAlarm),
    0x65: Kind("dsm_alarm", DriverStateAlarm),
    0x66: Kind("tpms_alarm", TyreAlarm),
    0x67: Kind("bsd_alarm", BlindSpotAlarm),
    # One maker's extension, as a public library asserts it.
    0x07: Kind("vendor_satellites", Satellites),
    0x51: Kind("vendor_temperatures", Temperatures),
    0x52: Kind("vendor_direction"),
    0x53: Kind("vendor_base_stations", BaseStations),
    0x54: Kind("vendor_wifi", WifiStations),
    0x58: Kind("vendor_humidities", Humidities),
    0x61: Kind("vendor_voltage", unit="V", divisor=100),
    0xE1: Kind("vendor_cellular", CellularStations),
    0xE2: Kind("vendor_version", "text"),
    0xF1: Kind("vendor_iccid", "text"),
    0xFA: Kind("vendor_alarm"),
    0xFB: Kind("vendor_battery", VendorBattery),
}

_RESERVED = Kind("reserved", "bytes")
_CUSTOM = Kind("custom", "bytes")


def _carriage_temperature(value: int) -> int:
    """Bit 15 is a sign before a magnitude, not a complement."""
    return -(value & 0x7FFF) if value & 0x8000 else value


def _value(kind: Kind, data: bytes, edition: int) -> tuple[object, Any]:
    if isinstance(kind.kind, type):
        reading = read_body(kind.kind, data, edition)
        return (data, data.hex()) if reading.flaws else (reading.body, reading.fields)
    if kind.kind == "text":
        value = jt808_octets.text(data)
        return value, value
    if kind.kind in {"number", "signed"} and 0 < len(data) <= 8:
        number = int.from_bytes(data)
        number = _carriage_temperature(number) if kind.kind == "signed" else number
        return number, jt808_octets.exact(number)
    return data, data.hex()


def read_item(number: int, kind: Kind, data: bytes, edition: int) -> tuple[LocationItem, dict[str, Any]]:
    """One item from its bytes, and the JSON value that shows it."""
    value, shown = _value(kind, data, edition)
    showing: dict[str, Any] = {"id": number, "name": kind.name, "length": len(data), "value": shown, "raw": data.hex()}
    if isinstance(value, int):
        if kind.divisor != 1:
            showing["scaled"] = value / kind.divisor
        if kind.unit:
            showing["unit"] = kind.unit
        if kind.bits is not None:
            showing["bits"] = [text for bit, text in kind.bits.items() if value >> bit & 1]
    return LocationItem(number, kind.name, value, data), showing


def location_items(table: dict[int, Kind] = ITEMS) -> Any:
    """All whole items to the end of the body, each a number, a length and that many octets."""

    def cut(octets: Octets, _seen: Seen) -> tuple[tuple[LocationItem, ...], list[dict[str, Any]]]:
        values: list[LocationItem] = []
        shown: list[dict[str, Any]] = []
        data = octets.data
        while octets.left >= 2 and octets.left >= 2 + data[octets.at + 1]:
            number = octets.number(1)
            item = octets.take(octets.number(1))
            kind = table.get(number) or (_CUSTOM if number >= 0xE0 else _RESERVED)
            value, showing = read_item(number, kind, item, octets.edition)
            values.append(value)
            shown.append(showing)
        return tuple(values), shown

    return of(cut)
