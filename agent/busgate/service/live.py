"""The gate in a live line: frames cross by their verdict, one user-space process for both directions.

Law: a frame is sent once, unchanged, to the other side, or not at all; one older than the stale limit is dropped and
counted, so that nothing catches up in a burst after a stall.
"""

from __future__ import annotations

from collections.abc import Callable

from busgate.bridge.port import Port
from busgate.model import ERROR, Frame, Loss
from busgate.service.station import Station

STALE_NS = 100_000_000
"""How old a frame may be when it is sent: after this it belongs to a past that the vehicle has left."""

IDLE_SECONDS = 0.1
LOSSES_EVERY_NS = 10_000_000_000


class Line:
    """One port and one station at work until told to stop."""

    def __init__(self, port: Port, station: Station) -> None:
        """The port's wires are up."""
        self._port = port
        self._station = station
        self._stale = 0
        self._told: dict[str, int] = {}
        self._losses_due = port.now() + LOSSES_EVERY_NS

    def run(self, going: Callable[[], bool]) -> None:
        """Work while `going()`; the log is signed when this returns."""
        while going():
            unit = self._port.receive(IDLE_SECONDS)
            if unit is None:
                self._station.idle(self._port.now())
            else:
                outcome = self._station.take(unit)
                if outcome.forward and isinstance(unit, Frame) and not unit.can_id & ERROR:
                    self._send(unit)
            self._count()
        now = self._port.now()
        self._count(always=True)
        self._station.finish(now)

    def _send(self, frame: Frame) -> None:
        if self._port.now() - frame.at > STALE_NS:
            self._stale += 1
        else:
            self._port.forward(frame)

    def _count(self, *, always: bool = False) -> None:
        """Write what was lost into the log, if it has grown."""
        now = self._port.now()
        if now < self._losses_due and not always:
            return
        self._losses_due = now + LOSSES_EVERY_NS
        losses = {**self._port.losses(), **({"stale": self._stale} if self._stale else {})}
        if losses and losses != self._told:
            self._told = dict(losses)
            self._station.record((Loss(now, losses),), now)
