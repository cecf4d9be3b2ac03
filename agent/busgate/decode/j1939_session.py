"""One J1939 transport session: what was announced, what passed, and which packet may come next.

Law: a packet is taken only when it is the one awaited, whole; anything else leaves the session waiting for its
receiver's CTS, which may go back but never skip what did not pass here. Packet numbers are absolute, from 1.
"""

from __future__ import annotations

from busgate.decode.j1939_control import PACKET, Control, Fault

# J1939-21, 5.10.2: how long each side waits for the other, in ns.
T1 = 750_000_000
"""Between two packets of one window."""
T2 = 1_250_000_000
"""From CTS to the first packet."""
T3 = 1_250_000_000
"""From the announcement, or the last packet of a window, to the receiver's answer."""
T4 = 1_050_000_000
"""From a CTS that holds the session open to the next."""

TP_LENGTHS = (9, 1785)
ETP_LENGTHS = (1786, 117_440_505)
KEPT = 65_536
"""Bytes held of one session at most."""


class Session:
    """A transfer on its way.

    `seen` is the last packet before which none is missing; `expected` the one to come, None while only the receiver
    can say; `until` the last of the window; `offset` what the last DPO added to the sequence numbers.
    """

    __slots__ = (
        "_asked",
        "_changed",
        "_expected",
        "_extended",
        "_until",
        "broadcast",
        "data",
        "deadline",
        "length",
        "offset",
        "packets",
        "pgn",
        "seen",
    )

    def __init__(self, at: int, control: Control, *, broadcast: bool, extended: bool) -> None:
        """Open a session as an RTS or BAM announced it."""
        self.pgn = control.pgn
        self.length = control.length
        self.packets = control.packets
        self.broadcast = broadcast
        self.data = bytearray()
        self.deadline = at + (T1 if broadcast else T3)
        self.seen = 0
        self.offset = 0
        self._extended = extended
        # An extended sender first says with DPO which packets come; a short one starts with the first.
        self._expected = None if extended else 1
        self._until = 0 if extended else control.packets
        self._asked: int | None = None
        self._changed = True

    @property
    def whole(self) -> bool:
        """Whether every packet has passed."""
        return self.seen == self.packets

    def packet(self, at: int, number: int, piece: bytes) -> Fault | None:
        """Take one packet, or say why not; after a fault only the receiver's CTS starts the flow again."""
        needed = min(PACKET, self.length - (number - 1) * PACKET)
        fault = self._fault(number, needed, piece)
        if fault is not None:
            self._expected = None
            return fault
        self._store((number - 1) * PACKET, piece[:needed])
        self.seen = max(self.seen, number)
        self._expected = None if number == self.packets else number + 1
        self.deadline = at + (T3 if self._ends_window(number) and not self.broadcast else T1)
        return None

    def completes(self, number: int) -> bool:
        """Whether the packet just taken gives a payload that was not given yet."""
        done = self.whole and self._ends_window(number) and self._changed
        self._changed = self._changed and not done
        return done

    def clear(self, at: int, packets: int, first: int) -> None:
        """A CTS grants `packets` packets from `first` on (J1939-21, 5.10.3.2); none holds the session open."""
        self.deadline = at + (T2 if packets else T4)
        if not packets:
            return
        # Beyond what passed here, the receiver would hold something that we did not see.
        self._asked = max(1, first) if first <= self.seen + 1 else None
        if self._asked is None:
            self._expected = None
        elif not self._extended:
            self._expected = self._asked
            self._until = min(self.packets, self._asked + packets - 1)

    def offer(self, at: int, packets: int, first: int) -> bool:
        """A DPO offers `packets` packets from `first` on (ISO 11783-3); False when that is not their turn."""
        waits = self._expected is None and self.seen > 0
        due = self._asked or (None if waits else self.seen + 1)
        self._asked = None
        if not packets or first != due:
            self._expected = None
            return False
        self.offset = first - 1
        self._expected = first
        self._until = min(self.packets, self.offset + packets)
        self.deadline = at + T2
        return True

    def _ends_window(self, number: int) -> bool:
        return number in (self._until, self.packets)

    def _fault(self, number: int, needed: int, piece: bytes) -> Fault | None:
        if number != self._expected or number > (self._until if self._extended else self.packets):
            return Fault.REPEATED if self.offset < number <= self.seen else Fault.OUT_OF_ORDER
        return Fault.PACKET_SHORT if len(piece) < needed else None

    def _store(self, start: int, piece: bytes) -> None:
        piece = piece[: max(0, KEPT - start)]
        if self.data[start : start + len(piece)] != piece:
            self.data[start : start + len(piece)] = piece
            self._changed = True
