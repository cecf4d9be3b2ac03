"""The frames of a light bus: a few seconds of a simulated one over and over, and a T-box whose counters run on.

Law: what is judged (the T-box's frames) is at its true rate; of the vehicle's own, which the gate only passes on, each
identifier comes at most twice a second. That is what makes the bus light.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import cycle
from typing import NamedTuple

from busgate.model import Frame, Side
from busgate_sim.body import BusBody
from busgate_sim.encoder import Encoder, Sent, Spoken
from busgate_sim.scenario import find
from busgate_sim.splice import Closed
from busgate_sim.stage import FILES, PROFILE, VEHICLE, Stage
from busgate_sim.tbox_firmware.acts import ACTS
from busgate_sim.world import MILLISECOND, SECOND
from busgate_trial.fleet.campaign import Campaign

LOOP_NS = 10 * SECOND
_APART_NS = 500 * MILLISECOND
_COUNTED = 16
_BEAT = Spoken("TboxHeartbeat", {"TboxState": "Online", "SignalStrength": -87, "Uptime": 4711})
_IDLE = Spoken("TboxDriveCommand", {"RequestType": "None", "TorqueLimit": "NotAvailable", "SpeedLimit": "NotAvailable"})


class Timed(NamedTuple):
    """A frame and when it comes, in ns since its bus began."""

    at: int
    side: Side
    sent: Sent


@cache
def vehicle_loop() -> tuple[Timed, ...]:
    """`LOOP_NS` of a bus between two stops, thinned."""
    scenario = find("service-driving").model_copy(update={"lasts": LOOP_NS / SECOND})
    stage = Stage(scenario, BusBody(scenario.start), Closed())
    stage.tape = []
    stage.run()
    last: dict[int, int] = {}
    kept = []
    for went in stage.tape:
        if went.wire == VEHICLE and went.at >= last.get(went.sent.can_id, -_APART_NS) + _APART_NS:
            last[went.sent.can_id] = went.at
            kept.append(Timed(went.at, Side.VEHICLE, went.sent))
    return tuple(kept)


@cache
def counted(message: str) -> tuple[Sent, ...]:
    """One of the T-box's cyclic messages with each value of its counter in turn."""
    encoder = Encoder(PROFILE, FILES)
    spoken = {"TboxHeartbeat": _BEAT, "TboxDriveCommand": _IDLE}[message]
    return tuple(encoder.encode(spoken) for _ in range(_COUNTED))


@cache
def ordered(campaign: str, does: str, told: tuple[tuple[str, float | str], ...]) -> tuple[Sent, ...]:
    """A campaign's frame with each value of its counter in turn; `campaign` only keeps them apart."""
    del campaign
    (step,) = ACTS[does](dict(told))
    if not isinstance(step.what, Spoken):
        return (step.what,) * _COUNTED
    encoder = Encoder(PROFILE, FILES)
    return tuple(encoder.encode(step.what) for _ in range(_COUNTED))


class Traffic:
    """All frames of one bus, in order."""

    def __init__(self, phase: int) -> None:
        """`phase` ns into the vehicle's loop, so that no two buses are alike."""
        self._counters = {"TboxHeartbeat": cycle(counted("TboxHeartbeat"))}
        self._drive = 0
        self._vehicle = self._own(phase % LOOP_NS)
        self._next = next(self._vehicle)
        self._periods: Mapping[str, int] = {"TboxHeartbeat": 100 * MILLISECOND, "TboxDriveCommand": SECOND}
        self._due = {"TboxHeartbeat": phase % (100 * MILLISECOND), "TboxDriveCommand": phase % SECOND}
        self._orders: list[tuple[int, Campaign]] = []

    def order(self, at: int, campaign: Campaign) -> None:
        """Have the T-box say a campaign's frame at a time (ns)."""
        self._orders.append((at, campaign))

    def until(self, now: int, began: int) -> Iterator[Frame]:
        """The frames up to a time (ns since the bus began); `began` is that moment on the gate's clock."""
        found = [*self._vehicle_until(now), *self._tbox_until(now)]
        for at, side, sent in sorted(found, key=lambda timed: timed.at):
            yield Frame(began + at, side, *sent)

    def _own(self, phase: int) -> Iterator[Timed]:
        loop = vehicle_loop()
        round_ = 0
        while True:
            for at, side, sent in loop:
                if (shifted := at + round_ * LOOP_NS - phase) >= 0:
                    yield Timed(shifted, side, sent)
            round_ += 1

    def _vehicle_until(self, now: int) -> Iterator[Timed]:
        while self._next.at <= now:
            yield self._next
            self._next = next(self._vehicle)

    def _tbox_until(self, now: int) -> Iterator[Timed]:
        while (due := min(self._due.values())) <= now:
            name = min(self._due, key=lambda each: self._due[each])
            self._due[name] += self._periods[name]
            yield Timed(due, Side.TBOX, self._beat() if name == "TboxHeartbeat" else self._drives(counted(name)))
        for at, campaign in [order for order in self._orders if order[0] <= now]:
            self._orders.remove((at, campaign))
            frames = ordered(campaign.campaign, campaign.does, tuple(campaign.told.items()))
            # It shares its counter with the cyclic message where that is the same one.
            same = frames[0].can_id == counted("TboxDriveCommand")[0].can_id
            yield Timed(now, Side.TBOX, self._drives(frames) if same else frames[0])

    def _beat(self) -> Sent:
        return next(self._counters["TboxHeartbeat"])

    def _drives(self, frames: tuple[Sent, ...]) -> Sent:
        sent = frames[self._drive]
        self._drive = (self._drive + 1) % _COUNTED
        return sent
