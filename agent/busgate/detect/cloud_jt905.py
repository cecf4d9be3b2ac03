"""What a JT/T 905 message towards a taxi's unit asks for.

Law: as in `cloud_jt`. A number that JT/T 905 does not have means what JT/T 808 says, since units speak both; its words
of terminal control are its own. JT/T 905-2014, names as in public code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from busgate.detect import cloud_jt
from busgate.detect.cloud_jt import Fields, Reader, plainly, specially, unreadable
from busgate.detect.cloud_jt_vehicle import taxi_control
from busgate.detect.wanted import (
    CARRIED,
    RESET,
    SERVICE,
    UNKNOWN,
    UPDATE,
    Wanted,
    arguments,
    number,
    reading,
    service,
    unknown,
    watching,
)
from busgate.model import Act, Argument, Pdu, Subsystem

_TBOX, _UNKNOWN = Subsystem.TELEMATICS, Subsystem.UNKNOWN

_OWN: Mapping[int, Wanted] = {
    0x8803: watching("upload stored media"),
    0x8850: reading("search stored sound"),
    0x8B00: service("order for the taxi"),
    0x8B01: service("order won"),
    0x8B09: service("cancel order"),
    0x8B0A: service("alarm acknowledged"),
    0x8B0B: service("alarm ended"),
    0x8B11: reading("inspect devices"),
}

_WORDS: Mapping[int, tuple[str, Act, str]] = {
    1: ("wireless upgrade", Act.FLASH, UPDATE),
    2: ("power off", Act.STOP, RESET),
    3: ("reset", Act.RESET, RESET),
    4: ("factory settings", Act.RESET, RESET),
    5: ("close data connection", Act.SILENCE, RESET),
    6: ("close all radio", Act.SILENCE, RESET),
}


def asked(pdu: Pdu) -> tuple[Wanted, ...]:
    """What a message asks for; never nothing."""
    code = pdu.code
    if code is None:
        return cloud_jt.asked(pdu)
    if code in _OWN:
        own = _OWN[code]
        more = own.rule == SERVICE and pdu.fields.get("extra")
        return (unknown(f"{own.name} with more than it has", arguments(pdu.fields, "extra")) if more else own,)
    return unreadable(pdu) or specially(pdu, _SPECIAL.get(code)) or (plainly(code, pdu.fields),)


def _control_word(fields: Fields) -> Iterator[Wanted]:
    word = number(fields.get("command_word"))
    if word is None:
        return
    said = {"command_word": Argument(word)}
    said |= arguments(fields, "device_type", "software_version", "server_address", "server_port")
    if word in _WORDS:
        name, act, rule = _WORDS[word]
        yield Wanted(f"terminal control: {name}", _TBOX, act, rule, said)
    elif word in cloud_jt.VENDOR_WORDS:
        name, subsystem, act, rule = cloud_jt.VENDOR_WORDS[word]
        yield Wanted(f"terminal control: {name}", subsystem, act, rule, said)
    else:
        yield Wanted(f"terminal control: word 0x{word:02X}", _UNKNOWN, Act.SET, UNKNOWN, said)


def _device(fields: Fields) -> Iterator[Wanted]:
    """0x8B10: a command to a device behind the unit, in that device's own form."""
    said = arguments(fields, "device_type", "device_type_name", "command", "data")
    yield Wanted("data for a device", _UNKNOWN, Act.SET, CARRIED, said)


_SPECIAL: Mapping[int, Reader] = {
    **cloud_jt.SPECIAL,
    0x8105: _control_word,
    0x8500: taxi_control,
    0x8B10: _device,
}
