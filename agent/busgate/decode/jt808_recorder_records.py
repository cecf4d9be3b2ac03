"""What the data blocks of a driving recorder hold, command by command (GB/T 19056-2012).

Speeds are km/h and FF where nothing was recorded; times BCD of GMT+8; mileages BCD of 0.1 km.
"""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import byte, date, digits, dword, many, one, rest_text, text, time, word


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


SINGLE: dict[int, type] = {
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
REPEATED: dict[int, type] = {
    0x08: SpeedMinute,
    0x09: PlaceHour,
    0x10: Accident,
    0x11: Overtime,
    0x12: DriverRecord,
    0x13: EventRecord,
    0x14: EventRecord,
    0x15: SpeedStatus,
}
