"""What one message over the air asks for, as a plain value: the common word of the detectors for each protocol.

Law: values only. Names are short and the same for the same thing, since the inventory and policy rules (`cloud.asks`)
go by them; what varies stands in the arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from busgate.model import Act, Argument, Subsystem

COMMAND = "cloud.command"
UNKNOWN = "cloud.unknown"
SETTINGS = "cloud.settings"
UPDATE = "cloud.update"
RESET = "cloud.reset"
CARRIED = "cloud.carried"
WATCHING = "cloud.watching"
READ = "cloud.read"
SERVICE = "cloud.service"

MOST_TEXT = 200

PACKAGE = "send upgrade package"
"""What brings the software itself, in as many messages as it takes."""

PERSONAL = frozenset({"set telephone book"})
"""What carries names and numbers of people: that it came is told, what it holds is not."""


class Wanted(NamedTuple):
    """One thing that a message asks for: what, of which part of the vehicle, and the rule that names it."""

    name: str
    subsystem: Subsystem
    act: Act
    rule: str
    arguments: Mapping[str, Argument] = {}


def service(name: str) -> Wanted:
    """An acknowledgement or other ordinary service: it asks for nothing."""
    return Wanted(name, Subsystem.TELEMATICS, Act.SEND, SERVICE)


def reading(name: str, arguments: Mapping[str, Argument] | None = None) -> Wanted:
    """A question."""
    return Wanted(name, Subsystem.TELEMATICS, Act.READ, READ, arguments or {})


def setting(name: str, arguments: Mapping[str, Argument] | None = None) -> Wanted:
    """Settings of the T-box itself."""
    return Wanted(name, Subsystem.TELEMATICS, Act.SET, SETTINGS, arguments or {})


def watching(name: str, arguments: Mapping[str, Argument] | None = None) -> Wanted:
    """Pictures, sound, recordings."""
    return Wanted(name, Subsystem.TELEMATICS, Act.ENABLE, WATCHING, arguments or {})


def unknown(name: str, arguments: Mapping[str, Argument] | None = None) -> Wanted:
    """Nobody knows what it does: it may reach anything."""
    return Wanted(name, Subsystem.UNKNOWN, Act.SET, UNKNOWN, arguments or {})


def number(value: Any) -> int | None:
    """A field that is a number, or one as text ("0x90", "12"); None for anything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value, 0)
    except ValueError:
        return None


def several(value: Any) -> list[Mapping[str, Any]]:
    """A field that lists objects; whatever else stands in it is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def arguments(fields: Mapping[str, Any], *names: str) -> dict[str, Argument]:
    """The named fields that are there as arguments, short enough to be told."""
    found = {}
    for name in names:
        value = fields.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            value = str(value)
        found[name] = Argument(value[:MOST_TEXT] if isinstance(value, str) else value)
    return found
