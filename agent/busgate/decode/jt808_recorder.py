"""The driving recorder behind a terminal: 0x8700, 0x8701, 0x0700 and their blocks (JT/T 808-2019, 8.43-8.45; GB/T 19056-2012, A.4).

A block is `AA 75` or `55 7A`, command, length WORD, a reserved octet, data, and the exclusive or of all before. Command
82H to 84H and C2H to C4H write: vehicle, time, signal names, install time, pulse coefficient, mileage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_frame import checksum
from busgate.decode.jt808_layout import (
    Reading,
    byte,
    date,
    digits,
    dword,
    fill,
    many,
    one,
    read_body,
    rest_text,
    text,
    time,
    word,
)
from busgate.decode.jt808_message import Message, Table
from busgate.decode.jt808_octets import Octets, ShortError

COMMANDS = {
    0x00: "standard version",
    0x01: "driver",
    0x02: "real time",
    0x03: "mileage",
    0x04: "pulse coefficient",
    0x05: "vehicle",
    0x06: "status signals",
    0x07: "recorder identity",
    0x08: "driving speed records",
    0x09: "position records",
    0x10: "accident records",
    0x11: "overtime driving records",
    0x12: "driver records",
    0x13: "power supply records",
    0x14: "parameter change records",
    0x15: "speed status log",
    0x82: "set vehicle",
    0x83: "set initial install date",
    0x84: "set status signals",
    0xC2: "set real time",
    0xC3: "set pulse coefficient",
    0xC4: "set initial mileage",
    0xFA: "collection failed",
    0xFB: "setting failed",
}
WRITES = frozenset({0x82, 0x83, 0x84, 0xC2, 0xC3, 0xC4})


@dataclass(frozen=True, slots=True)
class StandardVersion:
    """00H: year of the standard, and number of its amendment."""

    standard_year: str = digits(1)
    modify_number: int = byte()


@dataclass(frozen=True, slots=True)
class DriverLicence:
    """01H."""

    driver_license_no: str = text(18)


@dataclass(frozen=True, slots=True)
class RealTime:
    """02H, 83H and C2H."""

    real_time: str = time()


@dataclass(frozen=True, slots=True)
class Mileage:
    """03H and C4H: mileages in BCD, 0.1 km."""

    real_time: str = time()
    first_install_time: str = time()
    first_mileage: str = digits(4)
    total_mileage: str = digits(4)


@dataclass(frozen=True, slots=True)
class Pulse:
    """04H and C3H: pulses for each kilometre."""

    real_time: str = time()
    pulse_coefficient: int = word()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """05H and 82H."""

    vin: str = text(17)
    vehicle_no: str = text(12)
    vehicle_type: str = rest_text()


@dataclass(frozen=True, slots=True)
class Signals:
    """06H and 84H: the signals' state and the name of each bit, D0 first."""

    real_time: str = time()
    signal_operate: int = byte()
    d0: str = text(10)
    d1: str = text(10)
    d2: str = text(10)
    near_light: str = text(10)
    far_light: str = text(10)
    right_turn: str = text(10)
    left_turn: str = text(10)
    brake: str = text(10)


@dataclass(frozen=True, slots=True)
class Identity:
    """07H."""

    ccc_code: str = text(7)
    product_model: str = text(16)
    production_date: str = date(3)
    flow_number: str = text(4)
    reserved: str = text(5)


@dataclass(frozen=True, slots=True)
class SpeedSecond:
    """One second: km/h and the signals' state; FF where nothing was recorded."""

    speed: int = byte()
    signals: int = byte()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in 1e-4 minutes, altitude in m."""

    longitude: int = dword()
    latitude: int = dword()
    altitude: int = word()


@dataclass(frozen=True, slots=True)
class SpeedMinute:
    """08H: a minute of driving."""

    start_time: str = time()
    seconds: tuple[SpeedSecond, ...] = many(SpeedSecond, 60)


@dataclass(frozen=True, slots=True)
class PlaceMinute:
    """Where and how fast it was in one minute; FF where nothing was recorded."""

    longitude: int = dword()
    latitude: int = dword()
    altitude: int = word()
    speed: int = byte()


@dataclass(frozen=True, slots=True)
class PlaceHour:
    """09H: an hour of positions."""

    start_time: str = time()
    minutes: tuple[PlaceMinute, ...] = many(PlaceMinute, 60)


@dataclass(frozen=True, slots=True)
class Accident:
    """10H: the 20 s before the vehicle stopped, in steps of 0.2 s, newest first."""

    end_time: str = time()
    driver_license_no: str = text(18)
    states: tuple[SpeedSecond, ...] = many(SpeedSecond, 100)
    place: Place = one(Place)


@dataclass(frozen=True, slots=True)
class Overtime:
    """11H: driving on without a rest."""

    driver_license_no: str = text(18)
    start_time: str = time()
    end_time: str = time()
    start_place: Place = one(Place)
    end_place: Place = one(Place)


@dataclass(frozen=True, slots=True)
class DriverRecord:
    """12H: a driver logs in (1) or out (2)."""

    time: str = time()
    driver_license_no: str = text(18)
    login_type: int = byte()


@dataclass(frozen=True, slots=True)
class EventRecord:
    """13H and 14H: power came (1) or went (2); a parameter was changed, and by which command."""

    event_time: str = time()
    event_type: int = byte()


@dataclass(frozen=True, slots=True)
class ComparedSpeed:
    """Speed by the recorder and by reference, km/h."""

    record_speed: int = byte()
    reference_speed: int = byte()


@dataclass(frozen=True, slots=True)
class SpeedStatus:
    """15H: whether the speed signal was right (1) or not (2) in a minute."""

    speed_status: int = byte()
    start_time: str = time()
    end_time: str = time()
    seconds: tuple[ComparedSpeed, ...] = many(ComparedSpeed, 60)


@dataclass(frozen=True, slots=True)
class Records:
    """Blocks of records, each of the kind that the command says."""

    records: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Down 08H-15H: which records, and how many blocks at most."""

    start_time: str = time()
    end_time: str = time()
    count: int = word()


