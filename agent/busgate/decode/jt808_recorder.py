"""The driving recorder behind a terminal: 0x8700, 0x8701, 0x0700 (JT/T 808, clause 8; GB/T 19056-2012).

A block is `AA 75` or `55 7A`, command, length WORD, a reserved octet, data, and the exclusive or of all before. Command
82H to 84H and C2H to C4H write: vehicle, time, signal names, install time, pulse coefficient, mileage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from busgate.decode.jt808_frame import checksum
from busgate.decode.jt808_layout import Reading, fill, read_body
from busgate.decode.jt808_message import Message, Table
from busgate.decode.jt808_octets import Octets, ShortError
from busgate.decode.jt808_recorder_records import REPEATED, SINGLE, Range, Records

COMMANDS = {
    0x00: "standard version",
    0x01: "driver",
    0x02: "real time",
    0x03: "mileage",
    0x04: "pulse coefficient",
    0x05: "vehicle",
    0x06: "status signals",
    0x07: "recorder identity",
    0x08: "driving speed records",
    0x09: "position records",
    0x10: "accident records",
    0x11: "overtime driving records",
    0x12: "driver records",
    0x13: "power supply records",
    0x14: "parameter change records",
    0x15: "speed status log",
    0x82: "set vehicle",
    0x83: "set initial install date",
    0x84: "set status signals",
    0xC2: "set real time",
    0xC3: "set pulse coefficient",
    0xC4: "set initial mileage",
    0xFA: "collection failed",
    0xFB: "setting failed",
}
WRITES = frozenset({0x82, 0x83, 0x84, 0xC2, 0xC3, 0xC4})


@dataclass(frozen=True, slots=True)
class RecorderBlock:
    """0x8700, 0x8701, 0x0700: serial (0x0700 only), command, data, and what they say, if known."""

    response_serial: int | None
    command_word: int
    data: bytes
    content: object | None


_BEGINNINGS = frozenset({b"\xaa\x75", b"\x55\x7a"})


def _data_of(block: bytes, command: int, flaws: list[str]) -> bytes:
    """The data of a block, or all of it if it is none."""
    if block[:2] not in _BEGINNINGS or len(block) < 5:
        if block:
            flaws.append("the recorder block does not begin with aa 75 or 55 7a")
        return block
    if block[2] != command:
        flaws.append(f"the recorder block has command {block[2]:02x}")
    if checksum(block[:-1]) != block[-1]:
        flaws.append(f"the recorder block's checksum is {block[-1]:02x}, should be {checksum(block[:-1]):02x}")
    if block[2] in {0xFA, 0xFB}:
        return b""
    data = block[6:-1]
    if int.from_bytes(block[3:5]) != len(data):
        flaws.append(f"the recorder block says {int.from_bytes(block[3:5])} bytes of data, there are {len(data)}")
    return data


def _content(command: int, data: bytes, edition: int, down: bool) -> Reading | None:
    if command in REPEATED and down:
        return read_body(Range, data, edition)
    if command in SINGLE and not (down and command not in WRITES):
        return read_body(SINGLE[command], data, edition)
    if command not in REPEATED:
        return None
    records: list[Any] = []
    shown: list[dict[str, Any]] = []
    octets = Octets(data, edition)
    try:
        while octets.left:
            shown.append({})
            records.append(fill(REPEATED[command], octets, shown[-1]))
    except ShortError:
        return Reading(None, {"records": shown}, ("the recorder's records end early",))
    return Reading(Records(tuple(records)), {"records": shown})


def _recorder(body: bytes, edition: int, *, down: bool) -> Reading:
    at = 0 if down else 2
    if len(body) <= at:
        return Reading(None, {"extra": body.hex()}, (f"the body has {len(body)} bytes and ends early",))
    command, flaws = body[at], list[str]()
    shown: dict[str, Any] = {} if down else {"response_serial": int.from_bytes(body[:2])}
    block = body[at + 1 :]
    data = _data_of(block, command, flaws)
    shown |= {"command_word": command, "command_word_name": COMMANDS.get(command) or f"reserved ({command})"}
    shown |= {"writes": command in WRITES, "data": data.hex()}
    if block[2:3] in {b"\xfa", b"\xfb"}:
        shown["error"] = COMMANDS[block[2]]
    content = _content(command, data, edition, down) if data else None
    if content is not None:
        shown["content"] = content.fields
        flaws += content.flaws
    serial = shown.get("response_serial")
    return Reading(RecorderBlock(serial, command, data, content and content.body), shown, tuple(flaws))


def _up(body: bytes, edition: int, _certain: bool) -> Reading:
    return _recorder(body, edition, down=False)


def _down(body: bytes, edition: int, _certain: bool) -> Reading:
    return _recorder(body, edition, down=True)


RECORDER: Table = {
    0x0700: Message("driving recorder data upload", _up),
    0x8700: Message("driving recorder data collection command", _down),
    0x8701: Message("driving recorder parameter setting command", _down),
}
