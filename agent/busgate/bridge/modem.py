"""The modems of this machine, through ModemManager: short messages, SIM, operator, network and cell, as they change.

Law: `poll` never raises and never blocks for longer than it is told. A bus or a ModemManager that is not there is news
(`ModemService`), is tried again after a pause that doubles, and stops nothing else. No message is sent and nothing is
set; ModemManager is not even started by asking. What a slow reader cannot take is counted, never waited for.

All of D-Bus lives in a thread of its own with its own event loop.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple, Self

from busgate.bridge.modem_follower import Follower, Memory, News
from busgate.bridge.modem_link import ANSWER_S, TICK_S, Link
from busgate.bridge.port import BridgeError
from busgate.model import ModemService

_NEWS = 4096


class Pause(NamedTuple):
    """How long to wait before the bus is tried again, in seconds: at first, and at most."""

    first: float = 1.0
    most: float = 60.0


class Modems:
    """The news of all modems. Use as a context manager, or `start` and `close`; iterating ends after `close`.

    `address` is a D-Bus address, None for the system bus. `only` and `since` are as `Follower` has them. `now` is the
    timeline of `at`.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        only: Collection[str] = (),
        since: int | None = None,
        now: Callable[[], int] = time.monotonic_ns,
        pause: Pause = Pause(),  # noqa: B008 - a value
    ) -> None:
        """Nothing is asked before `start`."""
        self._address, self._now, self._pause = address, now, pause
        self._only, self._since = frozenset(only), since
        self._news: queue.Queue[News | None] = queue.Queue(_NEWS)
        self._lost = 0
        self._memory = Memory()
        self._service: ModemService | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="modems", daemon=True)

    def start(self) -> Self:
        """Begin; what is there already is told first."""
        self._thread.start()
        self._ready.wait()
        return self

    def poll(self, timeout: float = 0.0) -> News | None:
        """The next news, or None after `timeout` seconds without any."""
        try:
            return self._news.get(timeout=timeout) if timeout > 0 else self._news.get_nowait()
        except queue.Empty:
            return None

    def __iter__(self) -> Iterator[News]:
        """The news as they come, until closed."""
        while not self._closed or not self._news.empty():
            if (news := self.poll(0.5)) is not None:
                yield news

    def losses(self) -> Mapping[str, int]:
        """News that nobody took in time, counted."""
        return {"modem_news": self._lost} if self._lost else {}

    def close(self) -> None:
        """Let go of the bus."""
        self._closed = True
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(ANSWER_S)
        self._tell_nobody()

    def __enter__(self) -> Self:
        """Started."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Closed."""
        self.close()

    def _tell_nobody(self) -> None:
        """Wake a reader that waits."""
        try:
            self._news.put_nowait(None)
        except queue.Full:
            return

    def _tell(self, news: News) -> None:
        try:
            self._news.put_nowait(news)
        except queue.Full:
            self._lost += 1

    def _say(self, reason: str) -> None:
        """Tell whether modems can be watched, when that changed; "" says that they can."""
        if self._service is None or (self._service.available, self._service.reason) != (not reason, reason):
            self._service = ModemService(self._now(), not reason, reason)
            self._tell(self._service)

    def _work(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception:
            self._say("the watch over the modems broke. Next: restart busgate, and report what it printed")
            raise

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        stopped = asyncio.create_task(self._stop.wait())
        wait = self._pause.first
        while not stopped.done():
            began = time.monotonic()
            session = asyncio.create_task(self._session())
            await asyncio.wait({session, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not session.done():
                session.cancel()
            try:
                await session
            except asyncio.CancelledError:
                break
            except BridgeError as fault:
                self._say(str(fault))
            if time.monotonic() - began > wait:  # it held for a while, so it is tried again soon
                wait = self._pause.first
            await asyncio.wait({stopped}, timeout=wait)
            wait = min(wait * 2, self._pause.most)

    async def _session(self) -> None:
        """One connection to the bus, to its end. Raises BridgeError when the bus cannot be used any longer."""
        link = Link(self._address)
        try:
            await link.open()
            owner = await link.owner()
            while True:
                owner = await self._run(link, owner)
        finally:
            link.close()

    async def _run(self, link: Link, owner: str) -> str:
        """One run of ModemManager's, or the wait for one; gives whoever owns its name afterwards."""
        if not owner:
            self._say("ModemManager is not running. Next: systemctl status ModemManager")
            return await link.next_owner()
        follower = Follower(link, self._tell, self._now, self._memory, only=self._only, since=self._since)
        managed = await follower.found()
        self._say("")
        try:
            await follower.begin(managed)
            while True:
                heard = await link.heard(TICK_S)
                if isinstance(heard, str):
                    return heard
                if heard is None:
                    await follower.tick()
                elif heard.sender == owner:
                    await follower.take(heard.signal)
        finally:
            follower.leave()
