"""The T-box's connection to its cloud: when to dial, to log in, to report, to show a sign of life, to give up.

Law: sans-IO and deterministic. The driver asks `tick` when `due` has come, and tells `connected`, `received`, `lost`;
all times are ns since 1970. Reports that fall into a time without connection are kept and sent late, up to a limit.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.speech import Speech, Standing
from busgate_sim.tbox_firmware.telemetry import Telemetry
from busgate_sim.world import SECOND

_MOST_KEPT = 360
"""Reports kept without connection: an hour at one each ten seconds."""


class Habits(NamedTuple):
    """Periods and patience of a link, in seconds."""

    report: float = 10.0
    heartbeat: float = 30.0
    login: float = 15.0
    """How long a connection and a login may take."""
    silence: float = 100.0
    """How long the platform may say nothing before the connection is given up."""
    first_wait: float = 1.0
    most_wait: float = 60.0


class Wish(StrEnum):
    """What the driver is asked to do."""

    NOTHING = "nothing"
    DIAL = "dial"
    CLOSE = "close"


class State(StrEnum):
    """How the connection stands."""

    WAITING = "waiting"
    DIALLING = "dialling"
    LOGGING_IN = "logging in"
    ONLINE = "online"


class Link:
    """One T-box's link."""

    def __init__(
        self,
        speech: Speech,
        telemetry: Callable[[], Telemetry],
        *,
        at: int,
        habits: Habits | None = None,
        seed: int = 0,
    ) -> None:
        """Dials at the first tick. `telemetry` is asked at each report; `seed` spreads the waits of a fleet."""
        self.state = State.WAITING
        self.commands: list[CloudCommand] = []
        """Commands not fetched yet, in order."""
        self.refused: list[str] = []
        self.attempts = 0
        """Connections tried since the last login that succeeded."""
        self._speech = speech
        self._telemetry = telemetry
        self._habits = habits or Habits()
        # Not a secret: it only keeps a fleet from dialling all at once.
        self._chance = random.Random(seed)  # noqa: S311
        self._out = bytearray()
        self._kept: deque[tuple[int, Telemetry]] = deque(maxlen=_MOST_KEPT)
        self._until = at
        self._report_at = at + self._ns(self._habits.report)
        self._said_at = at
        self._heard_at = at

    @property
    def due(self) -> int:
        """When `tick` has something to do."""
        if self.state is State.ONLINE:
            return min(self._report_at, self._heartbeat_at, self._silent_at)
        return min(self._until, self._report_at)

    def take(self) -> bytes:
        """The bytes to send now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def fetch(self) -> list[CloudCommand]:
        """The commands that came since the last time."""
        commands, self.commands = self.commands, []
        return commands

    def tick(self, at: int) -> Wish:
        """Do what is due."""
        if at >= self._report_at:
            self._report(at)
        if self.state is State.ONLINE:
            if at >= self._silent_at:
                return self._give_up(at, "the platform says nothing")
            if at >= self._heartbeat_at:
                self._say(self._speech.heartbeat(), at)
            return Wish.NOTHING
        if at < self._until:
            return Wish.NOTHING
        if self.state is State.WAITING:
            self.state, self._until = State.DIALLING, at + self._ns(self._habits.login)
            self.attempts += 1
            return Wish.DIAL
        return self._give_up(at, f"no login within {self._habits.login:g} s")

    def connected(self, at: int) -> None:
        """The connection stands: log in."""
        self.state, self._heard_at = State.LOGGING_IN, at
        self._until = at + self._ns(self._habits.login)
        self._out.clear()
        self._say(self._speech.begin(at), at)

    def received(self, data: bytes, at: int) -> Wish:
        """What the platform sent."""
        if self.state not in {State.LOGGING_IN, State.ONLINE}:
            return Wish.NOTHING
        heard = self._speech.heard(data, at, self._telemetry())
        self.commands += heard.commands
        self.refused += heard.refused
        if heard.answered:
            self._heard_at = at
        self._say(heard.back, at)
        if self._speech.standing is Standing.FAILED:
            return self._give_up(at, "the platform refuses the login")
        if self.state is State.LOGGING_IN and self._speech.standing is Standing.DONE:
            self.state, self.attempts, self._report_at = State.ONLINE, 0, at
            for when, values in self._kept:
                self._say(self._speech.report(values, when, late=True), at)
            self._kept.clear()
        return Wish.NOTHING

    def lost(self, at: int) -> None:
        """The connection is gone, or could not be made: wait, each time longer."""
        if self.state is State.WAITING:
            return
        self.state = State.WAITING
        self._out.clear()
        wait = min(self._habits.most_wait, self._habits.first_wait * 2 ** min(self.attempts - 1, 20))
        self._until = at + self._ns(wait * (0.5 + self._chance.random() / 2) if self.attempts else wait)

    def say(self, data: bytes, at: int) -> None:
        """Send what the speech has made, if the T-box is logged in."""
        if self.state is State.ONLINE:
            self._say(data, at)

    def hang_up(self, at: int) -> Wish:
        """Sign off; the driver sends what is left and closes."""
        if self.state is State.ONLINE:
            self._say(self._speech.sign_off(at), at)
        return Wish.CLOSE

    def _report(self, at: int) -> None:
        values = dict(self._telemetry())
        if self.state is State.ONLINE:
            self._say(self._speech.report(values, at), at)
        else:
            self._kept.append((at, values))
        period = self._ns(self._habits.report)
        self._report_at += period * ((at - self._report_at) // period + 1)

    def _give_up(self, at: int, why: str) -> Wish:
        self.refused.append(why)
        self.lost(at)
        return Wish.CLOSE

    def _say(self, data: bytes, at: int) -> None:
        if data:
            self._out += data
            self._said_at = at

    @property
    def _heartbeat_at(self) -> int:
        return self._said_at + self._ns(self._habits.heartbeat)

    @property
    def _silent_at(self) -> int:
        return self._heard_at + self._ns(self._habits.silence)

    @staticmethod
    def _ns(seconds: float) -> int:
        return round(seconds * SECOND)
