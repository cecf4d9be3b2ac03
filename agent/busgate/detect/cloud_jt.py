"""What a JT/T 808 or JT/T 1078 message towards the T-box asks for.

Law: a number that no table has is `unknown`; where editions contradict each other, every reading is told and none is
taken for sure. A part of a split message is judged by its number, and where that says too little it is `unknown`: what
it asks for is told of the whole. Numbers: JT/T 808-2011, -2013 and -2019, clause 8; JT/T 1078-2016, clause 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from busgate.detect.cloud_jt_vehicle import oil_control, vehicle_control
from busgate.detect.wanted import (
    CARRIED,
    COMMAND,
    PACKAGE,
    RESET,
    SETTINGS,
    UNKNOWN,
    UPDATE,
    Wanted,
    arguments,
    number,
    reading,
    service,
    setting,
    several,
    unknown,
    watching,
)
from busgate.detect.words import commanded
from busgate.model import Act, Argument, Pdu, Subsystem

Fields = Mapping[str, Any]
Reader = Callable[[Fields], Iterator[Wanted]]
_DRIVE, _TBOX, _UNKNOWN = Subsystem.DRIVE, Subsystem.TELEMATICS, Subsystem.UNKNOWN

# Seen in public platform code; what a vendor's word means elsewhere nobody knows.
VENDOR_WORDS: Mapping[int, tuple[str, Subsystem, Act, str]] = {
    0x64: ("cut drive", _DRIVE, Act.STOP, COMMAND),
    0x65: ("restore drive", _DRIVE, Act.ENABLE, COMMAND),
    0xF0: ("cut drive", _DRIVE, Act.STOP, COMMAND),
    0xF1: ("restore drive", _DRIVE, Act.ENABLE, COMMAND),
}

# JT/T 808-2013, 8.18; 2019 keeps 2, 4 and 5.
WORDS: Mapping[int, tuple[str, Subsystem, Act, str]] = {
    1: ("wireless upgrade", _TBOX, Act.FLASH, UPDATE),
    2: ("connect to another server", _TBOX, Act.SET, SETTINGS),
    3: ("power off", _TBOX, Act.STOP, RESET),
    4: ("reset", _TBOX, Act.RESET, RESET),
    5: ("factory settings", _TBOX, Act.RESET, RESET),
    6: ("close data connection", _TBOX, Act.SILENCE, RESET),
    7: ("close all radio", _TBOX, Act.SILENCE, RESET),
    **VENDOR_WORDS,
}
_SPEED_LIMITS = {0x0055: "maximum speed", 0x0056: "overspeed duration", 0x005B: "overspeed warning difference"}
_SERVERS = range(0x0010, 0x002A)
_TELEPHONES = range(0x0040, 0x004A)
_CAN_COLLECTION = range(0x0100, 0x0200)
_FIRST_VENDOR_PARAMETER = 0xF000
_NAMELESS = frozenset({"reserved", "vendor"})
"""How the decoder calls parameters that no table has."""

_SERVICES = {
    0x8001: "general response",
    0x8003: "request to send parts again",
    0x8004: "server time",
    0x4401: "short general response",
    0x8100: "registration response",
    0x8109: "time synchronisation response",
    0x8301: "event setting",
    0x8302: "question",
    0x8303: "information menu",
    0x8304: "information service",
    0x8800: "multimedia upload response",
    0x9105: "video transfer status",
    0x9212: "file upload completion response",
}
_READS = {
    0x8104: "query parameters",
    0x8106: "query some parameters",
    0x8107: "query attributes",
    0x8201: "query position",
    0x8202: "track position",
    0x8204: "check link",
    0x8608: "query areas and routes",
    0x8702: "report driver identity",
    0x8802: "search stored media",
    0x9003: "query audio and video attributes",
    0x9205: "query recordings",
}
_SETTINGS = {
    0x8203: "acknowledge alarm by hand",
    0x8401: "set telephone book",
    0x8600: "set circular area",
    0x8601: "delete circular area",
    0x8602: "set rectangular area",
    0x8603: "delete rectangular area",
    0x8604: "set polygon area",
    0x8605: "delete polygon area",
    0x8606: "set route",
    0x8607: "delete route",
    0x8A00: "platform RSA key",
}
_WATCHING = {
    0x8801: "take pictures",
    0x8803: "upload stored media",
    0x8804: "record sound",
    0x8805: "upload one stored medium",
    0x9101: "live audio and video",
    0x9102: "control live audio and video",
    0x9201: "play recordings back",
    0x9202: "control playback",
    0x9206: "upload recordings",
    0x9207: "control upload",
    0x9208: "upload alarm evidence",
    0x9301: "turn camera",
    0x9302: "focus camera",
    0x9303: "camera aperture",
    0x9304: "camera wiper",
    0x9305: "camera infrared light",
    0x9306: "camera zoom",
}


def asked(pdu: Pdu) -> tuple[Wanted, ...]:
    """What a message of JT/T 808 or 1078 asks for; never nothing."""
    if pdu.code is None:
        return (unknown(pdu.name, arguments(pdu.fields, "doubt", "phone", "body_hex")),)
    code = pdu.code
    return unreadable(pdu) or specially(pdu, SPECIAL.get(code)) or (plainly(code, pdu.fields),)


def doubtful(pdu: Pdu) -> tuple[Pdu, ...]:
    """What else a message may be, where its receiver may read it otherwise: one without number and content.

    So no rule about what it seems to be lets it pass.
    """
    if not pdu.fields.get("doubt"):
        return ()
    fields = {name: pdu.fields[name] for name in ("doubt", "phone", "body_hex") if name in pdu.fields}
    return (replace(pdu, name=f"doubtful {pdu.name}", code=None, fields=fields, body=None),)


def unreadable(pdu: Pdu) -> tuple[Wanted, ...]:
    """What is said of a message that only those can read who have the key; nothing for all others."""
    code = -1 if pdu.code is None else pdu.code
    if pdu.fields.get("encrypted") is not True:
        return ()
    return (unknown(f"encrypted message 0x{code:04X}", arguments(pdu.fields, "encryption")),)


def specially(pdu: Pdu, reader: Reader | None) -> tuple[Wanted, ...]:
    """What a message asks for whose content says it; nothing where its number does (`reader` None)."""
    if reader is None:
        return ()
    if _is_part(pdu.fields) and reader not in _BY_NUMBER:
        return (unknown(f"part of {pdu.name}", arguments(pdu.fields, "part", "parts")),)
    return tuple(reader(pdu.fields)) or (unknown(f"{pdu.name} without content", arguments(pdu.fields, "body_hex")),)


def plainly(code: int, fields: Fields) -> Wanted:
    """What a message asks for by its number alone."""
    if code in _SERVICES:
        if fields.get("extra"):
            return unknown(f"{_SERVICES[code]} with more than it has", arguments(fields, "extra"))
        return service(_SERVICES[code])
    if code in _READS:
        return reading(_READS[code])
    if code in _SETTINGS:
        return setting(_SETTINGS[code])
    if code in _WATCHING:
        return watching(_WATCHING[code], arguments(fields, "channel_id", "logical_channel_no"))
    return unknown(f"message 0x{code:04X}", arguments(fields, "body_hex"))


def _is_part(fields: Fields) -> bool:
    parts, part = number(fields.get("parts")), number(fields.get("part"))
    return parts is not None and parts > 1 and bool(part)


# ---------------------------------------------------------------- messages that hold several things


def _control_word(fields: Fields) -> Iterator[Wanted]:
    word = number(fields.get("command_word"))
    if word is None:
        return
    said = {"command_word": Argument(word)} | arguments(fields, "command_parameter")
    named = fields.get("named_parameters")
    if isinstance(named, Mapping):
        said |= arguments(named, "url", "address", "tcp_port", "firmware_version")
    name, subsystem, act, rule = WORDS.get(word, (f"word 0x{word:02X}", _UNKNOWN, Act.SET, UNKNOWN))
    yield Wanted(f"terminal control: {name}", subsystem, act, rule, said)


def parameters(fields: Fields) -> Iterator[Wanted]:
    """0x8103."""
    for each in several(fields.get("parameters")):
        place = number(each.get("id"))
        if place is None:
            continue
        said = {"parameter": Argument(f"0x{place:04X}")} | arguments(each, "value", "name", "unit")
        if place in _SPEED_LIMITS:
            yield Wanted(f"set parameter: {_SPEED_LIMITS[place]}", _DRIVE, Act.LIMIT, COMMAND, said)
        elif place >= _FIRST_VENDOR_PARAMETER or each.get("name") in _NAMELESS:
            yield unknown(f"set parameter 0x{place:04X} of the vendor", said)
        elif place in _SERVERS:
            yield setting("set parameter: server or network", said)
        elif place in _TELEPHONES:
            yield setting("set parameter: telephone numbers", said)
        elif place in _CAN_COLLECTION:
            yield setting("set parameter: CAN collection", said)
        else:
            yield setting("set parameter: other", said)
    if fields.get("extra"):
        yield unknown("set parameters that cannot be read", arguments(fields, "extra"))


def _upgrade(fields: Fields) -> Iterator[Wanted]:
    said = arguments(fields, "upgrade_type", "upgrade_type_name", "maker_id", "version", "data_length")
    yield Wanted(PACKAGE, _TBOX, Act.FLASH, UPDATE, said)


def transparent(fields: Fields) -> Iterator[Wanted]:
    """0x8900."""
    kind = number(fields.get("transparent_type"))
    where = "" if kind is None else f" 0x{kind:02X}"
    harmless = kind in {0x00, 0x0B}  # GNSS module, IC card reader (table 93 of 2013)
    said = arguments(fields, "transparent_type", "data")
    yield Wanted(f"transparent data{where}", _TBOX if harmless else _UNKNOWN, Act.SET, CARRIED, said)


def text(fields: Fields) -> Iterator[Wanted]:
    """0x8300."""
    written = fields.get("text")
    found = commanded(written) if isinstance(written, str) else unknown("text that cannot be read")
    yield service("text for the driver") if found is None else found


def call_back(fields: Fields) -> Iterator[Wanted]:
    """0x8400: 0 is an ordinary call, 1 listens in."""
    quiet = number(fields.get("flag")) != 0
    yield watching("call back and listen in", arguments(fields, "phone_number")) if quiet else service("call back")


def _recorder(fields: Fields) -> Iterator[Wanted]:
    """0x8701, and 0x8700 with a command that writes."""
    said = arguments(fields, "command_word", "command_word_name")
    yield Wanted("write recorder parameters", _TBOX, Act.WRITE, SETTINGS, said)


def _collection(fields: Fields) -> Iterator[Wanted]:
    """0x8700."""
    if fields.get("writes") is True:
        yield from _recorder(fields)
    else:
        yield reading("collect recorder data", arguments(fields, "command_word", "command_word_name"))


SPECIAL: Mapping[int, Reader] = {
    0x8103: parameters,
    0x8105: _control_word,
    0x8108: _upgrade,
    0x8300: text,
    0x8400: call_back,
    0x8500: vehicle_control,
    0x8700: _collection,
    0x8701: _recorder,
    0x8900: transparent,
    0xA006: oil_control,
}

_BY_NUMBER: frozenset[Reader] = frozenset({_upgrade, _recorder, transparent})
"""What even a part of the message is known to ask for."""
