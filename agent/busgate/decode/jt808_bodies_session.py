"""How a terminal and its platform meet and answer: 0x0001-0x0005, 0x01xx, 0x80xx (JT/T 808, clause 8)."""

from __future__ import annotations

from dataclasses import dataclass

from busgate.decode.jt808_layout import (
    Reading,
    byte,
    counted_text,
    many,
    number,
    read_body,
    rest_text,
    text,
    time,
    word,
)
from busgate.decode.jt808_message import Message, Table, before_2013, empty, first_fit, plain

RESULTS = {0: "success", 1: "failure", 2: "message is wrong", 3: "not supported", 4: "alarm processing confirmed"}
REGISTRATION_RESULTS = {
    0: "success",
    1: "vehicle is registered already",
    2: "vehicle is not in the database",
    3: "terminal is registered already",
    4: "terminal is not in the database",
}
PLATE_COLOURS = {
    0: "no plate",
    1: "blue",
    2: "yellow",
    3: "black",
    4: "white",
    5: "green",
    9: "other",
    91: "farm yellow",
    92: "farm green",
    93: "yellow and green",
    94: "shaded green",
}


@dataclass(frozen=True, slots=True)
class TerminalGeneralResponse:
    """0x0001: serial and id of the platform's message, and what became of it."""

    response_serial: int = word()
    response_id: int = word()
    result: int = byte(names=RESULTS)


@dataclass(frozen=True, slots=True)
class PlatformGeneralResponse:
    """0x8001: serial and id of the terminal's message, and what became of it."""

    response_serial: int = word()
    response_id: int = word()
    result: int = byte(names=RESULTS)


@dataclass(frozen=True, slots=True)
class SupplementaryRequest:
    """0x8003 and 0x0005: parts to send again; `total` is a BYTE until 2013."""

    original_serial: int = word()
    total: int = byte()
    packet_ids: tuple[int, ...] = many(2, "total")


@dataclass(frozen=True, slots=True)
class SupplementaryRequestWide:
    """0x8003 and 0x0005 in 2019: `total` is a WORD."""

    original_serial: int = word()
    total: int = word()
    packet_ids: tuple[int, ...] = many(2, "total")


@dataclass(frozen=True, slots=True)
class ServerTime:
    """0x8004: the platform's time."""

    time: str = time()


@dataclass(frozen=True, slots=True)
class ServerTimeBinary:
    """0x8004 as some platforms send it: binary fields, the year a WORD."""

    year: int = word()
    month: int = byte()
    day: int = byte()
    hour: int = byte()
    minute: int = byte()
    second: int = byte()


@dataclass(frozen=True, slots=True)
class Registration:
    """0x0100: province and city by GB/T 2260, maker, model, terminal id, plate (the VIN where colour is 0)."""

    province_id: int = word()
    city_id: int = word()
    maker_id: str = text({2011: 5, 2013: 5, 2019: 11})
    terminal_model: str = text({2011: 8, 2013: 20, 2019: 30})
    terminal_id: str = text({2011: 7, 2013: 7, 2019: 30})
    plate_color: int = byte(names=PLATE_COLOURS)
    plate_no: str = rest_text()


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """0x8100: the authentication code is there after a success."""

    response_serial: int = word()
    result: int = byte(names=REGISTRATION_RESULTS)
    authentication_code: str | None = rest_text(optional=True)


@dataclass(frozen=True, slots=True)
class Authentication:
    """0x0102 until 2013: the code alone."""

    authentication_code: str = rest_text()


@dataclass(frozen=True, slots=True)
class Authentication2019:
    """0x0102 in 2019: code, IMEI, software version in 20 octets."""

    authentication_code: str = counted_text()
    imei: str = text(15)
    software_version: str = text(20)


@dataclass(frozen=True, slots=True)
class Authentication2019Counted:
    """0x0102 in 2019 as some terminals send it: the software version after its length."""

    authentication_code: str = counted_text()
    imei: str = text(15)
    software_version: str = counted_text()


@dataclass(frozen=True, slots=True)
class TimeSyncResponse:
    """0x8109 of one vendor family: UTC in binary, the year a WORD."""

    year: int = word()
    month: int = byte()
    day: int = byte()
    hour: int = byte()
    minute: int = byte()
    second: int = byte()


@dataclass(frozen=True, slots=True)
class ShortGeneralResponse:
    """0x4401 of one vendor family: the id of the terminal's message and what became of it."""

    response_id: int = number(2)
    result: int = byte(names=RESULTS)


_NEWER_REGISTRATION = 37
"""The shortest registration of 2013; one with the 8 octets of model of 2011 and an ordinary plate is shorter."""


def _is_older_registration(body: bytes) -> bool:
    if len(body) < _NEWER_REGISTRATION:
        return True
    # Longer ones: where 2013 has the plate's colour there must be a colour, unless there is one only where 2011 has it.
    return body[36] not in PLATE_COLOURS and body[24] in PLATE_COLOURS


def _authentication(body: bytes, edition: int, _certain: bool) -> Reading:
    if edition < 2019:
        return read_body(Authentication, body, edition)
    newer = first_fit(Authentication2019, Authentication2019Counted)(body, edition, _certain)
    if not newer.flaws:
        return newer
    # A header of 2019 with a body of 2013 is met: the code alone, without its length.
    return newer if body[:1] < b" " else read_body(Authentication, body, edition)


_supplementary = first_fit(SupplementaryRequest, SupplementaryRequestWide)

SESSION: Table = {
    0x0001: plain("terminal general response", TerminalGeneralResponse),
    0x0002: empty("terminal heartbeat"),
    0x0003: empty("terminal logout"),
    0x0004: empty("query server time"),
    0x0005: Message("terminal supplementary packet request", _supplementary),
    0x0100: Message("terminal registration", before_2013(Registration, Registration, _is_older_registration)),
    0x0101: empty("terminal logout"),
    0x0102: Message("terminal authentication", _authentication),
    0x0109: empty("time synchronisation request"),
    0x4401: plain("short general response", ShortGeneralResponse),
    0x8001: plain("platform general response", PlatformGeneralResponse),
    0x8003: Message("platform supplementary packet request", _supplementary),
    0x8004: Message("query server time response", first_fit(ServerTime, ServerTimeBinary)),
    0x8100: plain("terminal registration response", RegistrationResponse),
    0x8109: plain("time synchronisation response", TimeSyncResponse),
    0x8204: empty("link detection"),
}
