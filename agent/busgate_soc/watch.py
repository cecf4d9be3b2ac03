"""The watch at work: one connection to the broker, one collector, one screen, until it is told to stop.

Law: the first connection must come within 10 s, or the watch ends and says why; one that is lost later is waited for.
Exit codes: 0 nothing was wrong; 1 something did not verify, or what was awaited did not come; 3 no broker.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final, assert_never

from busgate.report import topics
from busgate.report.broker import Connected, Connection, Down, Published, Received, Subscribed
from busgate.report.words import Language, printable
from busgate_soc import phrases
from busgate_soc.collector import Collector
from busgate_soc.happenings import Happening, Reply
from busgate_soc.screen import Screen

OK: Final = 0
NOT_VERIFIED: Final = 1
NO_BROKER: Final = 3

_FIRST_CONNECTION: Final = 10.0
_LAST_ANSWERS: Final = 2.0
_TURN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Until:
    """When the watch ends by itself: at a proven size, once caught up, after some seconds; else when it is told to."""

    size: int | None = None
    caught_up: bool = False
    seconds: float | None = None

    @property
    def awaits(self) -> bool:
        """Whether it waits for something that may not come."""
        return self.size is not None or self.caught_up


class Watch:
    """One run. `trouble` is what is wrong with the connection, for the one who must mend it."""

    def __init__(
        self, connection: Connection, device: str | None, collector: Collector, screen: Screen, language: Language
    ) -> None:
        """`connection` is not started yet; `device` None watches all of them."""
        self.trouble = f"no answer from broker {connection.address}"
        self._filters = topics.subscriptions(device)
        self._what = device or phrases.ALL.in_(language)
        self._watching = phrases.WATCHING.in_(language)
        self._collector = collector
        self._screen = screen
        self._connection = connection
        self._stop = threading.Event()
        self._answers: set[int] = set()
        self._listening = False
        self._listened = False
        self._refused = False

    def stop(self) -> None:
        """End soon; safe in a signal handler."""
        self._stop.set()

    def run(self, until: Until) -> int:
        """Watch until the end; the exit code."""
        self._connection.start()
        try:
            code = self._loop(until)
            self._send_off()
        finally:
            self._connection.close()
        if code != NO_BROKER:
            self._screen.summary(self._collector.sizes, self._collector.unconfirmed)
        return NOT_VERIFIED if code == OK and self._screen.faults else code

    def _loop(self, until: Until) -> int:
        began = time.monotonic()
        while not self._stop.is_set():
            self._turn(_TURN)
            elapsed = time.monotonic() - began
            if not self._listened and (self._refused or elapsed > _FIRST_CONNECTION):
                return NO_BROKER
            if self._reached(until):
                return OK
            if until.seconds is not None and elapsed >= until.seconds:
                break
        if not self._listened and not self._stop.is_set():
            return NO_BROKER
        return NOT_VERIFIED if until.awaits else OK

    def _reached(self, until: Until) -> bool:
        sizes = self._collector.sizes
        if until.size is not None and any(proven >= until.size for proven, _ in sizes.values()):
            return True
        online = self._collector.online
        return until.caught_up and bool(online) and all(0 < sizes[log][1] <= sizes[log][0] for log in online)

    def _send_off(self) -> None:
        """Let the last answers reach the broker."""
        deadline = time.monotonic() + _LAST_ANSWERS
        while self._answers and self._listening and time.monotonic() < deadline:
            self._turn(_TURN)

    def _turn(self, timeout: float) -> None:
        for event in self._connection.events(timeout):
            match event:
                case Connected():
                    self._connection.subscribe(*self._filters)
                case Subscribed():
                    self._on_subscribed(event.error)
                case Down():
                    self._on_down(event)
                case Received():
                    for happening in self._collector.receive(event.topic, event.payload, time.time()):
                        self._take(happening)
                case Published():
                    self._answers.discard(event.mid)
                    if event.error:
                        self._screen.say(f"the broker did not take an answer: {printable(event.error)}", "yellow")
                case _:
                    assert_never(event)
        for happening in self._collector.tick(time.time()):
            self._take(happening)

    def _take(self, happening: Happening) -> None:
        if isinstance(happening, Reply):
            self._answers.add(self._connection.publish(happening.topic, happening.payload))
        else:
            self._screen.show(happening, time.time())

    def _on_subscribed(self, error: str) -> None:
        if error:
            self._refused = True
            self.trouble = f"broker {self._connection.address} lets this client in, but not read: {printable(error)}"
            return
        self._listening = self._listened = True
        self._screen.say(self._watching.format(what=self._what, broker=self._connection.address), "bold")

    def _on_down(self, event: Down) -> None:
        self._refused = self._refused or event.refused
        self.trouble = printable(event.text)
        if self._listening:
            self._screen.say(f"{self.trouble}; trying again", "yellow")
        self._listening = False
