"""GB/T 32960.3 packets, 2016 (`##`) and 2025 (`$$`): one whole packet to what it says, and packets out of a stream.

Law: no bytes raise. A packet with a wrong check byte is read all the same, and says so; its data is taken as far as its
length and its bytes agree. `fields` has the header as `version` ("2016"), `command`, `response` and `encrypt` as people
write them ("0x82") with their names, `vin` (all 17 characters), `data_len`, `data_hex`, `bcc`, `bcc_ok`, `total_len`,
then the values of the body under the names of its class. How values are shown is said in `gb32960_values`.
"""

from __future__ import annotations

import re
from typing import Any

from busgate.decode.gb32960_bodies import Body, Opaque, read_body
from busgate.decode.gb32960_names import (
    COMMAND,
    ENCRYPTED,
    ENCRYPTIONS,
    PLAIN,
    RESPONSES,
    STARTS,
    command_name,
    direction,
)
from busgate.decode.gb32960_values import missing
from busgate.model import Pdu, Span

HEADER = 24
"""Bytes before the data: start, command, response, VIN, encryption, length (table 2)."""

MOST_HELD = HEADER + 0xFFFF + 1
"""The longest that a header can say a packet is."""

STRETCH = 4096
"""How many bytes that are no packet are given as one span."""

NO_PACKET = "no GB/T 32960 packet"
"""Why a span has no unit."""

_START = re.compile(rb"##|\$\$")
_VIN = slice(4, 21)
_ENCRYPTION = 21


def check(data: bytes) -> int:
    """The exclusive or of all bytes (6.1 of 2016): halves are folded onto each other."""
    folded, width = int.from_bytes(data), len(data)
    while width > 1:
        width = (width + 1) // 2
        folded = (folded >> 8 * width) ^ (folded & ((1 << 8 * width) - 1))
    return folded


def read(raw: bytes) -> Pdu | None:
    """One packet from its start to its check byte; None where the bytes are no header.

    A packet that is cut short or has bytes behind its end is read as far as it goes, with that as a flaw.
    """
    version = STARTS.get(bytes(raw[:2]))
    if version is None or len(raw) < HEADER:
        return None
    command, response, encryption = raw[2], raw[3], raw[_ENCRYPTION]
    length = int.from_bytes(raw[HEADER - 2 : HEADER])
    data, tail = raw[HEADER : HEADER + length], raw[HEADER + length :]
    flaws = _flaws(raw, length)
    encrypted = encryption in ENCRYPTED
    body = Body({}, Opaque(data)) if encrypted else read_body(command, response, version, data)
    name = command_name(command, version)
    header: dict[str, Any] = {
        "version": version,
        "command": f"0x{command:02X}",
        "command_name": name,
        "response": f"0x{response:02X}",
        "response_name": RESPONSES.get(response, "reserved"),
        # Byte by byte: what is no ASCII must neither be lost nor take its neighbour with it.
        "vin": raw[_VIN].decode("latin-1"),
        "encrypt": f"0x{encryption:02X}",
        "encrypt_name": ENCRYPTIONS.get(encryption, "reserved"),
        "encrypted": encrypted,
        "data_len": length,
        "data_hex": data.hex(),
        "bcc": f"0x{tail[0]:02X}" if tail else None,
        "bcc_ok": bool(tail) and check(raw[2 : HEADER + length]) == tail[0],
        "total_len": len(raw),
    }
    title = name if response == COMMAND else f"{name} answer"
    return Pdu(
        "gb32960", title, command, direction(command, response), header | body.values, body.body, (*flaws, *body.flaws)
    )


def _flaws(raw: bytes, length: int) -> list[str]:
    """What is wrong with a packet's header, its length and its check byte."""
    flaws = []
    here = len(raw) - HEADER
    if raw[3] not in RESPONSES:
        flaws.append(f"response flag 0x{raw[3]:02X} is reserved")
    if raw[_ENCRYPTION] not in ENCRYPTED and raw[_ENCRYPTION] != PLAIN:
        flaws.append(f"encryption is 0x{raw[_ENCRYPTION]:02X}; the data was read as not encrypted")
    if not _is_vin(raw[_VIN]):
        flaws.append("the VIN has bytes that are no text")
    if word := missing(length, 2):
        flaws.append(f'the length is "{word}"')
    if here < length:
        flaws.append(f"the header says {length} bytes of data, {here} are here")
    elif here == length:
        flaws.append("the check byte is missing")
    else:
        if (right := check(raw[2 : HEADER + length])) != raw[HEADER + length]:
            flaws.append(f"checksum is {raw[HEADER + length]:02x}, should be {right:02x}")
        if here > length + 1:
            flaws.append(f"{here - length - 1} bytes follow the check byte")
    return flaws


