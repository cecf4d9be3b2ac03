"""The T-box's place on its wire: what it says all day, and what it says because somebody told it to.

Law: every frame has a cause, the ordinary day's or that of one act, so that a recording can say which message of the
cloud led to which frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from busgate_sim.encoder import Encoder, Sent, Spoken, Values, group
from busgate_sim.wire import Wire
from busgate_sim.world import MILLISECOND, SECOND, World

ORDINARY = "ordinary"
"""The cause of what the T-box does when nothing happens."""

NAME = "TBOX"
SA = 0x4A
_CLAIM = bytes.fromhex("21436587004a0280")
_ASKS_NOTHING: Values = {"RequestType": "None", "TorqueLimit": "NotAvailable", "SpeedLimit": "NotAvailable"}

Place = Callable[[], tuple[float, float]]


class Step(NamedTuple):
    """One frame of an act: how long after the act began (ns), and what."""

    after: int
    what: Sent | Spoken


class TboxUnit:
    """The T-box on its wire."""

    def __init__(self, world: World, wire: Wire, encoder: Encoder, *, place: Place, started: int = 0) -> None:
        """Claims its address and begins its day. `place` tells latitude and longitude in degrees.

        `started` is the wall clock's time of the world's beginning, Unix seconds.
        """
        self._world = world
        self._encoder = encoder
        self._place = place
        self._started = started
        self._causes: dict[int, tuple[Sent, str]] = {}
        self._asked = 0
        self.silent = False
        """Whether it has stopped saying anything by itself."""
        self.hears: list[Callable[[Sent], None]] = []
        """Who wants to hear what the T-box hears: diagnostic endpoints, telemetry."""
        self._outlet = wire.attach(NAME, self._heard)
        self._begin()

    def send(self, what: Sent | Spoken, cause: str) -> Sent:
        """Say one frame now; what it became."""
        sent = self._encoder.encode(what) if isinstance(what, Spoken) else Sent(*what)
        self.queue(sent, cause)
        return sent

    @property
    def waiting(self) -> int:
        """Frames that wait for the wire."""
        return self._outlet.waiting

    def queue(self, sent: Sent, cause: str) -> bool:
        """Queue a frame as it is, whose cause is remembered; False if it is lost."""
        self._causes[id(sent)] = sent, cause
        queued = self._outlet.send(sent)
        if not queued:
            del self._causes[id(sent)]
        return queued

    def act(self, steps: Iterable[Step], cause: str) -> None:
        """Say the frames of an act, each at its time."""
        for after, what in steps:
            self._world.after(after, partial(self.send, what, cause))

    def cause_of(self, sent: Sent) -> str:
        """Why a frame of the T-box was said; known once, when it has been on the wire."""
        return self._causes.pop(id(sent), (sent, ORDINARY))[1]

    def asks(self, page: str, cause: str = ORDINARY) -> None:
        """Ask the vehicle for a page of telemetry."""
        self._asked += 1
        self.send(Spoken("TboxRequest", {"RequestedPage": page, "RequestNumber": self._asked % 65536}), cause)

    def _begin(self) -> None:
        self._world.after(50 * MILLISECOND, self._by_itself(lambda: Sent(group(6, 0xEE00, SA), _CLAIM)))
        for period, phase, says in (
            (100 * MILLISECOND, 20 * MILLISECOND, self._alive),
            (SECOND, 310 * MILLISECOND, self._clock),
            (SECOND, 420 * MILLISECOND, self._position),
            (SECOND, 530 * MILLISECOND, lambda: Spoken("TboxDriveCommand", _ASKS_NOTHING)),
            (2 * SECOND, 750 * MILLISECOND, self._page),
            (10 * SECOND, 1100 * MILLISECOND, lambda: _request(0xFECA)),
            (60 * SECOND, 1200 * MILLISECOND, lambda: _request(0xFEC1)),
            (60 * SECOND, 1300 * MILLISECOND, lambda: _request(0xFEEC)),
        ):
            self._world.every(period, self._by_itself(says), phase=phase, jitter=MILLISECOND)

    def _by_itself(self, says: Callable[[], Sent | Spoken]) -> Callable[[], None]:
        def say() -> None:
            if not self.silent:
                self.send(says(), ORDINARY)

        return say

    def _alive(self) -> Spoken:
        uptime = 4711 + self._world.now // SECOND
        return Spoken("TboxHeartbeat", {"TboxState": "Online", "SignalStrength": -87, "Uptime": uptime})

    def _clock(self) -> Spoken:
        days, seconds = divmod(self._started + self._world.now // SECOND, 86_400)
        year, month, day = _date(days)
        clock = {"Seconds": seconds % 60, "Minutes": seconds // 60 % 60, "Hours": seconds // 3600}
        return Spoken("TD", {**clock, "Month": month, "Day": day, "Year": year})

    def _position(self) -> Spoken:
        latitude, longitude = self._place()
        return Spoken("VP", {"Latitude": latitude, "Longitude": longitude})

    def _page(self) -> Spoken:
        self._asked += 1
        page = ("Energy", "Doors", "Climate", "Cells")[self._asked % 4]
        return Spoken("TboxRequest", {"RequestedPage": page, "RequestNumber": self._asked % 65536})

    def _heard(self, sent: Sent) -> None:
        for hear in self.hears:
            hear(sent)


def _request(pgn: int) -> Sent:
    """A request for a group from all nodes (SAE J1939-21, 5.4.2)."""
    return Sent(group(6, 0xEA00, SA), pgn.to_bytes(3, "little"))


def _date(days: int) -> tuple[int, int, int]:
    """Year, month, day of a count of days since 1970-01-01 (proleptic Gregorian)."""
    that = date(1970, 1, 1) + timedelta(days=days)
    return that.year, that.month, that.day
