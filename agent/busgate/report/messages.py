"""The two JSON messages beside the log: the device's state, and the early copy of a record.

Law: what is read here is foreign. It is bounded, and either every field is there and of its kind, or it is None.
Neither message proves anything: both only say where in the log to look.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

VERSION: Final = 1
_MAX: Final = 128 << 10
_MAX_NUMBER: Final = (1 << 53) - 1


class State(NamedTuple):
    """Whether a device is there, and how far its log has come.

    A last will may arrive after the birth that followed it: of two states the later one has the larger (boot, session).
    """

    boot: int
    session: int
    online: bool
    origin: str
    incarnation: str
    size: int

    @property
    def payload(self) -> bytes:
        """The message."""
        return json.dumps({"v": VERSION, **self._asdict()}, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class EarlyCopy:
    """Record `index` of a log, ahead of the log."""

    incarnation: str
    index: int
    entry: dict[str, Any]


def early_copy(incarnation: str, index: int, entry: bytes) -> bytes:
    """The message of an early copy: the entry's own bytes, with its log and index around it."""
    return b'{"entry":%b,"incarnation":%b,"index":%d,"v":%d}' % (
        entry,
        json.dumps(incarnation).encode(),
        index,
        VERSION,
    )


def read_state(payload: bytes) -> State | None:
    """Read a state, or None."""
    match _object(payload):
        case {
            "v": 1,
            "boot": int(boot),
            "session": int(session),
            "online": bool(online),
            "origin": str(origin),
            "incarnation": str(incarnation),
            "size": int(size),
        } if all(_number(value) for value in (boot, session, size)):
            return State(boot, session, online, origin, incarnation, size)
        case _:
            return None


def read_early_copy(payload: bytes) -> EarlyCopy | None:
    """Read an early copy, or None."""
    match _object(payload):
        case {"v": 1, "entry": dict(entry), "incarnation": str(incarnation), "index": int(index)} if _number(index):
            return EarlyCopy(incarnation, index, entry)
        case _:
            return None


def _object(payload: bytes) -> object:
    if len(payload) > _MAX:
        return None
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _number(value: int) -> bool:
    return not isinstance(value, bool) and 0 <= value <= _MAX_NUMBER
