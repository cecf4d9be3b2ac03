"""Where the T-box's wire meets the vehicle's: a plain joint, or whatever decides there what crosses.

Law: a frame crosses unchanged, once, to the other wire, or not at all; the splice itself says nothing.
"""

from __future__ import annotations

from typing import Protocol

from busgate.model import Frame, Side
from busgate_sim.encoder import Sent
from busgate_sim.wire import Outlet, Wire
from busgate_sim.world import World

LATENCY_NS = 150_000
"""How long a frame takes from one controller to the other: a guess at a small computer's, the same for all."""

NAME = "busgate"
"""The name under which what crossed is told to a wire's watchers."""


class Crossing(Protocol):
    """What decides which frames cross."""

    def crosses(self, frame: Frame) -> bool:
        """Whether a frame may go on to the other side; `frame.at` is now."""


class Open:
    """No gate: the T-box is on the vehicle's bus, as it is in a bus without busgate."""

    def crosses(self, frame: Frame) -> bool:  # noqa: ARG002 - everything crosses
        """Always."""
        return True


class Closed:
    """Nothing crosses here: whatever joins the two wires is somewhere else."""

    def crosses(self, frame: Frame) -> bool:  # noqa: ARG002 - nothing crosses
        """Never."""
        return False


class Splice:
    """Two wires joined by a crossing."""

    def __init__(self, world: World, tbox: Wire, vehicle: Wire, crossing: Crossing) -> None:
        """Joins at once; frames cross as the world runs."""
        self._world = world
        self._crossing = crossing
        self.crossed: dict[Side, int] = {Side.TBOX: 0, Side.VEHICLE: 0}
        """Frames that crossed, by the side they came from."""
        self.stopped: dict[Side, int] = {Side.TBOX: 0, Side.VEHICLE: 0}
        self._on_tbox: Outlet = tbox.attach(NAME, lambda sent: self._meets(Side.TBOX, sent, self._on_vehicle))
        self._on_vehicle: Outlet = vehicle.attach(NAME, lambda sent: self._meets(Side.VEHICLE, sent, self._on_tbox))

    def _meets(self, side: Side, sent: Sent, other: Outlet) -> None:
        if self._crossing.crosses(Frame(self._world.now, side, sent.can_id, sent.data, sent.flags)):
            self.crossed[side] += 1
            self._world.after(LATENCY_NS, lambda: self._goes_on(other, sent))
        else:
            self.stopped[side] += 1

    @staticmethod
    def _goes_on(other: Outlet, sent: Sent) -> None:
        other.send(sent)
