"""What every port on two live wires does alike: which wire is the other one, the clocks, the count of losses.

Law: a frame goes out on the other wire than it came from, or not at all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, Self, TypeVar

from busgate.model import ERROR, Frame, Side

_OTHER = {Side.TBOX: Side.VEHICLE, Side.VEHICLE: Side.TBOX}


class OpenWire(Protocol):
    """One wire of a port."""

    side: Side

    def send(self, frame: Frame) -> bool:
        """Send without waiting; False and counted when the wire does not take it."""
        ...

    def losses(self) -> Mapping[str, int]:
        """What was lost so far, by kind."""
        ...

    def close(self) -> None:
        """Let go of the wire."""
        ...


W = TypeVar("W", bound=OpenWire)


class Pair(Generic[W]):
    """Wires by side. Use as a context manager or with `close`."""

    returns = 0
    """How often an interface came back after it had gone: the kernel has forgotten its rules for it."""

    def __init__(self, wires: Iterable[W], *, transmit: bool = True) -> None:
        """With `transmit` off nothing is ever sent: the port only listens."""
        self._wires = {wire.side: wire for wire in wires}
        self.transmit = transmit
        self._dropped: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def forward(self, frame: Frame) -> bool:
        """Send on the other wire; False (and counted) when its queue is full, it is down, or there is none."""
        other = _OTHER.get(frame.side) if self.transmit else None
        wire = self._wires.get(other) if other else None
        if wire is None:
            self._dropped["no_other_wire"] += 1
            return False
        if frame.can_id & ERROR:
            self._dropped["error_frames_not_sent"] += 1
            return False
        return wire.send(frame)

    def forget(self) -> None:
        """Whoever forwarded until now has changed: what came before must not be sent a second time."""

    def now(self) -> int:
        """Monotonic time in ns: a step of the wall clock does not touch it."""
        return time.monotonic_ns()

    def wall(self) -> int:
        """Unix time in ns."""
        return time.time_ns()

    def losses(self) -> Mapping[str, int]:
        """What was lost so far, by wire and kind."""
        counts = Counter(self._dropped)
        for wire in self._wires.values():
            counts.update({f"{wire.side}_{kind}": count for kind, count in wire.losses().items()})
        return counts

    def close(self) -> None:
        """Let go of the wires."""
        for wire in self._wires.values():
            wire.close()
