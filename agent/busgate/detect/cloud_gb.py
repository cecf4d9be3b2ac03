"""What a GB/T 32960.3 packet towards the vehicle asks for (2016, annex B; the same commands are met in 2025 packets).

Law: a control that the standard leaves to users is `unknown` but for the one that a public platform is known to use:
control 0x90 with 0x91 locks a vehicle, with 0x90 releases it. A query, a setting or a control is one whatever its
response flag says: a platform has no answer of these numbers to give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from busgate.detect.wanted import (
    COMMAND,
    MOST_TEXT,
    RESET,
    UPDATE,
    Wanted,
    arguments,
    number,
    reading,
    service,
    setting,
    several,
    unknown,
)
from busgate.model import Act, Argument, Pdu, Subsystem

_TBOX = Subsystem.TELEMATICS
_CONTROLS: Mapping[int, tuple[str, Subsystem, Act, str]] = {
    0x01: ("remote upgrade", _TBOX, Act.FLASH, UPDATE),
    0x02: ("power off", _TBOX, Act.STOP, RESET),
    0x03: ("reset", _TBOX, Act.RESET, RESET),
    0x04: ("factory settings", _TBOX, Act.RESET, RESET),
    0x05: ("cut connection", _TBOX, Act.SILENCE, RESET),
    0x06: ("warn the driver", Subsystem.BODY, Act.SET, COMMAND),
    0x07: ("open sampling connection", _TBOX, Act.ENABLE, "cloud.settings"),
}
_LOCK = 0x90
_TIME = 6
_LOCKS = {0x91: ("lock vehicle", Act.STOP), 0x90: ("release vehicle", Act.ENABLE)}
_IS_COMMAND = "0xFE"
_SERVICES = frozenset({*range(0x01, 0x0C)})
_SERVERS = {0x04, 0x05, 0x06, 0x0D, 0x0E, 0x0F}


def asked(pdu: Pdu) -> tuple[Wanted, ...]:
    """What a packet asks for; never nothing."""
    code, fields = -1 if pdu.code is None else pdu.code, pdu.fields
    if code in _SERVICES:
        return (service(_named(pdu)),)
    if fields.get("encrypted") is True:
        return (unknown(f"encrypted command 0x{code:02X}", arguments(fields, "encrypt", "encrypt_name")),)
    if code == 0x80:
        return (reading("query parameters", {"ids": Argument(" ".join(map(str, fields.get("ids") or ())))}),)
    if code == 0x81:
        return tuple(_settings(fields)) or (unknown("set parameters that cannot be read", _raw(fields)),)
    if code == 0x82:
        return (_control(fields),)
    return (unknown(f"command 0x{code:02X}", _raw(fields)),)


def _named(pdu: Pdu) -> str:
    answers = pdu.fields.get("response") != _IS_COMMAND
    name = pdu.fields.get("command_name") or pdu.name
    return f"{name} response" if answers else str(name)


def _raw(fields: Mapping[str, Any]) -> dict[str, Argument]:
    return arguments(fields, "response", "data_hex")


def _settings(fields: Mapping[str, Any]) -> Iterator[Wanted]:
    for each in several(fields.get("parameters")):
        place = number(each.get("id"))
        if place is None:
            continue
        said = {"parameter": Argument(f"0x{place:02X}")} | arguments(each, "value", "name")
        if place >= 0x80:
            yield unknown(f"set parameter 0x{place:02X} of the user", said)
        elif place in _SERVERS:
            yield setting("set parameter: server", said)
        else:
            yield setting("set parameter: other", said)
    if fields.get("unparsed"):
        yield unknown("set parameters that cannot be read", arguments(fields, "unparsed"))


def _control(fields: Mapping[str, Any]) -> Wanted:
    place, parameter = number(fields.get("control_id")), fields.get("parameter")
    if place is None:
        # An answer's flag hides the control from the decoder; its octets stand behind the time all the same.
        place, parameter = _hidden(fields)
    if place is None:
        return unknown("control without number", _raw(fields))
    said = {"control_id": Argument(f"0x{place:02X}")}
    said |= {"parameter": Argument(parameter[:MOST_TEXT])} if isinstance(parameter, str) and parameter else {}
    upgrade = fields.get("remote_upgrade")
    if isinstance(upgrade, Mapping):
        said |= arguments(upgrade, "url", "address", "port", "firmware_version")
    if place in _CONTROLS:
        name, subsystem, act, rule = _CONTROLS[place]
        return Wanted(f"control: {name}", subsystem, act, rule, said)
    # What follows the first octet is the user's as well: a longer parameter still locks.
    first = number(f"0x{parameter[:2]}") if isinstance(parameter, str) else None
    if place == _LOCK and first in _LOCKS:
        name, act = _LOCKS[first]
        return Wanted(f"control: {name}", Subsystem.DRIVE, act, COMMAND, said)
    return unknown(f"control 0x{place:02X} of the user", said)


def _hidden(fields: Mapping[str, Any]) -> tuple[int | None, str]:
    rest = str(fields.get("data_hex") or "")[2 * _TIME :]
    return (number(f"0x{rest[:2]}"), rest[2:]) if rest else (None, "")