def _is_vin(vin: bytes | bytearray) -> bool:
    """17 bytes of ASCII; a shorter text is filled up with zeros."""
    return all(0x20 <= byte <= 0x7E or not byte for byte in vin)


def _span(raw: bytes) -> Span:
    """A packet, or what is left of one whose header another packet cut short."""
    pdu = read(raw)
    return Span(raw, pdu, "" if pdu else NO_PACKET)


class Framer:
    """Packets of one direction of a connection (`feed`, `close`, `held` as every framer's).

    Memory: `MOST_HELD` bytes and `STRETCH` more. Bytes that are no packet come out when the packet behind them has its
    header, or when there are `STRETCH` of them. A start is believed when response, encryption, VIN and length could be
    such; when one of them could not, only where a packet is due (at the beginning and behind a packet) or with a right
    check byte. A believed packet with a wrong one ends where a packet begins inside it: a length that lies costs no
    more than the packet that has it.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._stray = 0  # so many bytes at the beginning of what is kept belong to no packet
        self._due = True

    @property
    def held(self) -> int:
        """Bytes kept back until their packet is whole."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[Span]:
        """All spans that these bytes complete."""
        self._kept += data
        found: list[Span] = []
        while self._step(found):
            pass
        return found

    def close(self) -> list[Span]:
        """What is kept at the end: a packet that is cut short is read as far as it goes."""
        found: list[Span] = []
        while self._stray < len(self._kept):
            while self._step(found):
                pass
            raw = bytes(self._kept[self._stray :])
            if len(raw) < HEADER or not self._believed(_doubts(raw[:HEADER])):
                self._stray = min(self._stray + 1, len(self._kept))
                continue
            cut = _inner(raw)
            del self._kept[:cut]
            found.append(_span(raw[:cut]))
            self._due = True
        self._drop(found, self._stray)
        return found

    def _step(self, found: list[Span]) -> bool:
        """Look at the next place where a packet could begin; False when more bytes are needed first."""
        start = _start(self._kept, self._stray)
        self._stray = start
        while self._stray >= STRETCH:
            self._drop(found, STRETCH)
        start = self._stray
        if len(self._kept) - start < HEADER:
            return False
        doubts = _doubts(self._kept[start : start + HEADER])
        if doubts > 1:
            self._stray += 1
            return True
        believed = self._believed(doubts)
        if believed:
            self._drop(found, start)
            start = 0
        end = start + HEADER + int.from_bytes(self._kept[start + HEADER - 2 : start + HEADER]) + 1
        if len(self._kept) < end:
            return False
        raw = bytes(self._kept[start:end])
        right = check(raw[2:-1]) == raw[-1]
        if not believed and not right:
            self._stray += 1
            return True
        self._drop(found, self._stray)
        cut = len(raw) if right else _inner(raw)
        del self._kept[:cut]
        found.append(_span(raw[:cut]))
        self._due = True
        return True

    def _believed(self, doubts: int) -> bool:
        """Whether a header is a packet's whatever its check byte."""
        return doubts <= int(self._due and not self._stray)

    def _drop(self, found: list[Span], count: int) -> None:
        """Give the first `count` bytes as none of ours."""
        if count:
            self._due = False
            found.append(Span(bytes(self._kept[:count]), reason=NO_PACKET))
            del self._kept[:count]
            self._stray -= count


def _start(kept: bytes | bytearray, begin: int) -> int:
    """Where the next start is, or could be with the next byte."""
    if match := _START.search(kept, begin):
        return match.start()
    return len(kept) - (len(kept) > begin and kept.endswith((b"#", b"$")))


def _doubts(head: bytes | bytearray) -> int:
    """How many values behind a start no packet should have; of a part of a header, of those that are there.

    A command is never doubtful, since vendors take any.
    """
    doubts = int(len(head) > 3 and head[3] not in RESPONSES) + (not _is_vin(head[_VIN]))
    doubts += len(head) > _ENCRYPTION and head[_ENCRYPTION] not in ENCRYPTIONS
    return doubts + (len(head) >= HEADER and bool(missing(int.from_bytes(head[HEADER - 2 : HEADER]), 2)))


def _inner(raw: bytes) -> int:
    """Where in a packet with a wrong check byte the next one begins; its length where none does.

    One that ends inside must have a right check byte itself; one that goes on behind must have a header to believe.
    """
    place = 2
    while (place := _start(raw, place)) < len(raw) - 1:
        head = raw[place : place + HEADER]
        if not _doubts(head):
            end = place + HEADER + int.from_bytes(head[HEADER - 2 :]) + 1 if len(head) == HEADER else len(raw) + 1
            if end > len(raw) or check(raw[place + 2 : end - 1]) == raw[end - 1]:
                return place
        place += 1
    return len(raw)
