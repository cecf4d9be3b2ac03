"""Events to log entries: the exact bytes of a leaf, as canonical JSON (RFC 8785).

Law: the same event, place and time give the same bytes, and no event fails to become an entry. What does not fit in
65,535 bytes (tlog-tiles, Log entries) is cut, and says so. A reader hashes an entry as it is stored; nobody writes it
anew.

Every entry has `v` 1, `seq` (its index), `boot` (which boot) and `bn` (its number), `mono` (the device's clock, ns),
`wall` (RFC 3339, null when unknown) and `wq` (where that comes from), `type`, and `pol` (the policy in force, or null);
the fields of its event stand beside them. Enumerations are lower-case words. Times in ns are strings, as are whole
numbers that a JSON reader would round (beyond 2^53) and what JSON cannot write ("NaN", "Infinity", "-Infinity").
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, assert_never, get_args

from busgate.model import (
    Alert,
    AlertCount,
    BusgateError,
    Causation,
    CellularChange,
    DiagnosticSession,
    Event,
    GrantChange,
    Held,
    Loss,
    Mode,
    ModeChange,
    PolicyApplied,
    PolicyRefused,
    RemoteFunction,
    Traffic,
    UpdateSession,
)
from busgate.record.canonical import plain, to_bytes

VERSION = 1
MAX_ENTRY = 0xFFFF
RESERVED = frozenset({"v", "seq", "boot", "bn", "mono", "wall", "wq", "type", "pol", "truncated"})

Quality = Literal["none", "rtc", "gnss", "ntp", "soc"]
"""Where the wall clock has its time from."""


class EntryError(BusgateError):
    """Bytes that are not a log entry."""


@dataclass(frozen=True, slots=True)
class LogOpen:
    """The first entry of a log: whose it is, and which log it follows. `prev` is that log's origin and checkpoint."""

    at: int
    origin: str
    key: str
    reason: str
    prev: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """The log was opened by a starting device."""

    at: int
    device: str
    software: str


class Told(NamedTuple):
    """An event as its entry tells it: the `type`, and the fields that stand beside it, as JSON holds them."""

    type: str
    fields: Mapping[str, Any]


Record = Event | LogOpen | Boot

_NAMES: Mapping[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in (*get_args(Event), LogOpen, Boot)
}
_TIMES = frozenset({"at", "first", "last", "began", "until"})
_CUT = 200
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by construction; the naive form prints without an offset
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can write


def told(event: Record) -> Told:
    """What the entry of an event tells, wherever it will stand."""
    fields: dict[str, Any] = {}
    for name in _NAMES[type(event)]:
        value = getattr(event, name)
        fields[name] = str(value) if name in _TIMES else plain(value)
    return Told(type_of(event), fields)


def encode(  # noqa: PLR0913 - one parameter a member of every entry
    event: Told,
    *,
    seq: int,
    boot: str,
    bn: int,
    mono: int,
    wall_ns: int | None,
    wq: Quality,
    policy: tuple[int, str] | None,
) -> bytes:
    """The entry of `event` at index `seq`; `mono` and `wall_ns` are in ns, `policy` is a version and its SHA-256."""
    entry: dict[str, Any] = {
        "v": VERSION,
        "seq": seq,
        "boot": boot,
        "bn": bn,
        "mono": str(mono),
        "wall": None if wall_ns is None else _wall(wall_ns),
        "wq": wq,
        "type": event.type,
        "pol": None if policy is None else {"ver": policy[0], "sha256": policy[1]},
    }
    entry.update(event.fields)
    raw = to_bytes(entry)
    return raw if len(raw) <= MAX_ENTRY else _shortened(entry)


def decode(raw: bytes) -> dict[str, Any]:
    """Read an entry; raises EntryError when it is not a JSON object in UTF-8."""
    try:
        entry = json.loads(raw.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        raise EntryError(f"this is not a log entry: {fault}") from None
    if not isinstance(entry, dict):
        raise EntryError("this is not a log entry: it is JSON, but no object")
    return entry


def type_of(event: Record) -> str:  # noqa: C901, PLR0911, PLR0912 - a table, one line a type
    """The `type` of an event's entry."""
    match event:
        case Alert():
            return "alert"
        case AlertCount():
            return "alert.count"
        case DiagnosticSession():
            return "session.end" if event.stage == "end" else "session.start"
        case RemoteFunction():
            return "function"
        case Causation():
            return "cause"
        case UpdateSession():
            return "update.end" if event.stage == "end" else "update.start"
        case CellularChange():
            return "modem"
        case Held():
            return f"held.{event.stage}"
        case PolicyApplied():
            return "policy.apply"
        case PolicyRefused():
            return "policy.refuse"
        case GrantChange():
            return "grant.end" if event.stage == "end" else "grant.start"
        case ModeChange():
            return _mode_type(event)
        case Loss():
            return "drop"
        case Traffic():
            return "heartbeat"
        case LogOpen():
            return "log.open"
        case Boot():
            return "boot"
        case _:
            assert_never(event)


def _mode_type(event: ModeChange) -> str:
    if event.mode is Mode.LOCAL and event.previous is not Mode.LOCAL:
        return "override.on"
    if event.previous is Mode.LOCAL and event.mode is not Mode.LOCAL:
        return "override.off"
    return "mode"


def _wall(ns: int) -> str | None:
    """RFC 3339 in UTC with microseconds, always 27 characters; None where the calendar ends."""
    seconds, rest = divmod(ns, 1_000_000_000)
    if not 0 <= seconds <= _LAST_SECOND:
        return None
    return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}.{rest // 1000:06d}Z"


def _shortened(entry: dict[str, Any]) -> bytes:
    """What fits: first without arguments and state, then without any list or table, its texts cut."""
    entry["truncated"] = True
    entry.update({name: {} for name in ("arguments", "state") if name in entry})
    raw = to_bytes(entry)
    if len(raw) <= MAX_ENTRY:
        return raw
    return to_bytes({name: value if name in RESERVED else _cut(value) for name, value in entry.items()})


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value[:_CUT]
        case {"name": str(name), "address": address, **rest} if not rest:
            return {"name": name[:_CUT], "address": address}
        case dict():
            return {}
        case list():
            return []
        case _:
            return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
