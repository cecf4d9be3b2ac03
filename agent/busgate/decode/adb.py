"""Android Debug Bridge over TCP: who connects to the T-box's debug port, and what it opens there.

Law: that of every framer (the spans joined are the bytes; how they were cut does not matter; nothing raises). Held back
are at most one packet of 24 + 2^20 bytes and one stretch. After STLS all is encrypted and passes at once. The protocol
is described in the Android Open Source Project, packages/modules/adb/protocol.txt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from busgate.decode.net_framer import MORE, NONE, Framer
from busgate.model import Direction, Pdu, Span

HEADER = 24
MOST_DATA = 1 << 20
SHOWN = 64

_COMMANDS = (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE", b"SYNC", b"STLS")
_AUTHS: Mapping[int, str] = {1: "token", 2: "signature", 3: "RSA public key"}


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: a command, its two arguments, how many bytes of data it has, and what of them is text."""

    command: str
    arg0: int
    arg1: int
    data_length: int
    text: str = ""
    """CNXN: the system identity; OPEN: what is opened ("shell:id", "tcp:8080"), both without their zero."""


def packet_size(data: bytes | bytearray, at: int = 0) -> int:
    """How long the packet at `at` is; MORE while its header is not whole, NONE where there is none."""
    head = bytes(data[at : at + HEADER])
    if not any(command.startswith(head[:4]) or head.startswith(command) for command in _COMMANDS):
        return NONE
    if len(head) < HEADER:
        return MORE
    length = int.from_bytes(head[12:16], "little")
    inverted = int.from_bytes(head[:4], "little") ^ 0xFFFFFFFF
    return HEADER + length if int.from_bytes(head[20:], "little") == inverted and length <= MOST_DATA else NONE


def read(raw: bytes, direction: Direction = Direction.UNKNOWN) -> Pdu | None:
    """Read one whole packet; None where it is none."""
    size = packet_size(raw)
    if size <= 0 or len(raw) < size:
        return None
    command = raw[:4].decode()
    arg0, arg1, _, check = (int.from_bytes(raw[at : at + 4], "little") for at in (4, 8, 12, 16))
    data = raw[HEADER:size]
    flaws = []
    if check not in {0, sum(data) & 0xFFFFFFFF}:
        flaws.append(f"the data check is {check:#x}, should be {sum(data) & 0xFFFFFFFF:#x}")
    if len(raw) > size:
        flaws.append(f"{len(raw) - size} bytes follow the packet")
    text = data.rstrip(b"\0").decode("utf-8", "backslashreplace") if command in {"CNXN", "OPEN"} else ""
    body = Packet(command, arg0, arg1, len(data), text)
    code = int.from_bytes(raw[:4], "little")
    return Pdu("adb", command, code, direction, _row(body, data), body, tuple(flaws))


def _row(body: Packet, data: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"command": body.command, "data_length": body.data_length}
    if body.command == "CNXN":
        return row | {"version": f"{body.arg0:08x}", "max_data": body.arg1, "system_identity": body.text}
    if body.command == "AUTH":
        return row | {"type": _AUTHS.get(body.arg0, str(body.arg0))}
    if body.command == "STLS":
        return row | {"version": f"{body.arg0:08x}"}
    row |= {"local_id": body.arg0, "remote_id": body.arg1}
    if body.command == "OPEN":
        return row | {"destination": body.text}
    return row | {"data": data[:SHOWN].hex()} if data else row


class Packets(Framer):
    """The packets of one direction."""

    UNKNOWN = "no adb packet starts here"
    CUT = "the stream ends within an adb packet"
    START = re.compile(b"[" + b"".join({command[:1] for command in _COMMANDS}) + b"]")

    def __init__(self, direction: Direction = Direction.UNKNOWN) -> None:
        super().__init__()
        self._direction = direction
        self._encrypted = False

    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        del closing
        return len(buffer) - at if self._encrypted else packet_size(buffer, at)

    def _unit(self, raw: bytes) -> list[Span]:
        if self._encrypted:
            return [Span(raw, None, "encrypted")]
        pdu = read(raw, self._direction)
        self._encrypted = pdu is not None and pdu.name == "STLS"
        return [Span(raw, pdu)]
