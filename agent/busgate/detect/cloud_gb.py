"""What a GB/T 32960.3 packet towards the vehicle asks for (2016, annex B; the same commands are met in 2025 packets).

Law: a control that the standard leaves to users is `unknown` but for the one that a public platform is known to use:
control 0x90 with 0x91 locks a vehicle, with 0x90 releases it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from busgate.detect.wanted import (
    COMMAND,
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
_LOCKS = {0x91: ("lock vehicle", Act.STOP), 0x90: ("release vehicle", Act.ENABLE)}
_IS_COMMAND = {"0xFE", "FE", "command"}
_SERVICES = frozenset({*range(0x01, 0x0C)})
_SERVERS = {0x04, 0x05, 0x06, 0x0D, 0x0E, 0x0F}


def asked(pdu: Pdu) -> tuple[Wanted, ...]:
    """What a packet asks for; never nothing."""
    code = -1 if pdu.code is None else pdu.code
    answers = str(pdu.fields.get("response", "0xFE")) not in _IS_COMMAND
    if code in _SERVICES or answers:
        return (service(f"{pdu.name or f'command 0x{code:02X}'}{' response' if answers else ''}"),)
    if str(pdu.fields.get("encrypt", "0x01")) not in {"0x01", "1", "uncrypted"}:
        return (unknown(f"encrypted command 0x{code:02X}", arguments(pdu.fields, "encrypt", "data_hex")),)
    if code == 0x80:
        return (reading("query parameters"),)
    if code == 0x81:
        return tuple(_settings(pdu.fields)) or (setting("set parameters", arguments(pdu.fields, "unparsed")),)
    if code == 0x82:
        return (_control(pdu.fields),)
    return (unknown(f"command 0x{code:02X}", arguments(pdu.fields, "data_hex")),)


def _settings(fields: Mapping[str, Any]) -> Iterator[Wanted]:
    for each in several(fields.get("parameters")):
        place = number(each.get("id"))
        if place is None:
            continue
        said = {"parameter": Argument(f"0x{place:02X}")} | arguments(each, "value", "name")
        if place >= 0x80:
            yield unknown(f"set parameter 0x{place:02X} of the user", said | arguments(fields, "unparsed"))
        elif place in _SERVERS:
            yield setting("set parameter: server", said)
        else:
            yield setting("set parameter: other", said)


def _control(fields: Mapping[str, Any]) -> Wanted:
    place = number(fields.get("control_id"))
    if place is None:
        return unknown("control without number", arguments(fields, "data_hex"))
    said = {"control_id": Argument(f"0x{place:02X}")} | arguments(fields, "parameter")
    upgrade = fields.get("remote_upgrade")
    if isinstance(upgrade, Mapping):
        said |= arguments(upgrade, "url", "address", "port", "firmware_version")
    if place in _CONTROLS:
        name, subsystem, act, rule = _CONTROLS[place]
        return Wanted(f"control: {name}", subsystem, act, rule, said)
    lock = fields.get("parameter")
    found = _LOCKS.get(number(f"0x{lock}") or -1) if place == _LOCK and isinstance(lock, str) and lock else None
    if found is not None:
        return Wanted(f"control: {found[0]}", Subsystem.DRIVE, found[1], COMMAND, said)
    return unknown(f"control 0x{place:02X} of the user", said)
