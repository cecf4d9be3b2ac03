"""A gate's two wires in memory: for tests, and for whoever wants to drive the gate by hand.

Law: it behaves as a port on real wires does, with a clock that only moves when told to.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from busgate.model import Frame, Side, Unit

_OTHER = {Side.TBOX: Side.VEHICLE, Side.VEHICLE: Side.TBOX}


class MemoryPort:
    """Push units in, collect what was forwarded: `sent[Side.VEHICLE]` is what went out on the vehicle's wire.

    `room` is how many frames each wire takes before its transmit queue is full (None: any number); `set_room` changes
    it. `clock` is both `now` and `wall`, in ns, and follows the units that are received.
    """

    def __init__(self, units: Iterable[Unit] = (), *, clock: int = 0, room: int | None = None) -> None:
        self.clock = clock
        self.room = room
        self.sent: dict[Side, list[Frame]] = {Side.TBOX: [], Side.VEHICLE: []}
        self._waiting: deque[Unit] = deque(units)
        self._losses: Counter[str] = Counter()

    def push(self, *units: Unit) -> None:
        """Units that arrive next, in this order."""
        self._waiting.extend(units)

    def receive(self, timeout: float) -> Unit | None:
        """The next unit at once; with none waiting, `timeout` seconds of the port's own clock pass."""
        if not self._waiting:
            self.clock += round(timeout * 1_000_000_000)
            return None
        unit = self._waiting.popleft()
        self.clock = max(self.clock, unit.at)
        return unit

    def forward(self, frame: Frame) -> bool:
        """Put the frame on the other wire; a tapped wire has none."""
        out = _OTHER.get(frame.side)
        if out is None:
            self._losses["no_other_wire"] += 1
            return False
        if self.room is not None and len(self.sent[out]) >= self.room:
            self._losses[f"{out}_transmit_queue_full"] += 1
            return False
        self.sent[out].append(frame)
        return True

    def now(self) -> int:
        """The port's clock."""
        return self.clock

    def wall(self) -> int:
        """The port's clock again: its timeline is Unix time if its units' is."""
        return self.clock

    def losses(self) -> Mapping[str, int]:
        """What was dropped, by kind."""
        return dict(self._losses)

    def close(self) -> None:
        """Drop what still waits."""
        self._waiting.clear()
