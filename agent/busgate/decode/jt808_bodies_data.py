"""Drivers, waybills, CAN data, transparent data, compressed data and keys: 0x0701-0x0705, 0x09xx, 0x89xx, 0xxA00.

JT/T 808, clause 8; the peripheral messages of 0x0900 and 0x8900 are of T/JSATL 12-2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_layout import (
    Reading,
    Seen,
    byte,
    counted_text,
    date,
    dword,
    many,
    of,
    raw,
    read_body,
    rest,
    text,
    time,
    word,
)
from busgate.decode.jt808_message import Message, Reader, Table, before_2013, empty, plain
from busgate.decode.jt808_octets import Octets, is_time

TRANSPARENT_TYPES = {
    0x00: "GNSS module detail",
    0x0B: "IC card of road transport certificate",
    0x41: "serial port 1",
    0x42: "serial port 2",
    0xF7: "peripheral status",
    0xF8: "peripheral information",
}
CARD_RESULTS = {
    0: "success",
    1: "card key authentication failed",
    2: "card locked",
    3: "card pulled out",
    4: "data verification failed",
}
PERIPHERALS = {0x64: "ADAS", 0x65: "DSM", 0x66: "TPMS", 0x67: "BSD"}


def _type_name(number: int) -> str:
    return TRANSPARENT_TYPES.get(number) or ("user defined" if number >= 0xF0 else f"reserved ({number})")


def _transparent_type() -> Any:
    return byte(names={number: _type_name(number) for number in range(256)})


@dataclass(frozen=True, slots=True)
class Waybill:
    """0x0701: electronic waybill report."""

    length: int = dword()
    content: bytes = raw("length")


@dataclass(frozen=True, slots=True)
class DriverIdentity:
    """0x0702: the card's state and, after it was read, whose it is and until when it is valid.

    The identity card number is there since 2019; `face_match` (per cent) and `uid` are added by some terminals.
    """

    status: int = byte(names={1: "card inserted", 2: "card pulled out"})
    time: str = time()
    result: int | None = byte(names=CARD_RESULTS, optional=True)
    driver_name: str | None = counted_text(optional=True)
    qualification_code: str | None = text(20, optional=True)
    licence_issuing: str | None = counted_text(optional=True)
    certificate_expiry: str | None = date(optional=True)
    driver_id_card: str | None = text(20, optional=True)
    face_match: int | None = byte(optional=True)
    uid: str | None = text(20, optional=True)


@dataclass(frozen=True, slots=True)
class DriverIdentity2011:
    """0x0702 in 2011."""

    driver_name: str = counted_text()
    driver_id_card: str = text(20)
    qualification_code: str = text(40)
    licence_issuing: str = counted_text()


def _is_driver_of_2011(body: bytes) -> bool:
    return not (body[:1] in {b"\1", b"\2"} and is_time(body[1:7]))


def _can_bits(first: int, count: int) -> Any:
    def cut(_octets: Octets, seen: Seen) -> tuple[int, int]:
        value = seen["can_id"] >> first & ((1 << count) - 1)
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class CanItem:
    """One CAN frame: bit 31 of the id is the channel, 30 says extended, 29 a value computed over the interval."""

    can_id: int = dword()
    channel: int = _can_bits(31, 1)
    extended: int = _can_bits(30, 1)
    collection_way: int = _can_bits(29, 1)
    identifier: int = _can_bits(0, 29)
    data: bytes = raw(8)


def _time_of_day() -> Any:
    """BCD[5] as hh:mm:ss and four digits of milliseconds, of which the first is 0."""

    def cut(octets: Octets, _seen: Seen) -> tuple[str, str]:
        digits = octets.take(5).hex()
        value = f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}.{digits[7:]}" if digits[6] == "0" else digits
        return value, value

    return of(cut)


@dataclass(frozen=True, slots=True)
class CanData:
    """0x0705: time of day of the first frame, and the frames."""

    total: int = word()
    receive_time: str = _time_of_day()
    items: tuple[CanItem, ...] = many(CanItem, "total")


@dataclass(frozen=True, slots=True)
class Transparent:
    """0x0900 and 0x8900: a type, and data of that type as it is."""

    transparent_type: int = _transparent_type()
    data: bytes = rest()


@dataclass(frozen=True, slots=True)
class PeripheralStatus:
    """State of one peripheral: working status 1 normal, 2 standby, 3 upgrading, 4 abnormal, 0x10 not connected."""

    peripheral_id: int = byte(names=PERIPHERALS)
    length: int = byte()
    working_status: int = byte()
    alarm_status: int = dword()


@dataclass(frozen=True, slots=True)
class PeripheralStates:
    """0x0900 of type F7."""

    transparent_type: int = _transparent_type()
    total: int = byte()
    items: tuple[PeripheralStatus, ...] = many(PeripheralStatus, "total")


@dataclass(frozen=True, slots=True)
class PeripheralInformation:
    """What one peripheral is."""

    peripheral_id: int = byte(names=PERIPHERALS)
    length: int = byte()
    company_name: str = counted_text()
    product_model: str = counted_text()
    hardware_version: str = counted_text()
    firmware_version: str = counted_text()
    device_id: str = counted_text()
    user_code: str = counted_text()


@dataclass(frozen=True, slots=True)
class PeripheralInformations:
    """0x0900 of type F8."""

    transparent_type: int = _transparent_type()
    total: int = byte()
    items: tuple[PeripheralInformation, ...] = many(PeripheralInformation, "total")


@dataclass(frozen=True, slots=True)
class PeripheralQuery:
    """0x8900 of types F7 and F8: whose state or information is asked for."""

    transparent_type: int = _transparent_type()
    total: int = byte()
    peripheral_ids: tuple[int, ...] = many(1, "total")


def _structured(kinds: dict[int, type]) -> Reader:
    def read(body: bytes, edition: int, _certain: bool) -> Reading:
        kind = kinds.get(body[0]) if body else None
        if kind is not None and not (found := read_body(kind, body, edition)).flaws:
            return Reading(found.body, {**found.fields, "data": body[1:].hex()})
        return read_body(Transparent, body, edition)

    return read


@dataclass(frozen=True, slots=True)
class Compressed:
    """0x0901: a message compressed by GZIP, as it is."""

    length: int = dword()
    data: bytes = raw("length")


@dataclass(frozen=True, slots=True)
class RsaKey:
    """0x8A00 and 0x0A00: e and n of a public key."""

    e: int = dword()
    n: bytes = raw(128)


@dataclass(frozen=True, slots=True)
class RsaKeyOther:
    """The same with a modulus of another length than 128 octets."""

    e: int = dword()
    n: bytes = rest()


def _key(body: bytes, edition: int, _certain: bool) -> Reading:
    return read_body(RsaKey if len(body) == 132 else RsaKeyOther, body, edition)


DATA: Table = {
    0x0701: plain("electronic waybill report", Waybill),
    0x0702: Message("driver identity report", before_2013(DriverIdentity2011, DriverIdentity, _is_driver_of_2011)),
    0x0705: plain("CAN bus data upload", CanData),
    0x0900: Message(
        "data uplink transparent transmission",
        _structured({0xF7: PeripheralStates, 0xF8: PeripheralInformations}),
    ),
    0x0901: plain("data compression report", Compressed),
    0x0A00: Message("terminal RSA public key", _key),
    0x8702: empty("report driver identity request"),
    0x8900: Message(
        "data downlink transparent transmission",
        _structured({0xF7: PeripheralQuery, 0xF8: PeripheralQuery}),
    ),
    0x8A00: Message("platform RSA public key", _key),
}
