"""What a JT/T 808, JT/T 1078 or JT/T 905 message towards the T-box asks for.

Law: a number that no table has is `unknown`; where editions contradict each other, every reading is told and none is
taken for sure. Numbers: JT/T 808-2011, -2013 and -2019, clause 8; JT/T 1078-2016, clause 5; JT/T 905.2-2014.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from busgate.detect.wanted import (
    CARRIED,
    COMMAND,
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
_DRIVE, _TBOX, _UNKNOWN = Subsystem.DRIVE, Subsystem.TELEMATICS, Subsystem.UNKNOWN

# JT/T 808-2013, 8.18 (2019 keeps 2, 4 and 5); 64, 65, F0 and F1 are vendors', seen in public platform code.
_WORDS: Mapping[int, tuple[str, Subsystem, Act, str]] = {
    1: ("wireless upgrade", _TBOX, Act.FLASH, UPDATE),
    2: ("connect to another server", _TBOX, Act.SET, SETTINGS),
    3: ("power off", _TBOX, Act.STOP, RESET),
    4: ("reset", _TBOX, Act.RESET, RESET),
    5: ("factory settings", _TBOX, Act.RESET, RESET),
    6: ("close data connection", _TBOX, Act.SILENCE, RESET),
    7: ("close all radio", _TBOX, Act.SILENCE, RESET),
    0x64: ("cut drive", _DRIVE, Act.STOP, COMMAND),
    0x65: ("restore drive", _DRIVE, Act.ENABLE, COMMAND),
    0xF0: ("cut drive", _DRIVE, Act.STOP, COMMAND),
    0xF1: ("restore drive", _DRIVE, Act.ENABLE, COMMAND),
}
_SPEED_LIMITS = {0x0055: "maximum speed", 0x0056: "overspeed duration", 0x005B: "overspeed warning difference"}
_SERVERS = range(0x0010, 0x002A)
_TELEPHONES = range(0x0040, 0x004A)
_CAN_COLLECTION = range(0x0100, 0x0200)
_VENDOR_PARAMETERS = range(0xF000, 0x1_0000)

_SERVICES = {
    0x8001: "general response",
    0x8003: "request to send parts again",
    0x8004: "server time",
    0x8100: "registration response",
    0x8206: "answer",
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
    0x8700: "collect recorder data",
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
    """What a message asks for; never nothing."""
    code = -1 if pdu.code is None else pdu.code
    if pdu.fields.get("encrypted") is True:
        return (unknown(f"encrypted message 0x{code:04X}", arguments(pdu.fields, "encryption")),)
    special = (_SPECIAL_905 if pdu.protocol == "jt905" else _SPECIAL_808).get(code)
    if special is not None:
        found = tuple(special(pdu.fields))
        return found or (unknown(f"{pdu.name} without content", arguments(pdu.fields, "body", "extra")),)
    if pdu.protocol == "jt905":
        return (_of_905(code, pdu),)
    return (_of_808(code, pdu),)


def _of_808(code: int, pdu: Pdu) -> Wanted:
    if code in _SERVICES:
        return service(_SERVICES[code])
    if code in _READS:
        return reading(_READS[code])
    if code in _SETTINGS:
        return setting(_SETTINGS[code])
    if code in _WATCHING:
        return watching(_WATCHING[code], arguments(pdu.fields, "channel", "channel_id", "logic_channel"))
    return unknown(f"message 0x{code:04X}", arguments(pdu.fields, "body", "body_hex"))


# ---------------------------------------------------------------- messages that hold several things


def _control_word(fields: Fields) -> Iterator[Wanted]:
    word = number(fields.get("command_word"))
    if word is None:
        return
    said = {"command_word": Argument(word)} | arguments(fields, "command_parameters")
    named = fields.get("named_parameters")
    if isinstance(named, Mapping):
        said |= arguments(named, "url", "address", "tcp_port", "firmware_version")
    name, subsystem, act, rule = _WORDS.get(word, (f"word 0x{word:02X}", _UNKNOWN, Act.SET, UNKNOWN))
    yield Wanted(f"terminal control: {name}", subsystem, act, rule, said)


def _parameters(fields: Fields) -> Iterator[Wanted]:
    for each in several(fields.get("parameters")):
        place = number(each.get("id"))
        if place is None:
            continue
        said = {"parameter": Argument(f"0x{place:04X}")} | arguments(each, "value", "name", "unit")
        if place in _SPEED_LIMITS:
            yield Wanted(f"set parameter: {_SPEED_LIMITS[place]}", _DRIVE, Act.LIMIT, COMMAND, said)
        elif place in _VENDOR_PARAMETERS or place > 0xFFFF:
            yield unknown(f"set parameter 0x{place:04X} of the vendor", said)
        elif place in _SERVERS:
            yield setting("set parameter: server or network", said)
        elif place in _TELEPHONES:
            yield setting("set parameter: telephone numbers", said)
        elif place in _CAN_COLLECTION:
            yield setting("set parameter: CAN collection", said)
        else:
            yield setting("set parameter: other", said)


def _vehicle_control(fields: Fields) -> Iterator[Wanted]:
    readings = several(fields.get("readings")) or [fields]
    doors = {str(each["doors"]) for each in readings if each.get("doors")}
    told = set()
    for each in readings:
        for control in several(each.get("controls")):
            place = number(control.get("control_id"))
            if control.get("name") == "doors":
                doors.add(str(control.get("meaning") or "unclear"))
            elif place is not None and place not in told:
                told.add(place)
                said = {"control_id": Argument(f"0x{place:04X}")} | arguments(control, "parameter", "parameter_hex")
                yield unknown(f"vehicle control 0x{place:04X} of the vendor", said)
    if doors:
        opens = doors & {"open", "unlock"}
        said = {"doors": Argument(" or ".join(sorted(doors)))}
        act = Act.UNLOCK if opens == doors else Act.SET
        yield Wanted("vehicle control: doors", Subsystem.DOORS, act, COMMAND, said)
    if not told and not doors:
        yield unknown("vehicle control of unknown form", arguments(fields, "body", "body_hex", "extra"))


def _upgrade(fields: Fields) -> Iterator[Wanted]:
    said = arguments(fields, "upgrade_type", "upgrade_type_name", "maker_id", "version", "data_length")
    yield Wanted("send upgrade package", _TBOX, Act.FLASH, UPDATE, said)


def _transparent(fields: Fields) -> Iterator[Wanted]:
    kinds = ("transparent_type", "message_type", "type", "transparent_message_type")
    kind = next((place for name in kinds if (place := number(fields.get(name))) is not None), None)
    said = arguments(fields, *kinds, "content", "data", "transparent_content")
    where = "" if kind is None else f" 0x{kind:02X}"
    harmless = kind in {0x00, 0x0B}  # GNSS module, IC card reader (8.63, table 93)
    yield Wanted(f"transparent data{where}", _TBOX if harmless else _UNKNOWN, Act.SET, CARRIED, said)


def _text(fields: Fields) -> Iterator[Wanted]:
    text = fields.get("text")
    found = commanded(text) if isinstance(text, str) else None
    yield service("text for the driver") if found is None else found


def _callback(fields: Fields) -> Iterator[Wanted]:
    flag = next((place for name in ("call_flag", "flag") if (place := number(fields.get(name))) is not None), 1)
    said = arguments(fields, "telephone", "phone_number", "telephone_number", "phone")
    yield service("call back") if flag == 0 else watching("call back and listen in", said)


def _recorder(fields: Fields) -> Iterator[Wanted]:
    said = arguments(fields, "command_word", "command", "command_name")
    yield Wanted("write recorder parameters", _TBOX, Act.WRITE, SETTINGS, said)


def _oil(fields: Fields) -> Iterator[Wanted]:
    cuts = number(fields.get("command")) != 0
    name, act = ("cut drive", Act.STOP) if cuts else ("restore drive", Act.ENABLE)
    yield Wanted(f"vendor oil control: {name}", _DRIVE, act, COMMAND, arguments(fields, "command", "time"))


_SPECIAL_808: Mapping[int, Callable[[Fields], Iterator[Wanted]]] = {
    0x8103: _parameters,
    0x8105: _control_word,
    0x8108: _upgrade,
    0x8300: _text,
    0x8400: _callback,
    0x8500: _vehicle_control,
    0x8701: _recorder,
    0x8900: _transparent,
    0xA006: _oil,
}

# ---------------------------------------------------------------- JT/T 905, the taxi's

_OF_TAXI = {
    0x8001: service("general response"),
    0x8104: reading("query parameters"),
    0x8201: reading("query position"),
    0x8202: reading("track position"),
    0x8301: service("event setting"),
    0x8302: service("question"),
    0x8401: setting("set telephone book"),
    0x8801: watching("take pictures"),
    0x8802: reading("search stored media"),
    0x8803: watching("upload stored media"),
    0x8B00: service("order for the taxi"),
    0x8B01: service("order won"),
    0x8B07: service("order finished response"),
    0x8B08: service("order cancelled response"),
    0x8B09: service("cancel order"),
    0x8B0A: service("alarm acknowledged"),
    0x8B0B: service("alarm ended"),
}

_ITEMS: Mapping[int, tuple[str, Subsystem]] = {
    0: ("oil", _DRIVE),
    1: ("circuit", _DRIVE),
    2: ("doors", Subsystem.DOORS),
    3: ("vehicle lock", _DRIVE),
}


def _of_905(code: int, pdu: Pdu) -> Wanted:
    found = _OF_TAXI.get(code)
    if found is not None:
        return found
    if code in {0x8B10, 0x8B11}:
        said = arguments(pdu.fields, "device_type", "command", "data", "body", "body_hex")
        return Wanted(f"data for a device 0x{code:04X}", _UNKNOWN, Act.SET, CARRIED, said)
    return unknown(f"message 0x{code:04X}", arguments(pdu.fields, "body", "body_hex"))


def _taxi_control(fields: Fields) -> Iterator[Wanted]:
    items = several(fields.get("controls")) or several(fields.get("items")) or [fields]
    for each in items:
        places = ("control_item", "item", "control_id")
        item = next((place for name in places if (place := number(each.get(name))) is not None), None)
        if item is None:
            continue
        name, subsystem = _ITEMS.get(item, (f"item {item}", _UNKNOWN))
        orders = ("control_command", "command", "parameter")
        order = next((place for word in orders if (place := number(each.get(word))) is not None), None)
        act = Act.SET if order is None else Act.STOP if order else Act.ENABLE
        rule = UNKNOWN if subsystem is _UNKNOWN else COMMAND
        yield Wanted(f"vehicle control: {name}", subsystem, act, rule, arguments(each, *places, *orders))


def _taxi_word(fields: Fields) -> Iterator[Wanted]:
    words = ("command_word", "control_command", "command")
    word = next((place for name in words if (place := number(fields.get(name))) is not None), None)
    if word is None:
        return
    name, subsystem, act, rule = _WORDS.get(word, (f"word 0x{word:02X}", _UNKNOWN, Act.SET, UNKNOWN))
    yield Wanted(f"terminal control: {name}", subsystem, act, rule, arguments(fields, *words, "command_parameters"))


_SPECIAL_905: Mapping[int, Callable[[Fields], Iterator[Wanted]]] = {
    0x8103: _parameters,
    0x8105: _taxi_word,
    0x8300: _text,
    0x8400: _callback,
    0x8500: _taxi_control,
}
