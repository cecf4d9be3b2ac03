"""The gate in a live line: frames cross by their verdict, one user-space process for both directions.

Law: a frame is sent once, unchanged, to the other side, or not at all; one older than the stale limit is dropped and
counted, so that nothing catches up in a burst after a stall. While the log cannot be written, what would have to be in
it first does not cross towards the vehicle; telemetry goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from busgate.bridge.port import Port
from busgate.model import ERROR, Frame, Loss, Side, Unit
from busgate.record.store import StoreError
from busgate.service.station import Station

STALE_NS = 100_000_000
"""How old a frame may be when it is sent: after this it belongs to a past that the vehicle has left."""

IDLE_SECONDS = 0.1
LOSSES_EVERY_NS = 10_000_000_000


class Line:
    """One port and one station at work until told to stop."""

    def __init__(
        self,
        port: Port,
        station: Station,
        *,
        carried: Callable[[Frame], bool] = lambda _: False,
        look: Callable[[int], None] = lambda _: None,
    ) -> None:
        """The port's wires are up.

        `carried` says which frames somebody else forwards: those are not sent here. `look` is called before each frame
        is judged, with the present moment: the local human may have turned a switch.
        """
        self._carried = carried
        self._look = look
        self._port = port
        self._station = station
        self._stale = 0
        self._unwritten = 0
        self.trouble = ""
        """What keeps the log from being written right now; empty while it is well."""
        self._told: dict[str, int] = {}
        self._losses_due = port.now() + LOSSES_EVERY_NS

    def run(self, going: Callable[[], bool]) -> None:
        """Work while `going()`; the log is signed when this returns. Raises StoreError if it then still cannot be."""
        while going():
            frame = self._port.receive(IDLE_SECONDS)
            try:
                self._look(self._port.now())
            except StoreError as fault:
                self.trouble = str(fault)
            try:
                self._turn(frame)
                self._count()
                self.trouble = ""
            except StoreError as fault:
                self.trouble = str(fault)
        now = self._port.now()
        self._count(always=True)
        self._station.finish(now)

    def _turn(self, unit: Unit | None) -> None:
        """One unit, or the silence in its place."""
        if unit is None:
            self._station.idle(self._port.now())
            return
        try:
            forward = self._station.take(unit).forward
        except StoreError:
            self._unwritten += 1
            if isinstance(unit, Frame) and unit.side is Side.VEHICLE:
                self._send(unit)
            raise
        if forward and isinstance(unit, Frame):
            self._send(unit)

    def _send(self, frame: Frame) -> None:
        if frame.can_id & ERROR or self._carried(frame):
            return
        if self._port.now() - frame.at > STALE_NS:
            self._stale += 1
        else:
            self._port.forward(frame)

    def _count(self, *, always: bool = False) -> None:
        """Write what was lost into the log, if it has grown."""
        now = self._port.now()
        if now < self._losses_due and not always:
            return
        losses = dict(self._port.losses())
        losses |= {name: count for name, count in (("stale", self._stale), ("log", self._unwritten)) if count}
        if losses and losses != self._told:
            self._station.record((Loss(now, losses),), now)
            self._told = losses
        self._losses_due = now + LOSSES_EVERY_NS
