"""Messages of a vehicle's DBC files as frames: values in, identifier and bytes out, with counters and checksums.

Law: encoding only; what is not given says "not available", as J1939 does (all bits set).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cantools.database import Database
from cantools.database.namedsignalvalue import NamedSignalValue

from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT

DBC = Path(__file__).resolve().parents[2] / "dbc"

_COUNTERS = {"AliveCounter": 16, "MessageCounter": 8}
_PDU2 = 240


class Sent(NamedTuple):
    """What goes on the wire: SocketCAN canid_t, data, canfd_frame.flags."""

    can_id: int
    data: bytes
    flags: int = 0


Values = Mapping[str, float | str]
"""Signals by name: in their unit, or by the label of their value table."""


class Spoken(NamedTuple):
    """A message still to be encoded, by its DBC name; `sa` and `da` replace the J1939 addresses of its identifier."""

    name: str
    values: Values
    sa: int | None = None
    da: int | None = None


class Encoder:
    """Encodes in the order of sending, so that every sender's counters run on."""

    def __init__(self, profile: str, files: tuple[str, ...]) -> None:
        """Load the DBC files of a profile's folder."""
        self._database = Database(strict=True)
        for name in files:
            self._database.add_dbc_string((DBC / profile / name).read_text(encoding="utf-8"))
        self._sent: Counter[tuple[str, int | None]] = Counter()
        self._heard = {each.frame_id: each for each in self._database.messages if not each.is_extended_frame}
        self._groups = {_group_of(each.frame_id): each for each in self._database.messages if each.is_extended_frame}

    def periods(self) -> dict[str, float]:
        """Cycle time in seconds of every message that has one."""
        return {each.name: each.cycle_time / 1000 for each in self._database.messages if each.cycle_time}

    def decode(self, sent: Sent, names: Container[str]) -> tuple[str, Values] | None:
        """Name and values of a frame, if it is one of these messages and its checksum is right.

        A J1939 message is known by its group whoever sends it: an ECU obeys what is asked, not who asks.
        """
        message = self._heard.get(sent.can_id)
        if message is None and sent.can_id & EXTENDED:
            message = self._groups.get(_group_of(sent.can_id))
        if message is None or message.name not in names or len(sent.data) != message.length:
            return None
        if _summed(message.name, sent.can_id, sent.data) != sent.data:
            return None
        values: Values = {
            name: str(value) if isinstance(value, NamedSignalValue) else value
            for name, value in message.decode_simple(sent.data).items()
        }
        return message.name, values

    def encode(self, spoken: Spoken) -> Sent:
        """The frame of one message."""
        name, values, sa, da = spoken
        message = self._database.get_message_by_name(name)
        raw = {signal.name: (1 << signal.length) - 1 for signal in message.signals if signal.multiplexer_ids is None}
        for signal in message.signals:
            if signal.name in values:
                raw[signal.name] = _raw(signal, values[signal.name])
            elif signal.name in _COUNTERS:
                raw[signal.name] = self._sent[name, sa] % _COUNTERS[signal.name]
                self._sent[name, sa] += 1
        can_id = _addressed(message.frame_id, sa, da) | EXTENDED if message.is_extended_frame else message.frame_id
        data = message.encode(raw, scaling=False, padding=True, strict=False)
        return Sent(can_id, _summed(name, can_id, data), FD_FORMAT | BIT_RATE_SWITCH if message.is_fd else 0)


def group(priority: int, pgn: int, sa: int, da: int = 0xFF) -> int:
    """The canid_t of a J1939 parameter group (SAE J1939-21, 5.2)."""
    if pgn >> 8 & 0xFF < _PDU2:
        pgn |= da
    return EXTENDED | priority << 26 | pgn << 8 | sa


def _group_of(can_id: int) -> int:
    """The PGN of a 29-bit identifier (SAE J1939-21, 5.2), without the destination of a group that has one."""
    pgn = can_id >> 8 & 0x3FFFF
    return pgn if pgn >> 8 & 0xFF >= _PDU2 else pgn & 0x3FF00


def _addressed(identifier: int, sa: int | None, da: int | None) -> int:
    """A 29-bit identifier with other addresses."""
    if sa is not None:
        identifier = identifier & ~0xFF | sa
    if da is not None:
        identifier = identifier & ~0xFF00 | da << 8
    return identifier


def crc8(data: bytes) -> int:
    """CRC-8 SAE J1850: polynomial 0x1D, all ones before and after."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


def _raw(signal: Any, value: float | str) -> int:
    if isinstance(value, str):
        return int(next(number for number, label in signal.choices.items() if str(label) == value))
    raw: int = round((value - signal.offset) / signal.scale)
    return raw


_CRC_LAST = frozenset({
    "VcuStatus", "HVESSC1", "BodyDoors", "TboxHeartbeat", "TboxDriveCommand", "TboxBmsCommand", "TboxChargeCommand",
    "TboxHvacCommand", "TboxDoorCommand",
})  # fmt: skip


def _summed(name: str, can_id: int, data: bytes) -> bytes:
    """The data with its checksum, where its message has one in the last byte."""
    if name in _CRC_LAST:
        return data[:7] + bytes([crc8(data[:7])])
    if name == "TSC1":
        # SAE J1939-71, SPN 4207: over bytes 1-7, the counter and the identifier, folded to three bits.
        total = sum(data[:7]) + (data[7] & 0x0F) + sum((can_id & 0x1FFF_FFFF).to_bytes(4, "big"))
        return data[:7] + bytes([data[7] & 0x0F | (((total >> 6) + (total >> 3) + total) & 0x07) << 4])
    return data
