"""What passes the T-box's antenna: bytes of its connections, short messages; each takes its time.

Law: bytes of one connection stay in order both ways; everything is noted at the moment it passes the antenna.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from busgate_sim.world import MILLISECOND, SECOND, World

_AIR_NS = 80 * MILLISECOND
_JITTER_NS = 60 * MILLISECOND
_BYTE_NS = 1_600
"""5 Mbit/s, which an LTE modem in a street has."""

_SHORT_NS = 2 * SECOND
"""How long a short message takes at least; at most twice that."""


class Flow(StrEnum):
    """Which of the T-box's connections."""

    PLATFORM = "platform"
    UPDATES = "updates"
    MAINTENANCE = "maintenance"


class Segment(NamedTuple):
    """Some bytes of a connection as they passed the antenna; `cause` is that of an order, else empty."""

    at: int
    up: bool
    data: bytes
    cause: str
    flow: Flow = Flow.PLATFORM


class Short(NamedTuple):
    """A short message as the modem got it: its PDU (SMS-DELIVER)."""

    at: int
    pdu: bytes
    cause: str


class Air:
    """The way between one T-box and the world."""

    def __init__(self, world: World) -> None:
        """Nothing is on its way."""
        self.segments: list[Segment] = []
        """All that passed, in order."""
        self.shorts: list[Short] = []
        self._world = world
        self._free: dict[tuple[Flow, bool], int] = {}

    def up(self, data: bytes, lands: Callable[[], object], *, cause: str = "", flow: Flow = Flow.PLATFORM) -> None:
        """Send from the T-box; `lands` when it is at the other end."""
        self.segments.append(Segment(self._world.now, True, data, cause, flow))
        self._world.at(self._arrival(flow, data, up=True), lands)

    def down(self, data: bytes, arrives: Callable[[], object], *, cause: str = "", flow: Flow = Flow.PLATFORM) -> None:
        """Send to the T-box; `arrives` when it is there."""
        self._world.at(self._arrival(flow, data, up=False), partial(self._passes, data, cause, flow, arrives))

    def text(self, pdu: bytes, arrives: Callable[[], object], *, cause: str) -> None:
        """Send a short message to the T-box."""
        self._world.after(
            _SHORT_NS + self._world.chance.randrange(_SHORT_NS), partial(self._texts, pdu, cause, arrives)
        )

    def _arrival(self, flow: Flow, data: bytes, *, up: bool) -> int:
        arrives = self._world.now + _AIR_NS + self._world.chance.randrange(_JITTER_NS)
        arrives = max(arrives, self._free.get((flow, up), 0) + 1) + len(data) * _BYTE_NS
        self._free[flow, up] = arrives
        return arrives

    def _passes(self, data: bytes, cause: str, flow: Flow, arrives: Callable[[], object]) -> None:
        self.segments.append(Segment(self._world.now, False, data, cause, flow))
        arrives()

    def _texts(self, pdu: bytes, cause: str, arrives: Callable[[], object]) -> None:
        self.shorts.append(Short(self._world.now, pdu, cause))
        arrives()
