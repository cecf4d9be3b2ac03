"""Additional location items of vendors and of T/JSATL 12-2017 (active safety), as public libraries read them.

Coordinates are in 1e-6 degree, altitudes in m, speeds in km/h, times of GMT+8. An alarm's identification is what
0x9208 and 0x1210 ask its attachments by; its terminal id has 7 octets, in the form of 2019 30.
"""

# ruff: noqa: RUF009 - what stands as a field's default says how it is cut
from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import byte, dword, many, number, one, raw, text, time, word

WARNING_STATES = {0: "not available", 1: "start", 2: "end"}


@dataclass(frozen=True, slots=True)
class AlarmIdentification:
    """Which alarm: terminal, time, number of the alarm in that second, and how many files belong to it."""

    terminal_id: str = text({2011: 7, 2013: 7, 2019: 30})
    time: str = time()
    sequence_no: int = byte()
    attachment_total: int = byte()
    reserved: int = number({2011: 1, 2013: 1, 2019: 2})


@dataclass(frozen=True, slots=True)
class DriverAssistanceAlarm:
    """0x64: forward collision, lane departure and the like. Distance in 100 ms, front speed and speed in km/h."""

    alarm_id: int = dword()
    state: int = byte(names=WARNING_STATES)
    alarm_type: int = byte()
    level: int = byte()
    front_speed: int = byte()
    front_distance: int = byte()
    deviation_type: int = byte()
    road_sign_type: int = byte()
    road_sign_value: int = byte()
    speed: int = byte()
    altitude: int = word()
    latitude: int = dword()
    longitude: int = dword()
    time: str = time()
    vehicle_status: int = word()
    identification: AlarmIdentification = one(AlarmIdentification)


@dataclass(frozen=True, slots=True)
class DriverStateAlarm:
    """0x65: fatigue (degree 1-10), telephone, smoking, distraction."""

    alarm_id: int = dword()
    state: int = byte(names=WARNING_STATES)
    alarm_type: int = byte()
    level: int = byte()
    fatigue_degree: int = byte()
    reserved: int = dword()
    speed: int = byte()
    altitude: int = word()
    latitude: int = dword()
    longitude: int = dword()
    time: str = time()
    vehicle_status: int = word()
    identification: AlarmIdentification = one(AlarmIdentification)


@dataclass(frozen=True, slots=True)
class Tyre:
    """One tyre with an alarm: kPa, degree Celsius, per cent of battery."""

    position: int = byte()
    alarm_type: int = word()
    pressure: int = word()
    temperature: int = number(2, signed=True)
    battery: int = word()


@dataclass(frozen=True, slots=True)
class TyreAlarm:
    """0x66: pressure or temperature of tyres."""

    alarm_id: int = dword()
    state: int = byte(names=WARNING_STATES)
    speed: int = byte()
    altitude: int = word()
    latitude: int = dword()
    longitude: int = dword()
    time: str = time()
    vehicle_status: int = word()
    identification: AlarmIdentification = one(AlarmIdentification)
    total: int | None = byte(optional=True)
    tyres: tuple[Tyre, ...] | None = many(Tyre, "total", when=lambda seen: seen["total"] is not None)


@dataclass(frozen=True, slots=True)
class BlindSpotAlarm:
    """0x67: something in the blind spot."""

    alarm_id: int = dword()
    state: int = byte(names=WARNING_STATES)
    alarm_type: int = byte()
    speed: int = byte()
    altitude: int = word()
    latitude: int = dword()
    longitude: int = dword()
    time: str = time()
    vehicle_status: int = word()
    identification: AlarmIdentification = one(AlarmIdentification)


@dataclass(frozen=True, slots=True)
class Satellite:
    """One satellite in view, as transmitted."""

    state: bytes = raw(4)


@dataclass(frozen=True, slots=True)
class Satellites:
    """0x07 of one maker: satellites in view, system by system."""

    beidou_total: int = byte()
    beidou: tuple[Satellite, ...] = many(Satellite, "beidou_total")
    gps_total: int = byte()
    gps: tuple[Satellite, ...] = many(Satellite, "gps_total")
    glonass_total: int = byte()
    glonass: tuple[Satellite, ...] = many(Satellite, "glonass_total")
    galileo_total: int = byte()
    galileo: tuple[Satellite, ...] = many(Satellite, "galileo_total")


@dataclass(frozen=True, slots=True)
class Temperatures:
    """0x51 of one maker: temperatures as transmitted, sensor by sensor."""

    temperatures: tuple[int, ...] = many(2)


@dataclass(frozen=True, slots=True)
class Humidities:
    """0x58 of one maker: humidities in 0.1 per cent, sensor by sensor."""

    humidities: tuple[int, ...] = many(2)


@dataclass(frozen=True, slots=True)
class BaseStation:
    """A base station heard, with its signal strength as transmitted."""

    mcc: int = word()
    mnc: int = byte()
    lac: int = word()
    ci: int = dword()
    signal_strength: int = byte()


@dataclass(frozen=True, slots=True)
class BaseStations:
    """0x53 of one maker."""

    total: int = byte()
    base_stations: tuple[BaseStation, ...] = many(BaseStation, "total")


@dataclass(frozen=True, slots=True)
class WifiStation:
    """A Wi-Fi station heard: its MAC address in hexadecimal, its signal strength as transmitted."""

    wifi_mac: bytes = raw(6)
    signal_strength: int = byte()


@dataclass(frozen=True, slots=True)
class WifiStations:
    """0x54 of one maker."""

    total: int = byte()
    wifi_stations: tuple[WifiStation, ...] = many(WifiStation, "total")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the network named before it."""

    lac: int = word()
    ci: int = dword()


@dataclass(frozen=True, slots=True)
class CellularStations:
    """0xE1 of one maker."""

    mcc: int = word()
    mnc: int = word()
    base_stations: tuple[Cell, ...] = many(Cell)


@dataclass(frozen=True, slots=True)
class VendorBattery:
    """0xFB of one maker: charge in per cent, voltage as transmitted, status."""

    power_percent: int = byte()
    power: int = word()
    status: int = byte()
