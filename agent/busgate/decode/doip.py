"""DoIP (ISO 13400-2) of UDP and TCP: one whole message to what it says, and messages out of a stream.

Law: no bytes raise. `fields` has the header as `version`, `inverse_ok`, `payload_type`, `payload_len`, `len_ok` and
`user_data` ("" except in a diagnostic message), then the payload under the names of its class; a diagnostic message
also has its `uds` bytes and their `service`. UP is what the vehicle's entity sends, DOWN what comes to it; a message
that both may send is UNKNOWN. A header has four things that can be wrong: version, its inverse, type, and a length that
the type cannot have. One of them is a flaw where a message is due; two are no DoIP.
"""

from __future__ import annotations

import re
from typing import Any

from busgate.decode import uds
from busgate.decode.doip_messages import ADDRESS, CODE, COUNT, DIAGNOSTIC, HEX, MESSAGES, REST, Reserved, Value
from busgate.decode.uds_services import NEGATIVE_RESPONSE, RESPONSE_BIT, SERVICES
from busgate.model import Direction, Pdu, Span

HEADER = 8
"""Bytes before the payload: version, its inverse, payload type, payload length (9.2)."""

VERSIONS = {0x01: "2010", 0x02: "2012", 0x03: "2019", 0x04: "2019 amendment 1", 0xFF: "default"}
"""9.2; "default" is for identification requests, which do not know yet what the vehicle speaks."""

MOST_PAYLOAD = 1 << 20
"""The longest payload that is followed; the standard's length has four bytes."""

MOST_ODD = 4096
"""The longest payload that is believed of a type which cannot be that long, or which nobody knows."""

STRETCH = 4096
"""How many bytes that are no message are given as one span."""

_MAKERS = range(0xF000, 0x10000)
_ANSWERS = frozenset({0x0000, 0x0004, 0x0006, 0x0007, 0x4002, 0x4004, 0x8002, 0x8003})
_STARTS = re.compile(rb"\x01\xfe|\x02\xfd|\x03\xfc|\x04\xfb|\xff\x00")


def read(raw: bytes) -> Pdu | None:
    """One message from its version to the end of its payload; None where the bytes are no DoIP.

    A message that is cut short or has bytes behind its end is read as far as it goes, with that as a flaw.
    """
    if _doubts(raw[:HEADER]) > 1 or len(raw) < HEADER:
        return None
    version, inverse, kind, length = raw[0], raw[1], _type(raw), _length(raw)
    payload = raw[HEADER : HEADER + length]
    known = MESSAGES.get(kind)
    name = known.name if known else "vehicle maker's message" if kind in _MAKERS else "reserved"
    header: dict[str, Any] = {
        "version": f"0x{version:02X}",
        "version_name": VERSIONS.get(version, "reserved"),
        "inverse_ok": version ^ inverse == 0xFF,
        "payload_type": f"0x{kind:04X}",
        "payload_type_name": name,
        "payload_len": length,
        "len_ok": len(raw) - HEADER == length,
        "user_data": "",
    }
    if known is None:
        values: dict[str, Any] = {"payload": payload.hex()}
        body: object = Reserved(payload.hex())
        flaws: list[str] = []
    else:
        values, flaws = _values(known.values, payload, known.needed)
        body = known.kind(**values)
    direction = Direction.UNKNOWN if known is None else Direction.UP if kind in _ANSWERS else Direction.DOWN
    if kind == DIAGNOSTIC:
        carried, direction, wrong = _carried(payload[4:], max(length - 4, 0))
        values |= carried
        flaws += wrong
    return Pdu("doip", name, kind, direction, header | values, body, (*_header_flaws(raw), *flaws))


def read_datagram(data: bytes) -> list[Span]:
    """The messages of one UDP datagram; spans as a stream's, and they joined are the datagram."""
    framer = Framer()
    return framer.feed(data) + framer.close()


def _type(head: bytes | bytearray) -> int:
    return int.from_bytes(head[2:4])


def _length(head: bytes | bytearray) -> int:
    return int.from_bytes(head[4:HEADER])


def _doubts(head: bytes | bytearray) -> int:
    """How many values of a header are wrong; of a part of a header, of those that are there."""
    doubts = int(len(head) > 0 and head[0] not in VERSIONS) + (len(head) > 1 and head[0] ^ head[1] != 0xFF)
    if len(head) < HEADER:
        return doubts
    kind, length = _type(head), _length(head)
    known = MESSAGES.get(kind)
    usual = known.fits(length) if known else kind in _MAKERS
    if length > (MOST_PAYLOAD if usual else MOST_ODD):
        return doubts + 2
    return doubts + (not usual)


def _header_flaws(raw: bytes) -> list[str]:
    version, inverse, kind, length, here = raw[0], raw[1], _type(raw), _length(raw), len(raw) - HEADER
    flaws = []
    if version not in VERSIONS:
        flaws.append(f"version 0x{version:02X} is reserved")
    if version ^ inverse != 0xFF:
        flaws.append(f"inverse version is {inverse:02x}, should be {version ^ 0xFF:02x}")
    if kind not in MESSAGES and kind not in _MAKERS:
        flaws.append(f"payload type 0x{kind:04X} is reserved")
    if kind in MESSAGES and not MESSAGES[kind].fits(length):
        flaws.append(f"a payload of {length} bytes does not fit: {MESSAGES[kind].name}")
    if here != length:
        flaws.append(f"the header says {length} bytes of payload, {here} are here")
    return flaws


