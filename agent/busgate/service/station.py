"""One gate at work: units go through the gateway, what happened goes into the log and up to the SOC.

Law: a blocked or critical command is in the durable log before its verdict takes effect; ordinary traffic is never
made to wait for the log. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from busgate.gateway import Gateway
from busgate.model import Event, Outcome, Unit
from busgate.record.log import Log
from busgate.report.uplink import Uplink
from busgate.service.urgency import urgent

HEARTBEAT_NS = 60_000_000_000
"""How often counts are written when nothing else happens."""

Listener = Callable[[int, Event], None]


class Station:
    """Gateway, log and uplink joined; `listeners` hear every event with its log index."""

    def __init__(self, gateway: Gateway, log: Log, uplink: Uplink | None = None) -> None:
        """The log is open, the uplink started."""
        self.gateway = gateway
        self.log = log
        self.uplink = uplink
        self.ticket = self.durable = 0
        self.listeners: list[Listener] = []
        self._heartbeat: int | None = None
        self._pumped = 0

    def take(self, unit: Unit) -> Outcome:
        """One unit through the gate; its events are in the log when this returns."""
        outcome = self.gateway.receive(unit)
        if outcome.events:
            self.record(outcome.events, unit.at)
        self._keep_time(unit.at)
        return outcome

    def record(self, events: Iterable[Event], now: int) -> None:
        """Write events, the urgent ones durably at once, and tell the listeners."""
        for event in events:
            must = urgent(event)
            index = self.log.record(event, now, urgent=must)
            if must and self.uplink is not None:
                self.uplink.notify(index)
            for listener in self.listeners:
                listener(index, event)

    def idle(self, now: int) -> None:
        """No unit came: let time pass."""
        self.record(self.gateway.tick(now), now)
        self._keep_time(now)

    def pump(self, now: int) -> None:
        """Nothing waits here: what is urgent is durable when `record` returns."""

    def lost(self) -> dict[str, int]:
        """Nothing: what cannot be written waits, and whoever would have told it hears why."""
        return {}

    def finish(self, now: int) -> None:
        """The end of the line: open episodes and counts are told, the log is signed."""
        self.record(self.gateway.finish(now), now)
        self.log.flush(now)
        if self.uplink is not None:
            self.uplink.pump()

    def _keep_time(self, now: int) -> None:
        if self._heartbeat is None:
            self._heartbeat = now + HEARTBEAT_NS
        elif now >= self._heartbeat:
            self._heartbeat = now + HEARTBEAT_NS
            self.record((self.gateway.traffic(now),), now)
        if self.log.due(now):
            self.log.flush(now)
        if self.uplink is not None and now - self._pumped >= 50_000_000:
            self._pumped = now
            self.uplink.pump()
