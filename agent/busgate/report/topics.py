"""The MQTT topics busgate speaks on, and who may be named in them.

Law: a device or incarnation that is not a plain word never reaches a topic, so no name can add a level or a wildcard
(MQTT 5.0, 4.7). A topic that is not in this table is nobody's: `parse` says None.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from busgate.model import BusgateError

ROOT: Final = "busgate/1"
"""The 1 is the version of this table: a table with other meanings gets another number."""

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class TopicError(BusgateError):
    """A device or incarnation that cannot be part of a topic."""


class Channel(StrEnum):
    """What a topic carries; the value is its last level."""

    ENTRIES = "entries"
    CHECKPOINT = "checkpoint"
    COSIGNATURE = "cosig"
    ALERT = "alert"
    STATE = "state"
    POLICY = "policy"


class Topic(NamedTuple):
    """A topic taken apart; `incarnation` is "" where the channel belongs to the device as a whole."""

    channel: Channel
    device: str
    incarnation: str = ""


def entries(device: str, incarnation: str) -> str:
    """Up: bundles of log entries."""
    return f"{_up(device)}/{_word(incarnation, 'incarnation')}/{Channel.ENTRIES}"


def checkpoint(device: str, incarnation: str) -> str:
    """Up: the body of an add-checkpoint request (C2SP tlog-witness), verbatim."""
    return f"{_up(device)}/{_word(incarnation, 'incarnation')}/{Channel.CHECKPOINT}"


def cosignature(device: str, incarnation: str) -> str:
    """Down: a witness's answer: signature lines, or `409 <size>`."""
    return f"{_down(device)}/{_word(incarnation, 'incarnation')}/{Channel.COSIGNATURE}"


def alert(device: str) -> str:
    """Up: an early copy of one record."""
    return f"{_up(device)}/{Channel.ALERT}"


def state(device: str) -> str:
    """Up, retained, and the last will: whether the device is there, and how far its log has come."""
    return f"{_up(device)}/{Channel.STATE}"


def policy(device: str) -> str:
    """Down: "there is new metadata"; never the policy itself, never a command."""
    return f"{_down(device)}/{Channel.POLICY}"


def subscriptions(device: str | None) -> tuple[str, ...]:
    """The filters of one that listens to a device, or to all of them (None)."""
    name = "+" if device is None else device_id(device)
    up = f"{ROOT}/{name}/up"
    return (
        f"{up}/+/{Channel.ENTRIES}",
        f"{up}/+/{Channel.CHECKPOINT}",
        f"{up}/{Channel.ALERT}",
        f"{up}/{Channel.STATE}",
    )


def parse(topic: str) -> Topic | None:
    """Take a topic apart; None when it is not in the table."""
    levels = topic.split("/")
    if levels[:2] != ROOT.split("/") or not all(_WORD.fullmatch(level) for level in levels):
        return None
    match levels[2:]:
        case [device, "up", incarnation, Channel.ENTRIES.value | Channel.CHECKPOINT.value as channel]:
            return Topic(Channel(channel), device, incarnation)
        case [device, "down", incarnation, Channel.COSIGNATURE.value as channel]:
            return Topic(Channel(channel), device, incarnation)
        case [device, "up", Channel.ALERT.value | Channel.STATE.value as channel]:
            return Topic(Channel(channel), device)
        case [device, "down", Channel.POLICY.value as channel]:
            return Topic(Channel(channel), device)
        case _:
            return None


def device_id(text: str) -> str:
    """The same text, if it can name a device; raises TopicError."""
    return _word(text, "device id")


def _up(device: str) -> str:
    return f"{ROOT}/{device_id(device)}/up"


def _down(device: str) -> str:
    return f"{ROOT}/{device_id(device)}/down"


def _word(text: str, what: str) -> str:
    if not _WORD.fullmatch(text):
        raise TopicError(
            f"{what} {text[:80]!r} cannot be part of a topic: use 1 to 64 letters, digits, '.', '_', ':' or '-', "
            "beginning with a letter or digit"
        )
    return text
