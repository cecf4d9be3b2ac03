"""DBC files to message decoders: one compiled function per message, found by CAN identifier or parameter group.

Law: text in, decoders out; what a file says wrongly is a `DbcError` at load, what a frame says wrongly is an
`Undecodable` value. A decoder gives exactly what cantools' `message.decode` gives, labels as plain text.

J1939 messages are found by parameter group number (PGN), never by a frame-id mask: no one mask fits both PDU formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from busgate.decode.dbc_compile import Decode, Reader, compile_decode, compile_reader
from busgate.decode.dbc_fields import Tables
from busgate.decode.dbc_signal import DbcError, Signal, Undecodable
from busgate.decode.dbc_text import MessageLayout, read_messages
from busgate.model import ERROR, EXTENDED, REMOTE

__all__ = ["Database", "DbcError", "MessageDecoder", "Undecodable"]

# SAE J1939-21, 5.2: the identifier is priority (3 bits), EDP, DP, PF (8), PS (8), SA (8).
_PDU2 = 0xF000
_NULL_ADDRESS = 0xFE


def _pgn(can_id: int) -> int:
    """The 18-bit PGN: EDP, DP, PF, and PS where PF is 240 or more; below it PS is a destination (J1939-21, 5.2.3)."""
    pgn = can_id >> 8 & 0x3_FFFF
    return pgn if pgn & 0xFFFF >= _PDU2 else pgn & 0x3_FF00


class MessageDecoder:
    """One DBC message, compiled.

    `can_id` is a canid_t (29-bit identifiers carry `EXTENDED`); `pgn` and `sa` are None unless it is read as J1939.
    `decode(data)` gives every signal present: `{name: number in its unit, or label}`, or why not. Data may be longer
    than `length`; shorter is refused. `units` has "" for signals without one; `source` is what was compiled.
    """

    __slots__ = (
        "_layout", "_signals", "_tables", "can_id", "decode", "length", "name", "pgn", "place", "sa", "senders",
        "signals", "source", "units",
    )  # fmt: skip

    def __init__(self, layout: MessageLayout, tables: Tables, *, j1939: bool) -> None:
        grouped = j1939 and bool(layout.can_id & EXTENDED)
        self.name = layout.name
        self.place = layout.place
        self.can_id = layout.can_id
        self.pgn: int | None = _pgn(layout.can_id) if grouped else None
        self.sa: int | None = layout.can_id & 0xFF if grouped else None
        self.length = layout.length
        self.senders = layout.senders
        self.signals = tuple(signal.name for signal in layout.signals)
        self.units: Mapping[str, str] = MappingProxyType({signal.name: signal.unit for signal in layout.signals})
        self.decode: Decode
        self.decode, self.source = compile_decode(layout, tables)
        self._signals = {signal.name: signal for signal in layout.signals}
        self._layout = layout
        self._tables = tables

    def reader(self, signals: Sequence[str]) -> Reader:
        """A function that reads only these signals, as numbers in their unit (never labels), in their order.

        None stands for a signal that the message's multiplexers leave out; all are None when the data is too short.
        A multiplexer that selects nothing leaves out what lies under it and no more. Raises DbcError on a name that
        the message does not have.
        """
        return compile_reader(self._layout, [self._signal(name).unlabelled() for name in signals], self._tables)[0]

    def raw_reader(self, signals: Sequence[str]) -> Reader:
        """As `reader`, with raw values: integers, except for signals that are floats on the wire."""
        return compile_reader(self._layout, [self._signal(name).bare() for name in signals], self._tables)[0]

    def choices(self, signal: str) -> Mapping[int, str]:
        """The value table of a signal, by raw value; empty when it has none. Raises DbcError on an unknown name."""
        return MappingProxyType(dict(self._signal(signal).labels))

    def _signal(self, name: str) -> Signal:
        if name not in self._signals:
            known = ", ".join(self.signals) or "none"
            raise DbcError(f"{self.place}: message {self.name} has no signal {name!r}; it has: {known}")
        return self._signals[name]


class Database:
    """All messages of a vehicle, from one or several DBC files."""

    def __init__(self, decoders: Sequence[MessageDecoder]) -> None:
        self.decoders: Mapping[str, MessageDecoder] = MappingProxyType(_unique(decoders))
        self._by_id = {decoder.can_id: decoder for decoder in decoders}
        self._by_source = {(decoder.pgn, decoder.sa): decoder for decoder in decoders if decoder.pgn is not None}
        self._by_group = dict(_groups(decoders))

    @classmethod
    def load(cls, texts: Mapping[str, str], *, j1939: bool = True) -> Database:
        """Read DBC texts, given by file name; with `j1939`, 29-bit identifiers are parameter groups.

        VFrameFormat is not asked which of them are: the vehicle's profile knows, and files that say "ExtendedCAN" of
        J1939 messages are common. Raises DbcError, also when two messages claim one name, identifier or PGN and SA.
        """
        tables: Tables = {}
        layouts = [layout for name, text in texts.items() for layout in read_messages(name, text)]
        return cls([MessageDecoder(layout, tables, j1939=j1939) for layout in layouts])

    def find(self, can_id: int) -> MessageDecoder | None:
        """The decoder of a canid_t: of this very identifier, else of its parameter group (see `by_pgn`).

        Remote and error frames have none: they carry no data of the message.
        """
        decoder = self._by_id.get(can_id)
        if decoder is not None or not can_id & EXTENDED or can_id & (REMOTE | ERROR):
            return decoder
        return self.by_pgn(_pgn(can_id), can_id & 0xFF)

    def by_id(self, can_id: int) -> MessageDecoder | None:
        """The decoder of this very identifier (canid_t)."""
        return self._by_id.get(can_id)

    def by_pgn(self, pgn: int, sa: int | None = None) -> MessageDecoder | None:
        """The decoder of a parameter group as `sa` sends it, else of the group whoever sends it.

        Where several senders have a message of that group, the one written for any sender counts (source address
        0xFE, J1939-81's null address); without one there is none: their layouts may differ.
        """
        return self._by_source.get((pgn, sa)) or self._by_group.get(pgn)

    def named(self, name: str) -> MessageDecoder | None:
        """The decoder of a message by its name."""
        return self.decoders.get(name)

    def choices(self, message: str, signal: str) -> Mapping[int, str]:
        """The value table of a signal, by raw value; empty when it has none. Raises DbcError on an unknown name."""
        if message not in self.decoders:
            raise DbcError(f"no DBC file of this vehicle has a message {message!r}; see the 'dbc' list of its profile")
        return self.decoders[message].choices(signal)


def _unique(decoders: Sequence[MessageDecoder]) -> dict[str, MessageDecoder]:
    """The decoders by name; refuses two that a frame, or a rule, could not tell apart."""
    seen: dict[object, MessageDecoder] = {}
    for decoder in decoders:
        claims = {f"the name {decoder.name}": decoder.name, f"the identifier 0x{decoder.can_id:X}": decoder.can_id}
        if decoder.pgn is not None:
            claims[f"PGN 0x{decoder.pgn:04X} from source address 0x{decoder.sa:02X}"] = (decoder.pgn, decoder.sa)
        for claim, key in claims.items():
            other = seen.setdefault(key, decoder)
            if other is not decoder:
                known = f"message {other.name} has it already ({other.place})"
                raise DbcError(f"{decoder.place}: message {decoder.name} takes {claim}, but {known}")
    return {decoder.name: decoder for decoder in decoders}


def _groups(decoders: Sequence[MessageDecoder]) -> Iterator[tuple[int, MessageDecoder]]:
    """For each parameter group the decoder that serves whoever sends it, if one can."""
    senders: dict[int, list[MessageDecoder]] = {}
    for decoder in decoders:
        if decoder.pgn is not None:
            senders.setdefault(decoder.pgn, []).append(decoder)
    for pgn, group in senders.items():
        anyone = [decoder for decoder in group if decoder.sa == _NULL_ADDRESS] or group
        if len(anyone) == 1:
            yield pgn, anyone[0]
