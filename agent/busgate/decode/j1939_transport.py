"""J1939's transport protocols watched from the middle: frames of both directions in, sessions out, nothing ever sent.

Law: a payload is complete only when every packet of it passed here whole, in order and in time (J1939-21, 5.10; ISO
11783-3 for the extended protocol). A fault ends a broadcast; a session with a receiver waits, since only the receiver's
CTS may make the sender go back. Where the two disagree with us about what passed, nothing is completed.

The group is known from the announcement on, before any of its bytes: that is where a command is stopped. A receiver
that has a finished transfer sent again gets it completed again, if it changed. Of an extended transfer the first
`KEPT` bytes are held, enough to judge; `Complete.truncated` says so.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum
from typing import NamedTuple, assert_never

from busgate.decode.j1939 import PGN_ETP_CM, PGN_ETP_DT, PGN_TP_CM, PGN_TP_DT, Identifier
from busgate.decode.j1939_control import PACKET, Control, ControlKind, Fault, read_control
from busgate.decode.j1939_session import ETP_LENGTHS, TP_LENGTHS, Session
from busgate.model import GLOBAL_ADDRESS


class Irregular(StrEnum):
    """What an announcement does that the standard does not, and that receivers may take all the same."""

    SHORT = "the length needs no session of this protocol"
    RTS_TO_ALL = "a request to send to every address"
    BAM_TO_ONE = "a broadcast announcement to one address"
    STRAY_BITS = "stray bits in the group number"


class HandshakeKind(StrEnum):
    """How the two ends steer a session."""

    CTS = "cts"
    ACK = "ack"
    ABORT = "abort"
    DPO = "dpo"


class Announced(NamedTuple):
    """RTS or BAM: a transfer of `length` bytes in `packets` packets is to come.

    `interrupted` is the group of an unfinished session of the same pair that this one replaces.
    """

    pgn: int
    sa: int
    da: int
    length: int
    packets: int
    broadcast: bool
    extended: bool
    interrupted: int | None = None
    irregular: tuple[Irregular, ...] = ()


class Data(NamedTuple):
    """A packet that belongs to an open session and does not finish it; `sequence` is its absolute number, from 1."""

    pgn: int
    sa: int
    da: int
    sequence: int


class Complete(NamedTuple):
    """The packet that finished a session. `payload` has `length` bytes, or the first `KEPT` of them."""

    pgn: int
    sa: int
    da: int
    payload: bytes
    length: int
    sequence: int

    @property
    def truncated(self) -> bool:
        """Whether only the beginning was kept."""
        return len(self.payload) < self.length


class Handshake(NamedTuple):
    """A frame that steers a session. `sa` and `da` are the frame's own; `open` is whether it has a session to steer."""

    kind: HandshakeKind
    pgn: int
    sa: int
    da: int
    from_originator: bool
    open: bool


class Broken(NamedTuple):
    """What does not follow the protocol; `ended` is whether a session ended by it. `sa` and `da` are the frame's."""

    reason: Fault
    pgn: int | None
    sa: int
    da: int
    ended: bool = False


Step = Announced | Data | Complete | Handshake | Broken


class Key(NamedTuple):
    """One session at a time runs from `sa` to `da` on each protocol (J1939-21, 5.10.5)."""

    extended: bool
    sa: int
    da: int


