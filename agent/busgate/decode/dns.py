"""DNS messages, over UDP one a datagram and over TCP behind their length: what was asked, what was answered.

Law: any bytes of at least a header give a `Pdu`, fewer give None; nothing raises. What follows a broken record is not
read, and a flaw says so. At most `MOST_RECORDS` records of a message are read. Clauses of RFC 1035 where no other RFC
is named. Multicast DNS and LLMNR have the same messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from busgate.decode.dns_names import OPERATIONS, RCODES, class_name, type_name
from busgate.decode.dns_records import data, name
from busgate.decode.net_framer import MORE, NONE, Framer
from busgate.decode.net_reader import Reader, Short
from busgate.model import Direction, Pdu, Span

HEADER = 12
MOST_RECORDS = 512
_OPT = 41


@dataclass(frozen=True, slots=True)
class Question:
    """4.1.2."""

    name: str
    type: str
    cls: str


@dataclass(frozen=True, slots=True)
class Record:
    """4.1.3. `data` holds what the type has: `address`, `target`, `port` and so on, or `data` in hexadecimal."""

    name: str
    type: str
    cls: str
    ttl: int
    """Seconds."""
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """4.1. `response` is the QR bit; the other flags have their names of RFC 1035, RFC 4035."""

    id: int
    response: bool
    opcode: str
    rcode: str
    """With the upper bits of EDNS, where there are any (RFC 6891, 6.1.3)."""
    authoritative: bool
    truncated: bool
    recursion_desired: bool
    recursion_available: bool
    authentic_data: bool
    checking_disabled: bool
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authorities: tuple[Record, ...] = ()
    additionals: tuple[Record, ...] = ()
    """With OPT, whose class and time to live mean something else and are in its data (RFC 6891, 6.1.3)."""


def read(raw: bytes) -> Pdu | None:
    """Read one message, without the length it has over TCP; None where not even its header is whole."""
    if len(raw) < HEADER:
        return None
    flaws: list[str] = []
    reader = Reader(raw)
    number, flags = reader.number(2, "the header"), reader.number(2, "the header")
    counts = [reader.number(2, "the header") for _ in range(4)]
    questions, sections, extended = _sections(reader, counts, flaws)
    rcode = extended << 4 | flags & 15
    opcode = flags >> 11 & 15
    message = Message(
        number,
        bool(flags & 0x8000),
        OPERATIONS.get(opcode, str(opcode)),
        RCODES.get(rcode, str(rcode)),
        bool(flags & 0x0400),
        bool(flags & 0x0200),
        bool(flags & 0x0100),
        bool(flags & 0x0080),
        bool(flags & 0x0020),
        bool(flags & 0x0010),
        tuple(questions),
        *(tuple(section) for section in sections),
    )
    if flags & 0x40:
        flaws.append("the reserved bit of the header is set")
    direction = Direction.DOWN if message.response else Direction.UP
    return Pdu(
        "dns", "response" if message.response else "query", opcode, direction, _row(message), message, tuple(flaws)
    )


def _sections(reader: Reader, counts: list[int], flaws: list[str]) -> tuple[list[Question], list[list[Record]], int]:
    """Questions and records until one is broken; and the upper bits of the response code."""
    questions: list[Question] = []
    sections: list[list[Record]] = [[], [], []]
    extended = 0
    try:
        for _ in range(min(counts[0], MOST_RECORDS)):
            asked = name(reader)
            kind, cls = reader.number(2, "a question's type"), reader.number(2, "a question's class")
            questions.append(Question(asked, type_name(kind), class_name(cls)))
        for section, count in zip(sections, counts[1:], strict=True):
            for _ in range(min(count, MOST_RECORDS)):
                extended |= _record(reader, section, flaws)
        if reader.left:
            flaws.append(f"{reader.left} bytes follow the last record")
    except Short as short:
        flaws.append(str(short))
    if max(counts) > MOST_RECORDS:
        flaws.append(f"the header counts {max(counts)} entries; at most {MOST_RECORDS} of a kind are read")
    return questions, sections, extended


def _record(reader: Reader, section: list[Record], flaws: list[str]) -> int:
    """Read one record into its section; what of the response code an OPT holds (RFC 6891, 6.1.3)."""
    owner = name(reader)
    kind, cls, ttl = reader.number(2, "a type"), reader.number(2, "a class"), reader.number(4, "a time to live")
    size = reader.number(2, "a record's length")
    if kind == _OPT:
        options = reader.take(size, "the data of an OPT record").hex()
        edns = {
            "udp_payload_size": cls,
            "version": ttl >> 16 & 0xFF,
            "dnssec_ok": bool(ttl & 0x8000),
            "options": options,
        }
        section.append(Record(owner, "OPT", "", 0, edns))
        return ttl >> 24
    found = data(kind, reader, size)
    if flaw := found.pop("flaw", ""):
        flaws.append(f"{owner} {type_name(kind)}: {flaw}")
    section.append(Record(owner, type_name(kind), class_name(cls), ttl, found))
    return 0


def _row(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "response": message.response,
        "opcode": message.opcode,
        "rcode": message.rcode,
        "authoritative": message.authoritative,
        "truncated": message.truncated,
        "recursion_desired": message.recursion_desired,
        "recursion_available": message.recursion_available,
        "authentic_data": message.authentic_data,
        "checking_disabled": message.checking_disabled,
        "questions": [{"name": q.name, "type": q.type, "class": q.cls} for q in message.questions],
        **{
            what: [{"name": r.name, "type": r.type, "class": r.cls, "ttl": r.ttl, **r.data} for r in records]
            for what, records in (
                ("answers", message.answers),
                ("authorities", message.authorities),
                ("additionals", message.additionals),
            )
        },
    }


class Stream(Framer):
    """The messages of one direction of a TCP connection, each behind a length of two octets (4.2.2).

    At the start of the stream and after a message any length of a header or more is believed; otherwise only a message
    without a flaw. Held back are at most 65,537 bytes and one stretch.
    """

    UNKNOWN = "no message starts here"
    CUT = "the stream ends within a message"
    START = re.compile(rb"(?s)(?=.{6}\0.\0.\0.\0)|(?=.{1,12}\Z)")

    def _measure(self, buffer: bytearray, at: int, *, closing: bool) -> int:
        del closing
        head = buffer[at : at + 2 + HEADER]
        if len(head) < 2 + HEADER:
            return MORE if len(head) < 2 or head[0] << 8 | head[1] >= HEADER else NONE
        size = 2 + (head[0] << 8 | head[1])
        # Reserved bit, operation and counts: what no resolver sends.
        if size < 2 + HEADER or head[5] & 0x40 or head[4] >> 3 & 15 > 6 or any(head[at] for at in (6, 8, 10, 12)):
            return NONE
        if self.synced or self.fresh or len(buffer) < at + size:
            return size
        pdu = read(bytes(buffer[at + 2 : at + size]))
        return NONE if pdu is None or pdu.flaws or not pdu.fields["questions"] else size

    def _unit(self, raw: bytes) -> list[Span]:
        return [Span(raw, read(raw[2:]))]
