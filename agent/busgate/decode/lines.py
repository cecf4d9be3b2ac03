"""Lines of text in, decoded values out: the way for others to hold our decoders against theirs.

Law: one object for every line that says something, in order, whatever the line says; what cannot be decoded has
`malformed` with its reason beside whatever could be read. Transfers run from line to line, each channel by itself.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple, assert_never

from busgate.decode import isotp, rows, uds
from busgate.decode.dbc import Database, MessageDecoder, Undecodable
from busgate.decode.frame_text import FrameLine, PayloadLine, Unreadable, read_line
from busgate.decode.j1939 import canonical, split
from busgate.decode.j1939_transport import Watcher
from busgate.decode.rows import Row
from busgate.model import ERROR, EXTENDED, IDENTIFIER, REMOTE, BusgateError

MOST_CHANNELS = 64
"""How many channels are followed at once; the one heard first makes room."""

# ISO 15765-2:2016, tables 6, 8 and 10: group number to address bytes, and whether every ECU is meant.
_FIXED = {0xDA00: (0, False), 0xDB00: (0, True), 0xCE00: (1, False), 0xCD00: (1, True)}


class Protocol(StrEnum):
    """What the lines are read as."""

    DBC = "dbc"
    J1939 = "j1939"
    ISOTP = "isotp"
    UDS = "uds"


class Addressing(NamedTuple):
    """Which frames carry an address byte before the ISO-TP control byte, where their identifier does not say so.

    `address_bytes` (0 or 1) is for all of them; those of `identifiers` carry one in any case.
    """

    address_bytes: int = 0
    identifiers: frozenset[int] = frozenset()

    def of(self, can_id: int) -> int:
        """Address bytes of an identifier (flags are ignored)."""
        return 1 if can_id & IDENTIFIER in self.identifiers else self.address_bytes


_AS_THE_IDENTIFIER_SAYS = Addressing()


class LineDecoder:
    """Decodes lines as one protocol.

    `database` serves DBC; `message` and `pgn` say what a payload without an identifier is, and `message` also what
    every frame is. Raises BusgateError when the database has no such message.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        database: Database | None = None,
        message: str | None = None,
        pgn: int | None = None,
        addressing: Addressing = _AS_THE_IDENTIFIER_SAYS,
    ) -> None:
        self._protocol = protocol
        self._database = database or Database(())
        self._message = None if message is None else _named(self._database, message)
        self._pgn = None if pgn is None else canonical(pgn)
        self._addressing = addressing
        self._transport: dict[str, Watcher] = {}
        self._isotp = isotp.Watcher()
        self._now = 0
        self._line = 0

    def decode(self, text: str) -> Row | None:
        """Decode one line; None for a blank one or a comment."""
        self._line += 1
        line = read_line(text)
        if line is None:
            return None
        row = self._read(line)
        if "malformed" in row:
            row["line"] = self._line
        return row

    def _read(self, line: FrameLine | PayloadLine | Unreadable) -> Row:
        match line:
            case Unreadable():
                return {"malformed": line.reason}
            case PayloadLine():
                return {"can_id": None, "data": line.payload.hex()} | self._payload(line.payload)
            case FrameLine():
                # The watchers' clocks never run backwards; a line without a time is as late as the one before.
                self._now = max(self._now, self._now if line.at is None else line.at)
                frame = {"can_id": rows.identifier_text(line.can_id), "data": line.data.hex()}
                if line.can_id & REMOTE:
                    return frame | {"data": "", "malformed": "a remote frame asks for data and has none"}
                return frame | ({"malformed": "an error frame"} if line.can_id & ERROR else self._frame(line))
            case _:
                assert_never(line)

    def _payload(self, payload: bytes) -> Row:
        match self._protocol:
            case Protocol.UDS:
                return rows.diagnostic(payload, uds.read(payload))
            case Protocol.ISOTP:
                return rows.isotp_step(
                    self._step("", None, payload, self._addressing.address_bytes, fd=len(payload) > isotp.CLASSIC)
                )
            case Protocol.J1939:
                if self._pgn is None:
                    return {"malformed": "a payload alone does not say its group; name it with --pgn"}
                return {"prio": None, **rows.pgn(self._pgn), "sa": None, "da": None}
            case Protocol.DBC:
                decoder = self._message or (None if self._pgn is None else self._database.by_pgn(self._pgn))
                return _signals(decoder, payload, "a payload alone does not say its message; name it with --message")
            case _:
                assert_never(self._protocol)

    def _frame(self, line: FrameLine) -> Row:
        match self._protocol:
            case Protocol.DBC:
                decoder = self._message or self._database.find(line.can_id)
                return _signals(decoder, line.data, "no message of the DBC has this identifier")
            case Protocol.J1939:
                return self._group(line)
            case Protocol.ISOTP:
                return self._segment(line)
            case Protocol.UDS:
                row = self._segment(line)
                if "payload" in row:
                    payload = bytes.fromhex(row["payload"])
                    row |= rows.diagnostic(payload, uds.read(payload))
                return row
            case _:
                assert_never(self._protocol)

    def _group(self, line: FrameLine) -> Row:
        """J1939: the identifier, and for transport frames their session."""
        if not line.can_id & EXTENDED:
            return {"malformed": "an 11-bit identifier is not J1939"}
        identifier = split(line.can_id)
        row = rows.group(identifier)
        if identifier.pgn not in rows.TRANSPORT:
            return row
        if line.channel not in self._transport:
            if len(self._transport) >= MOST_CHANNELS:
                del self._transport[next(iter(self._transport))]
            self._transport[line.channel] = Watcher()
        step = self._transport[line.channel].receive(self._now, identifier, line.data)
        return row | rows.transport(identifier, line.data, step)

    def _segment(self, line: FrameLine) -> Row:
        """ISO-TP: addresses where the identifier or the address byte has them, then the frame."""
        identifier = split(line.can_id)
        fixed = _FIXED.get(identifier.pgn) if line.can_id & EXTENDED else None
        if fixed is not None:
            address_bytes, functional = fixed
            row: Row = {"addressing": "mixed" if address_bytes else "normal-fixed", "functional": functional}
            row |= {"source": identifier.sa, "target": identifier.da}
            if address_bytes:
                row["extension"] = line.data[0] if line.data else None
        else:
            address_bytes = self._addressing.of(line.can_id)
            row = {"addressing": "extended" if address_bytes else "normal"}
            if address_bytes:
                row["target"] = line.data[0] if line.data else None
        fd = bool(line.flags)
        return row | rows.isotp_step(self._step(line.channel, line.can_id, line.data, address_bytes, fd=fd))

    def _step(self, channel: str, can_id: int | None, data: bytes, address_bytes: int, *, fd: bool) -> isotp.Step:
        address = data[0] if address_bytes and data else None
        step = self._isotp.receive(self._now, (channel, can_id, address), data, address_bytes=address_bytes, fd=fd)
        if isinstance(step, isotp.FlowControl) and can_id is not None and can_id & EXTENDED:
            # The receiver may make the sender wait (9.6.5): on 29 bits its frames swap source and target.
            sender = can_id & ~0xFFFF | (can_id & 0xFF) << 8 | can_id >> 8 & 0xFF
            self._isotp.defer(self._now, (channel, sender, address))
        return step


def _named(database: Database, message: str) -> MessageDecoder:
    decoder = database.decoders.get(message)
    if decoder is None:
        near = get_close_matches(message, database.decoders, n=3, cutoff=0.4) or sorted(database.decoders)[:3]
        known = f"such as {', '.join(near)}" if near else "by giving its DBC with --dbc FILE"
        raise BusgateError(f"there is no message {message!r} in the DBC. Next: name one {known}")
    return decoder


def _signals(decoder: MessageDecoder | None, data: bytes, unknown: str) -> Row:
    if decoder is None:
        return {"malformed": unknown}
    found = decoder.decode(data)
    if isinstance(found, Undecodable):
        return {"message": decoder.name, "malformed": found.reason}
    units = {name: unit for name in found if (unit := decoder.units.get(name))}
    return {"message": decoder.name, "signals": rows.values(found), "units": units}
