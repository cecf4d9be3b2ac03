"""The gate in a live line: frames cross by their verdict, one user-space process for both directions.

Law: a frame is sent once, unchanged, to the other side, or not at all; one older than the stale limit is dropped and
counted, so that nothing catches up in a burst after a stall. While the log cannot be written, what would have to be in
it first does not cross towards the vehicle; telemetry goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from busgate.bridge.port import Port
from busgate.gateway import Gateway
from busgate.model import ERROR, Event, Frame, Loss, Mode, Outcome, Side, Unit
from busgate.record.store import StoreError

STALE_NS = 100_000_000
"""How old a frame may be when it is sent: after this it belongs to a past that the vehicle has left."""

IDLE_SECONDS = 0.1
HELD_SECONDS = 0.001
"""How long to wait for frames while one waits for the log."""
LOSSES_EVERY_NS = 10_000_000_000


class Post(Protocol):
    """Who judges and tells: a station with its log in this process, or an outpost whose log another one keeps."""

    gateway: Gateway
    ticket: int
    """What has to be durable before the frame last taken may be sent; 0 for nothing."""

    @property
    def durable(self) -> int:
        """Up to which ticket it is."""
        ...

    def take(self, unit: Unit) -> Outcome:
        """One unit through the gate."""
        ...

    def record(self, events: Iterable[Event], now: int) -> None:
        """Tell of events."""
        ...

    def pump(self, now: int) -> None:
        """Hear what became durable."""
        ...

    def idle(self, now: int) -> None:
        """No unit came."""
        ...

    def lost(self) -> Mapping[str, int]:
        """What could not be told."""
        ...

    def finish(self, now: int) -> None:
        """The end of the line."""
        ...


class Line:
    """One port and one post at work until told to stop."""

    def __init__(
        self,
        port: Port,
        station: Post,
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
        self._held: dict[int, deque[tuple[int, Frame]]] = {}
        self._unwritten = 0
        self.trouble = ""
        """What keeps the log from being written right now; empty while it is well."""
        self._told: dict[str, int] = {}
        self._losses_due = port.now() + LOSSES_EVERY_NS

    def run(self, going: Callable[[], bool]) -> None:
        """Work while `going()`; the log is signed when this returns. Raises StoreError if it then still cannot be."""
        while going():
            frame = self._port.receive(HELD_SECONDS if self._held else IDLE_SECONDS)
            if self._held:
                self._release()
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
        if not forward or not isinstance(unit, Frame):
            return
        ticket = self._station.ticket
        if ticket > self._station.durable or unit.can_id in self._held:
            self._hold(unit, ticket)
        else:
            self._send(unit)

    def _hold(self, frame: Frame, ticket: int) -> None:
        """Keep a frame until its event is durable, and what follows it on its identifier behind it."""
        if frame.side is Side.VEHICLE:
            self._send(frame)
        else:
            self._held.setdefault(frame.can_id, deque()).append((ticket, frame))

    def _release(self) -> None:
        """Send what is durable by now; what became too old meanwhile is dropped and counted."""
        now = self._port.now()
        self._station.pump(now)
        durable = self._station.durable
        local = self._station.gateway.mode is Mode.LOCAL
        for can_id, queue in list(self._held.items()):
            while queue and (queue[0][0] <= durable or now - queue[0][1].at > STALE_NS):
                ticket, frame = queue.popleft()
                if ticket > durable or local:
                    self._unwritten += 1
                else:
                    self._send(frame)
            if not queue:
                del self._held[can_id]

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
        losses |= self._station.lost()
        if losses and losses != self._told:
            self._station.record((Loss(now, losses),), now)
            self._told = losses
        self._losses_due = now + LOSSES_EVERY_NS
