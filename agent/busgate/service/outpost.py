"""A gate whose log is kept by another process: units go through the gateway, what happened goes to the keeper.

Law: as for a station, but nothing waits for the log. A frame whose event has to be durable first is named
(`ticket`), and whoever sends it looks at `durable` before. That is a matter of enforcing: monitoring forwards all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from busgate.gateway import Gateway
from busgate.model import Action, Event, Loss, Mode, Outcome, Side, Unit, Verdict
from busgate.service.outbox import Outbox
from busgate.service.station import HEARTBEAT_NS
from busgate.service.urgency import urgent

_CUT = Outcome(Verdict(detail="the log can take no more"), forward=False)
_LEAVE_SECONDS = 3.0
_PUMP_NS = 10_000_000


class Outpost:
    """Gateway and outbox joined."""

    def __init__(self, gateway: Gateway, outbox: Outbox) -> None:
        """The keeper need not be there yet."""
        self.gateway = gateway
        self.ticket = 0
        """The number of the event that must be durable before the frame last taken may be sent; 0 for none."""
        self.unjudged = 0
        self.judged: Counter[tuple[str, Action]] = Counter()
        """Frames of the T-box by the rule that was concerned ("" where none was), and what was decided."""
        self._outbox = outbox
        self._heartbeat: int | None = None
        self._pumped = 0

    @property
    def durable(self) -> int:
        """Up to which event the log is safe."""
        return self._outbox.durable

    def take(self, unit: Unit) -> Outcome:
        """One unit through the gate."""
        self.ticket = 0
        enforcing = self.gateway.mode is Mode.ENFORCE
        if self._outbox.full and unit.side is not Side.VEHICLE:
            self.unjudged += 1
            return _CUT._replace(forward=self.gateway.mode is Mode.MONITOR)
        outcome = self.gateway.receive(unit)
        if unit.side is Side.TBOX:
            self.judged[outcome.verdict.rule, outcome.verdict.action] += 1
        if outcome.events:
            self.record(outcome.events, unit.at)
            if (
                enforcing
                and outcome.forward
                and unit.side is Side.TBOX
                and any(urgent(event) for event in outcome.events)
            ):
                self.ticket = self._outbox.last
        self._keep_time(unit.at)
        return outcome

    def record(self, events: Iterable[Event], now: int) -> None:
        """Tell the keeper."""
        for event in events:
            self._outbox.put(event)
        self._outbox.pump(now)

    def pump(self, now: int) -> None:
        """Hear what became durable."""
        self._outbox.pump(now)

    def idle(self, now: int) -> None:
        """No unit came: let time pass."""
        self.record(self.gateway.tick(now), now)
        self._keep_time(now)

    def lost(self) -> dict[str, int]:
        """What could not be told or judged for want of a keeper."""
        counts = {"journal": self._outbox.dropped, "unjudged": self.unjudged}
        return {name: count for name, count in counts.items() if count}

    def finish(self, now: int) -> None:
        """The end of the line: open episodes and counts are told, and waited for."""
        self.record(self.gateway.finish(now), now)
        if self.lost():
            self.record((Loss(now, self.lost()),), now)
        self._outbox.finish(now, _LEAVE_SECONDS)

    def close(self) -> None:
        """Hang up; what is on its way the keeper still takes."""
        self._outbox.close()

    def _keep_time(self, now: int) -> None:
        if now - self._pumped >= _PUMP_NS:
            self._pumped = now
            self._outbox.pump(now)
        if self._heartbeat is None:
            self._heartbeat = now + HEARTBEAT_NS
        elif now >= self._heartbeat:
            self._heartbeat = now + HEARTBEAT_NS
            self.record((self.gateway.traffic(now),), now)