@dataclass(frozen=True, slots=True)
class RecorderBlock:
    """0x8700, 0x8701, 0x0700: serial (0x0700 only), command, and what its data say (None if they are of no known kind)."""

    response_serial: int | None
    command_word: int
    data: bytes
    content: object | None


_SINGLE: dict[int, type] = {
    0x00: StandardVersion,
    0x01: DriverLicence,
    0x02: RealTime,
    0x03: Mileage,
    0x04: Pulse,
    0x05: Vehicle,
    0x06: Signals,
    0x07: Identity,
    0x82: Vehicle,
    0x83: RealTime,
    0x84: Signals,
    0xC2: RealTime,
    0xC3: Pulse,
    0xC4: Mileage,
}
_REPEATED: dict[int, type] = {
    0x08: SpeedMinute,
    0x09: PlaceHour,
    0x10: Accident,
    0x11: Overtime,
    0x12: DriverRecord,
    0x13: EventRecord,
    0x14: EventRecord,
    0x15: SpeedStatus,
}

_BEGINNINGS = frozenset({b"\xaa\x75", b"\x55\x7a"})


def _data_of(block: bytes, command: int, flaws: list[str]) -> bytes:
    """The data of a block, or all of it if it is none."""
    if block[:2] not in _BEGINNINGS or len(block) < 5:
        if block:
            flaws.append("the recorder block does not begin with aa 75 or 55 7a")
        return block
    if block[2] != command:
        flaws.append(f"the recorder block has command {block[2]:02x}")
    if checksum(block[:-1]) != block[-1]:
        flaws.append(f"the recorder block's checksum is {block[-1]:02x}, should be {checksum(block[:-1]):02x}")
    if block[2] in {0xFA, 0xFB}:
        return b""
    data = block[6:-1]
    if int.from_bytes(block[3:5]) != len(data):
        flaws.append(f"the recorder block says {int.from_bytes(block[3:5])} bytes of data, there are {len(data)}")
    return data


def _content(command: int, data: bytes, edition: int, down: bool) -> Reading | None:
    if command in _REPEATED and down:
        return read_body(Range, data, edition)
    if command in _SINGLE and not (down and command not in WRITES):
        return read_body(_SINGLE[command], data, edition)
    if command not in _REPEATED:
        return None
    records: list[Any] = []
    shown: list[dict[str, Any]] = []
    octets = Octets(data, edition)
    try:
        while octets.left:
            shown.append({})
            records.append(fill(_REPEATED[command], octets, shown[-1]))
    except ShortError:
        return Reading(None, {"records": shown}, ("the recorder's records end early",))
    return Reading(Records(tuple(records)), {"records": shown})


def _recorder(body: bytes, edition: int, *, down: bool) -> Reading:
    at = 0 if down else 2
    if len(body) <= at:
        return Reading(None, {"extra": body.hex()}, (f"the body has {len(body)} bytes and ends early",))
    command, flaws = body[at], list[str]()
    shown: dict[str, Any] = {} if down else {"response_serial": int.from_bytes(body[:2])}
    block = body[at + 1 :]
    data = _data_of(block, command, flaws)
    shown |= {"command_word": command, "command_word_name": COMMANDS.get(command) or f"reserved ({command})"}
    shown |= {"writes": command in WRITES, "data": data.hex()}
    if block[2:3] in {b"\xfa", b"\xfb"}:
        shown["error"] = COMMANDS[block[2]]
    content = _content(command, data, edition, down) if data else None
    if content is not None:
        shown["content"] = content.fields
        flaws += content.flaws
    serial = shown.get("response_serial")
    return Reading(RecorderBlock(serial, command, data, content and content.body), shown, tuple(flaws))


def _up(body: bytes, edition: int, _certain: bool) -> Reading:
    return _recorder(body, edition, down=False)


def _down(body: bytes, edition: int, _certain: bool) -> Reading:
    return _recorder(body, edition, down=True)


RECORDER: Table = {
    0x0700: Message("driving recorder data upload", _up),
    0x8700: Message("driving recorder data collection command", _down),
    0x8701: Message("driving recorder parameter setting command", _down),
}