def _values(layout: tuple[Value, ...], payload: bytes, needed: int) -> tuple[dict[str, Any], list[str]]:
    """A payload's values as far as they go; optional ones may be missing."""
    values: dict[str, Any] = {}
    at = 0
    for place, value in enumerate(layout):
        taken = payload[at:] if value.size == REST else payload[at : at + value.size]
        if not taken and place >= needed:
            break
        if len(taken) < value.size:
            return values, [f"{value.name} needs {value.size} bytes, {len(taken)} are left"]
        at += len(taken)
        values[value.name] = _shown(value, taken)
        if value.form == CODE:
            values[f"{value.name}_name"] = value.names.get(taken[0], "reserved")
    return values, []


def _shown(value: Value, taken: bytes) -> int | str:
    if value.form == HEX:
        return taken.hex()
    if value.form == COUNT:
        return int.from_bytes(taken)
    if value.form in {ADDRESS, CODE}:
        return f"0x{taken.hex().upper()}"
    return taken.decode("latin-1")


def _carried(payload: bytes, announced: int) -> tuple[dict[str, Any], Direction, list[str]]:
    """What a diagnostic message carries: its bytes, the service that its first one names, and which way that goes.

    What is `announced` and not here was cut off, and is not held against the service.
    """
    values = {"user_data": payload.hex(), "uds": payload.hex()}
    if not payload:
        return values, Direction.UNKNOWN, ["the diagnostic message carries nothing"]
    sid = payload[0]
    refused = sid == NEGATIVE_RESPONSE
    asked = SERVICES.get(payload[1] if refused and len(payload) > 1 else sid & ~RESPONSE_BIT)
    values["service"] = f"0x{sid:02X} {asked.name if asked else uds.UNKNOWN_SERVICE}"
    reading = uds.read(payload, complete=len(payload) == announced, length=announced)
    flaws = [f"UDS: {reading.reason}"] if isinstance(reading, uds.Bad) else []
    if isinstance(reading, uds.Reading):
        values["uds_kind"] = reading.kind.value
    if asked is None and not refused:
        return values, Direction.UNKNOWN, flaws
    return values, Direction.UP if refused or sid & RESPONSE_BIT else Direction.DOWN, flaws


def _inner(raw: bytes) -> int:
    """Where in a message that is cut short a whole one begins: a length that lies hides nothing. Else its length."""
    for match in _STARTS.finditer(raw, HEADER):
        head = raw[match.start() : match.start() + HEADER]
        if len(head) == HEADER and not _doubts(head) and match.start() + HEADER + _length(head) <= len(raw):
            return match.start()
    return len(raw)


class Framer:
    """Messages of one direction of a TCP connection (`feed`, `close`, `held` as every framer's).

    Memory: `HEADER` + `MOST_PAYLOAD` bytes and `STRETCH` more. A message is due at the beginning and behind a message;
    there one doubt about its header is a flaw of it. Anywhere else a header must be right in all. Bytes that are no
    message come out when the message behind them has its header, or when there are `STRETCH` of them.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._stray = 0  # so many bytes at the beginning of what is kept belong to no message
        self._due = True

    @property
    def held(self) -> int:
        """Bytes kept back until their message is whole."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[Span]:
        """All spans that these bytes complete."""
        self._kept += data
        found: list[Span] = []
        while self._step(found):
            pass
        return found

    def close(self) -> list[Span]:
        """What is kept at the end: a message that is cut short is read as far as it goes."""
        found: list[Span] = []
        while self._kept:
            while self._step(found):
                pass
            self._drop(found, self._stray)
            raw = bytes(self._kept)
            cut = _inner(raw)
            pdu = read(raw[:cut])
            if raw:
                found.append(Span(raw[:cut], pdu, "" if pdu else "no DoIP message"))
            del self._kept[:cut]
        return found

    def _step(self, found: list[Span]) -> bool:
        """Look at the next place where a message could begin; False when more bytes are needed first."""
        if not self._due:
            self._search(found)
        head = self._kept[self._stray : self._stray + HEADER]
        doubts = _doubts(head)
        if len(head) < HEADER and doubts <= int(self._due):
            return False
        if doubts > int(self._due):
            self._due = False
            self._stray += 1
            return True
        self._drop(found, self._stray)
        self._due = True
        end = HEADER + _length(head)
        if len(self._kept) < end:
            return False
        raw = bytes(self._kept[:end])
        del self._kept[:end]
        found.append(Span(raw, read(raw)))
        return True

    def _search(self, found: list[Span]) -> None:
        """Go on to the next version that is followed by its inverse, or could be with the next byte."""
        match = _STARTS.search(self._kept, self._stray)
        half = len(self._kept) > self._stray and self._kept[-1] in VERSIONS
        self._stray = match.start() if match else len(self._kept) - half
        while self._stray >= STRETCH:
            self._drop(found, STRETCH)

    def _drop(self, found: list[Span], count: int) -> None:
        """Give the first `count` bytes as none of ours."""
        if count:
            found.append(Span(bytes(self._kept[:count]), reason="no DoIP message"))
            del self._kept[:count]
            self._stray -= count
