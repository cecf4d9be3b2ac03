"""The simulated bus on wires that other programs share: it keeps to the wall's clock and hears what they say.

Law: what a simulated peer says goes out once; what comes in is heard by all simulated peers and never goes out again.
A world that cannot keep up says by how much, and leaves nothing out; what a real wire does not take is counted.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Self

from busgate.bridge.wire import Wire as RealWire
from busgate.model import BusgateError, Frame, Side
from busgate_sim.encoder import Sent
from busgate_sim.stage import Stage
from busgate_sim.wire import Outlet, Wire
from busgate_sim.world import SECOND, World

NAME = "outside"
"""The name under which foreign frames are told to a wire's watchers."""

KINDS = {
    "vcan": ("socketcan:vcan1", "socketcan:vcan0"),
    "udp_multicast": ("udp_multicast:239.74.163.2:43113", "udp_multicast:239.74.163.2:43114"),
}
"""Short names of pairs of wires: the T-box's and the vehicle's."""


_MOST_WAIT_S = 0.05
_MOST_HEARD = 16_384
"""Foreign frames that may wait for the world; a flood beyond it is lost and counted, as in a full receive buffer."""


def wires(named: str) -> tuple[str, str]:
    """The T-box's and the vehicle's wire, from a short name or as `interface:channel,interface:channel`.

    Raises:
        BusgateError: neither.
    """
    if named in KINDS:
        return KINDS[named]
    tbox, comma, vehicle = named.partition(",")
    if not comma or ":" not in tbox or ":" not in vehicle or tbox == vehicle:
        raise BusgateError(
            f"{named!r} names no pair of wires; write memory, {', '.join(KINDS)}, "
            "or the T-box's and the vehicle's as in socketcan:can1,socketcan:can0"
        )
    return tbox, vehicle


def both(stage: Stage, tbox: str, vehicle: str) -> Mapping[Side, tuple[str, Wire]]:
    """A stage's two wires and the real ones they are joined to."""
    return {Side.TBOX: (tbox, stage.tbox), Side.VEHICLE: (vehicle, stage.vehicle)}


class _Outside:
    """Everybody on a real wire, as one peer of the simulated one."""

    def __init__(self, side: Side, named: str, wire: Wire) -> None:
        self.named = named
        self.real = RealWire.open(side, named)
        self.outlet: Outlet = wire.attach(NAME, self._says)
        self._side = side

    def _says(self, sent: Sent) -> None:
        self.real.send(Frame(time.monotonic_ns(), self._side, sent.can_id, sent.data, sent.flags))


class Live:
    """A world on real wires; a context that closes them."""

    def __init__(self, world: World, joined: Mapping[Side, tuple[str, Wire]]) -> None:
        """Opens the real wires, named beside the simulated ones that they are joined to.

        Raises:
            BusgateError: one of them cannot be opened.
        """
        self.behind = 0.0
        """By how many seconds of the wall's clock the world was late, at most."""
        self.turns: list[Callable[[], object]] = []
        """What is to be done each time before the world goes on."""
        self._world = world
        self._received: queue.Queue[Frame] = queue.Queue(_MOST_HEARD)
        with ExitStack() as opened:
            self._outside = {}
            for side, (named, wire) in joined.items():
                outside = _Outside(side, named, wire)
                opened.callback(outside.real.close)
                self._outside[side] = outside
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        """Begin to hear what others say."""
        for outside in self._outside.values():
            outside.real.start(self._received)
        return self

    def __exit__(self, *_: object) -> None:
        """Close both wires."""
        self._opened.close()

    def lost(self) -> dict[str, Counter[str]]:
        """What could not be sent or heard, by kind, for each real wire that lost anything."""
        return {outside.named: outside.real.lost for outside in self._outside.values() if outside.real.lost}

    def run(self, seconds: float, speed: float = 1.0) -> None:
        """Let `seconds` of the world pass, `speed` of them in each second of the wall's clock."""
        world = self._world
        began, from_ = time.monotonic(), world.now
        end = from_ + round(seconds * SECOND)
        while world.now < end:
            for turn in self.turns:
                turn()
            due = min(end, from_ + round((time.monotonic() - began) * speed * SECOND))
            world.run(due)
            self.behind = max(self.behind, time.monotonic() - began - (due - from_) / SECOND / speed)
            self._hear(until=began + (min(world.next_due() or end, end) - from_) / SECOND / speed)

    def _hear(self, until: float) -> None:
        """Take what comes in until the world has something to do; it is on the simulated wire at this moment."""
        wait = min(_MOST_WAIT_S, max(0.0, until - time.monotonic()))
        try:
            frame = self._received.get(timeout=wait) if wait else self._received.get_nowait()
            while True:
                self._outside[frame.side].outlet.send(Sent(frame.can_id, frame.data, frame.flags))
                frame = self._received.get_nowait()
        except queue.Empty:
            return