class Watcher:
    """Follows every session on one wire, in both directions.

    Memory is bounded by `max_sessions` (at least 1) of `KEPT` bytes each. When all are taken, the longest silent one
    of the sender that holds most gives way (the next `tick` says so): a flood of announcements hurts the flooder.
    """

    def __init__(self, *, max_sessions: int = 256) -> None:
        self._max_sessions = max_sessions
        self._open: dict[Key, Session] = {}
        self._evicted: deque[tuple[int, Broken]] = deque(maxlen=max_sessions)

    def receive(self, at: int, identifier: Identifier, data: bytes) -> Step:
        """Read one frame of TP.CM, TP.DT, ETP.CM or ETP.DT; `at` in ns never runs backwards on one watcher."""
        pgn = identifier.pgn
        key = Key(pgn in (PGN_ETP_CM, PGN_ETP_DT), identifier.sa, identifier.da)
        if pgn in (PGN_TP_DT, PGN_ETP_DT):
            return self._packet(at, key, data)
        if pgn not in (PGN_TP_CM, PGN_ETP_CM):
            return Broken(Fault.NOT_TRANSPORT, pgn, key.sa, key.da)
        control = read_control(data, extended=key.extended)
        if isinstance(control, Fault):
            return Broken(control, None, key.sa, key.da)
        return self._control(at, key, control)

    def tick(self, now: int) -> tuple[Broken, ...]:
        """End the sessions whose next frame did not come in time, and tell which gave way; finished ones just end."""
        ended = [broken for _, broken in self._evicted]
        self._evicted.clear()
        for key in [key for key, session in self._open.items() if now >= session.deadline]:
            session = self._open.pop(key)
            if not session.whole:
                ended.append(Broken(Fault.SILENT, session.pgn, key.sa, key.da, ended=True))
        return tuple(ended)

    def next_deadline(self) -> int | None:
        """When to call `tick`, or None while nothing waits."""
        if self._evicted:
            return self._evicted[0][0]
        return min((session.deadline for session in self._open.values()), default=None)

    def _control(self, at: int, key: Key, control: Control) -> Step:
        match control.kind:
            case ControlKind.RTS | ControlKind.BAM:
                return self._announce(at, key, control)
            case ControlKind.DPO:
                return self._offset(at, key, control)
            case ControlKind.CTS:
                return self._clear(at, key, control)
            case ControlKind.ACK:
                return self._acknowledge(at, key, control)
            case ControlKind.ABORT:
                return self._abort(at, key, control)
            case _:
                assert_never(control.kind)

    def _announce(self, at: int, key: Key, control: Control) -> Step:
        """J1939-21, 5.10.3.1 and 5.10.3.5: a new announcement of a pair replaces what was open between them."""
        replaced = self._open.pop(key, None)
        shortest, longest = ETP_LENGTHS if key.extended else TP_LENGTHS
        if not 0 < control.length <= longest:
            return Broken(Fault.LENGTH, control.pgn, key.sa, key.da, ended=replaced is not None)
        if control.packets != -(-control.length // PACKET):
            return Broken(Fault.COUNT, control.pgn, key.sa, key.da, ended=replaced is not None)
        if len(self._open) >= self._max_sessions:
            self._evict(at)
        to_all = key.da == GLOBAL_ADDRESS
        broadcast = to_all or control.kind is ControlKind.BAM
        odd = {
            Irregular.SHORT: control.length < shortest,
            Irregular.RTS_TO_ALL: to_all and control.kind is ControlKind.RTS,
            Irregular.BAM_TO_ONE: not to_all and control.kind is ControlKind.BAM,
            Irregular.STRAY_BITS: control.stray,
        }
        self._open[key] = Session(at, control, broadcast=broadcast, extended=key.extended)
        return Announced(
            control.pgn,
            key.sa,
            key.da,
            control.length,
            control.packets,
            broadcast,
            key.extended,
            None if replaced is None or replaced.whole else replaced.pgn,
            tuple(what for what, applies in odd.items() if applies),
        )

    def _packet(self, at: int, key: Key, data: bytes) -> Step:
        """J1939-21, 5.10.4: one packet, its sequence number in byte 0."""
        session = self._open.get(key)
        if session is None or (session.whole and at >= session.deadline):
            return Broken(Fault.NO_SESSION, None, key.sa, key.da)
        if at >= session.deadline:
            del self._open[key]
            return Broken(Fault.SILENT, session.pgn, key.sa, key.da, ended=True)
        number = session.offset + data[0] if data else 0
        if fault := session.packet(at, number, data[1:]):
            # A broadcast has nobody to ask again; a receiver may, with a CTS.
            if session.broadcast:
                del self._open[key]
            return Broken(fault, session.pgn, key.sa, key.da, ended=session.broadcast)
        if not session.completes(number):
            return Data(session.pgn, key.sa, key.da, number)
        if session.broadcast:
            del self._open[key]
        return Complete(session.pgn, key.sa, key.da, bytes(session.data), session.length, number)

    def _clear(self, at: int, key: Key, control: Control) -> Handshake:
        """CTS (5.10.3.2): how many packets, from which on; none at all holds the session open."""
        session = self._answered(at, key, control)
        if session is not None:
            session.clear(at, control.packets, control.first)
        return self._handshake(HandshakeKind.CTS, key, control, originator=False, found=session is not None)

    def _offset(self, at: int, key: Key, control: Control) -> Step:
        """DPO (ISO 11783-3): the packets to come, counted on from the offset."""
        session = self._current(at, key)
        if session is None or session.pgn != control.pgn:
            return self._handshake(HandshakeKind.DPO, key, control, originator=True, found=False)
        if not session.offer(at, control.packets, control.first):
            return Broken(Fault.OFFSET, session.pgn, key.sa, key.da)
        return self._handshake(HandshakeKind.DPO, key, control, originator=True, found=True)

    def _acknowledge(self, at: int, key: Key, control: Control) -> Handshake:
        """End of message (5.10.3.3): the receiver has it all."""
        found = self._answered(at, key, control) is not None
        if found:
            del self._open[Key(key.extended, key.da, key.sa)]
        return self._handshake(HandshakeKind.ACK, key, control, originator=False, found=found)

    def _abort(self, at: int, key: Key, control: Control) -> Handshake:
        """Abort (5.10.3.4), from either end: the originator's own session is looked for first."""
        mine = self._current(at, key)
        originator = mine is not None and mine.pgn == control.pgn
        found = originator or self._answered(at, key, control) is not None
        if found:
            del self._open[key if originator else Key(key.extended, key.da, key.sa)]
        return self._handshake(HandshakeKind.ABORT, key, control, originator=originator, found=found)

    def _current(self, at: int, key: Key) -> Session | None:
        """The session of a key, unless it fell silent (it then stays until `tick` tells of it)."""
        session = self._open.get(key)
        return None if session is None or at >= session.deadline else session

    def _answered(self, at: int, key: Key, control: Control) -> Session | None:
        """The session that a receiver's frame answers: the other way round, and of the same group."""
        session = self._current(at, Key(key.extended, key.da, key.sa))
        return session if session is not None and session.pgn == control.pgn and not session.broadcast else None

    @staticmethod
    def _handshake(kind: HandshakeKind, key: Key, control: Control, *, originator: bool, found: bool) -> Handshake:
        return Handshake(kind, control.pgn, key.sa, key.da, originator, found)

    def _evict(self, at: int) -> None:
        busiest = Counter(key.sa for key in self._open).most_common(1)[0][0]
        key = min((key for key in self._open if key.sa == busiest), key=lambda key: self._open[key].deadline)
        self._evicted.append((at, Broken(Fault.CROWDED, self._open.pop(key).pgn, key.sa, key.da, ended=True)))
