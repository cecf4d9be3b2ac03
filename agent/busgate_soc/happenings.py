"""What the SOC learns, as values: everything it shows, and everything it answers.

Law: a record is shown as true only inside `Verified`; an `Early` one says in its name that nobody has proven it yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from busgate_soc.keyring import Basis


class Log(NamedTuple):
    """Which log something is about."""

    device: str
    incarnation: str


class Alarm(StrEnum):
    """What is wrong with a log: each needs a person."""

    CONTRADICTION = "two histories"
    DIVERGES = "records do not lead to the signed head"
    FOREIGN_RECORD = "a proven record was sent with other contents"
    FALSE_EARLY_COPY = "an early copy differs from the log"
    REFUSED = "checkpoint refused"
    SHARED_KEY = "two devices, one key"
    NEW_LOG = "a new log that does not follow the last one"


class Presence(NamedTuple):
    """A device came or went."""

    device: str
    online: bool
    incarnation: str
    size: int


@dataclass(frozen=True, slots=True)
class Early:
    """A record that a device sent ahead of its log; nothing proves it yet."""

    log: Log
    index: int
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A proven record; `early` when its early copy was shown before. `entry` is None when it cannot be read."""

    index: int
    entry: Mapping[str, Any] | None
    early: bool


class Verified(NamedTuple):
    """A signed head holds, and so do all records below it; `records` are the new ones."""

    log: Log
    size: int
    root: bytes
    basis: Basis
    cosigned: bool
    records: tuple[Record, ...]


class Fault(NamedTuple):
    """Something that needs a person; `facts` fill the alarm's sentence."""

    log: Log
    alarm: Alarm
    facts: Mapping[str, str]


class Asked(NamedTuple):
    """Entries are missing, and the device was asked to send them again from `size` on."""

    log: Log
    size: int
    wanted: int


class Strange(NamedTuple):
    """Bytes on a topic that are not what belongs there."""

    topic: str
    reason: str


class Reply(NamedTuple):
    """An answer to be published."""

    topic: str
    payload: bytes


Happening = Presence | Early | Verified | Fault | Asked | Strange | Reply
