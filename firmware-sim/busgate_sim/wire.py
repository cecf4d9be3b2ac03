"""A CAN bus between peers: one frame at a time, the lowest identifier first, everybody else hears it.

Law: a frame takes the time that its bits take, and is heard by all others at one moment, when it is complete; each
sender's frames of one identifier stay in order.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from busgate.model import EXTENDED, FD_FORMAT, IDENTIFIER
from busgate_sim.encoder import Sent
from busgate_sim.world import SECOND, World

Hear = Callable[[Sent], None]
Watch = Callable[[int, Sent, str], None]

DATA_BITRATE = 2_000_000
"""Bit/s of a CAN FD frame's data phase."""

_MOST_WAITING = 256
"""Frames that one outlet may have waiting, as a controller's transmit queue has an end."""


class Outlet:
    """One peer's place on a wire."""

    def __init__(self, wire: Wire, name: str, hear: Hear) -> None:
        """Made by `Wire.attach`."""
        self.name = name
        self.hear = hear
        self.lost = 0
        """Frames that found the transmit queue full."""
        self.waiting = 0
        self._wire = wire

    def send(self, sent: Sent) -> bool:
        """Queue a frame; False if the queue is full or the wire is cut, and then it is lost."""
        if self.waiting >= _MOST_WAITING or self._wire.cut:
            self.lost += 1
            return False
        self.waiting += 1
        self._wire.queue(self, sent)
        return True


class Wire:
    """One CAN bus with its peers and watchers."""

    def __init__(self, world: World, name: str, bitrate: int = 500_000) -> None:
        """An idle bus; `bitrate` in bit/s."""
        self.name = name
        self.cut = False
        """Whether the wire is cut: nothing is sent or heard."""
        self.frames = 0
        self.busy_ns = 0
        """How long it has carried frames, for its load."""
        self.world = world
        self._bitrate = bitrate
        self._outlets: list[Outlet] = []
        self._watchers: list[Watch] = []
        self._queue: list[tuple[tuple[int, int, int], int, Outlet, Sent]] = []
        self._queued = 0
        self._idle = True

    def attach(self, name: str, hear: Hear) -> Outlet:
        """A peer joins; it hears all frames but its own."""
        outlet = Outlet(self, name, hear)
        self._outlets.append(outlet)
        return outlet

    def watch(self, watch: Watch) -> None:
        """Be told of each frame: when it was complete (ns), the frame, its sender's name."""
        self._watchers.append(watch)

    def queue(self, outlet: Outlet, sent: Sent) -> None:
        """Put a frame into the contest for the wire; called by `Outlet.send`."""
        self._queued += 1
        heappush(self._queue, (_rank(sent.can_id), self._queued, outlet, sent))
        if self._idle:
            self._idle = False
            # At the end of this moment, so that all who begin in it take part in the same arbitration.
            self.world.after(0, self._begin)

    def _begin(self) -> None:
        if not self._queue:
            self._idle = True
            return
        _, _, outlet, sent = heappop(self._queue)
        outlet.waiting -= 1
        lasts = duration(sent, self._bitrate)
        self.busy_ns += lasts
        self.world.after(lasts, lambda: self._complete(outlet, sent))

    def _complete(self, sender: Outlet, sent: Sent) -> None:
        if not self.cut:
            self.frames += 1
            for watch in self._watchers:
                watch(self.world.now, sent, sender.name)
            for outlet in self._outlets:
                if outlet is not sender:
                    outlet.hear(sent)
        self._begin()


def duration(sent: Sent, bitrate: int = 500_000) -> int:
    """How long a frame holds the wire (ns): its bits (ISO 11898-1:2015, 10.4.2) and a tenth for stuffing."""
    extended = bool(sent.can_id & EXTENDED)
    if not sent.flags & FD_FORMAT:
        bits = (67 if extended else 47) + 8 * len(sent.data)
        return bits * 11 // 10 * SECOND // bitrate
    arbitration = (49 if extended else 30) * 11 // 10
    data = (28 + 8 * len(sent.data)) * 11 // 10
    return arbitration * SECOND // bitrate + data * SECOND // DATA_BITRATE


def _rank(can_id: int) -> tuple[int, int, int]:
    """What wins arbitration: the first eleven bits, then the shorter identifier, then the other eighteen bits."""
    identifier = can_id & IDENTIFIER
    if can_id & EXTENDED:
        return identifier >> 18, 1, identifier & 0x3FFFF
    return identifier, 0, 0
