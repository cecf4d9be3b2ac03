"""Recordings made with the writers of other people: what our readers must agree with."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable
from pathlib import Path

import can

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.model import (
    BIT_RATE_SWITCH,
    ERROR,
    ERROR_STATE,
    EXTENDED,
    FD_FORMAT,
    REMOTE,
    Frame,
    Side,
    Unit,
)

STARTED = 1_768_000_000
BOTH_SIDES = SideMap(tbox=["can1"], vehicle=["can0"])


def message(at: float, identifier: int, data: bytes = b"", channel: int = 0, **more: object) -> can.Message:
    return can.Message(
        timestamp=STARTED + at,
        arbitration_id=identifier,
        is_extended_id=bool(more.pop("extended", identifier > 0x7FF)),
        data=None if more.get("is_remote_frame") else data,
        channel=channel,
        **more,  # type: ignore[arg-type]
    )


PLAIN = [
    message(0.0, 0x18FEF100, bytes(8)),
    message(0.001, 0x7FF, b"\x01\x02\x03", channel=1),
    message(0.0015, 0x123, b"", channel=1),
    message(0.002, 0x123, bytes(range(8)), extended=True),
    message(1.5, 0, b"\xff", channel=1),
]
FD = [
    message(2.0, 0x18FFAA01, bytes(range(64)), is_fd=True, bitrate_switch=True),
    message(2.25, 0x321, bytes(12), channel=1, is_fd=True, error_state_indicator=True),
]
REMOTES = [message(3.0, 0x456, is_remote_frame=True, dlc=4), message(3.1, 0x18EA2749, is_remote_frame=True, dlc=0)]
ERRORS = [message(4.0, 0, is_error_frame=True, channel=1)]


def write(path: Path, messages: Iterable[can.Message]) -> Path:
    with can.Logger(str(path)) as writer:
        for each in messages:
            writer.on_message_received(each)
    return path


def packed(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    with path.open("rb") as source, gzip.open(target, "wb") as out:
        shutil.copyfileobj(source, out)
    return target


def frames(path: Path, sides: SideMap = BOTH_SIDES) -> list[Unit]:
    return list(Trace(path, sides))


def as_frame(sent: can.Message, *, since: float = 0.0) -> Frame:
    """What a reader shall make of a message; `since` is the Unix time that the recording calls 0."""
    at = (round(sent.timestamp * 1e6) - round(since * 1e6)) * 1000
    side = Side.TBOX if sent.channel == 1 else Side.VEHICLE
    can_id = sent.arbitration_id | (EXTENDED if sent.is_extended_id else 0)
    if sent.is_error_frame:
        return Frame(at, side, ERROR | sent.arbitration_id, bytes(sent.data))
    if sent.is_remote_frame:
        return Frame(at, side, can_id | REMOTE, bytes(sent.dlc))
    flags = 0
    if sent.is_fd:
        flags = FD_FORMAT | sent.bitrate_switch * BIT_RATE_SWITCH | sent.error_state_indicator * ERROR_STATE
    return Frame(at, side, can_id, bytes(sent.data), flags)
