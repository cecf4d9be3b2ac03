"""How log entries and replay rows name a remote function: its identity, codes, target and time.

Law: nothing raises on an entry's content; what is missing or of another kind reads as unknown or "".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from busgate.decode.j1939 import split
from busgate.model import EXTENDED, Act, Severity, Subsystem
from busgate.report.fields import Entry, member, part, text, whole
from busgate.service.remote_function import Identity, Interface, Way

DIAGNOSTIC: Final = ("uds.",)
CLOUD: Final = ("cloud.", "ip.", "sms.")
"""Rules of alerts that tell of what came over IP or SMS, beside the command's own entry."""

ABOUT_SENDERS: Final = ("conduct.", "transport.", "frame.")
"""Rules of alerts that tell how something was sent."""

_WAYS: Final = {"down": Way.TO_TBOX, "up": Way.FROM_TBOX}
_CODED: Final = ("routine", "did")
"""Arguments of a diagnostic request that name what it acts on: another one is another function."""

_ORDINARY: Final = frozenset({Act.READ, Act.SEND, None})
_MOMENT: Final = re.compile(r"[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def of_alert(entry: Entry, rule: str) -> Identity:
    """What an alert is about; `rule` is the rule that raised it."""
    act = member(entry, "act", Act) or Act.SEND
    remote = rule.startswith(CLOUD)
    asked = part(entry, "arguments")
    named = _CODED if rule.startswith(DIAGNOSTIC) and act not in _ORDINARY else ()
    code = " ".join(f"{name} {value}" for name in named if (value := text(part(asked, name), "value")))
    return Identity(
        Interface.IP if remote else Interface.CAN,
        "uds" if rule.startswith(DIAGNOSTIC) else "",
        text(entry, "name", "?"),
        member(entry, "subsystem", Subsystem) or Subsystem.UNKNOWN,
        act,
        Way.TO_TBOX if remote else Way.TO_VEHICLE,
        _party(entry, "target"),
        code,
    )


def of_function(entry: Entry) -> Identity:
    """What a `function` entry is about."""
    interface = text(entry, "interface")
    if interface == "can":
        act = member(entry, "act", Act) or Act.SEND
        return Identity(
            Interface.CAN,
            "uds" if text(entry, "rule").startswith(DIAGNOSTIC) else "",
            text(entry, "name", "?"),
            member(entry, "subsystem", Subsystem) or Subsystem.UNKNOWN,
            act,
            Way.TO_VEHICLE,
            _party(entry, "target"),
            "",
        )
    return Identity(
        Interface.SMS if interface == "sms" else Interface.IP,
        text(entry, "protocol"),
        text(entry, "name", "?"),
        member(entry, "subsystem", Subsystem) or Subsystem.UNKNOWN,
        member(entry, "act", Act) or Act.SEND,
        _WAYS.get(text(entry, "direction"), Way.UNKNOWN),
        "T-box",
        code(entry.get("code")),
    )


def end_of(entry: Entry) -> tuple[str, int]:
    """The remote end's address and port, however they are written: as a table, as a list, or as one text."""
    end = entry.get("endpoint")
    if isinstance(end, (list, tuple)):
        end = dict(zip(("address", "port"), end, strict=False))
    if isinstance(end, Mapping):
        return text(end, "address"), whole(end, "port") or 0
    address, _, port = text(entry, "endpoint").rpartition(":")
    if address and port.isdigit() and (":" not in address or address.startswith("[")):
        return address.strip("[]"), int(port[:5])
    return text(entry, "endpoint"), 0


def codes(entry: Entry, rule: str) -> set[str]:
    """What a CAN function is known by besides its name: its group or identifier, or what a diagnostic acts on."""
    if rule.startswith(DIAGNOSTIC):
        if member(entry, "act", Act) in _ORDINARY:
            return set()  # reads of many identifiers are one alert, which shows the first
        asked = part(entry, "arguments")
        return {value for name in _CODED if (value := text(part(asked, name), "value"))}
    written = text(entry, "frame").partition("#")[0]
    try:
        identifier = int(written, 16)
    except ValueError:
        return set()
    return {f"0x{split(identifier | EXTENDED).pgn:04X}" if len(written) == 8 else f"0x{identifier:03X}"}


def code(value: object) -> str:
    """A message's number as people write it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"0x{value:04X}" if value >= 0 else str(value)
    return value if isinstance(value, str) else ""


def severity(entry: Entry) -> Severity:
    """How much it matters, as the entry says it."""
    word = text(entry, "severity") or text(entry, "risk")
    return Severity.__members__.get(word.upper(), Severity.INFO)


def _party(entry: Entry, key: str) -> str:
    """A target as people read it; replay reports write its address as text already."""
    fields = part(entry, key)
    name, address = text(fields, "name"), fields.get("address")
    number = (
        f"0x{address:02X}" if isinstance(address, int) and not isinstance(address, bool) else text(fields, "address")
    )
    return f"{name} ({number})" if name and number else name or number or text(entry, key)


def dated(wall: str) -> str | None:
    """A wall time that means something; a trace that counts from its own start has none."""
    return wall if _MOMENT.fullmatch(wall) else None
