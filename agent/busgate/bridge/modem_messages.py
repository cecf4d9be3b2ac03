"""Short messages as ModemManager shows them: each told once, when it is whole.

Law: a message is only read, never marked, stored, sent or deleted. Memory is bounded: 4,096 paths of messages told, 256
that are waited for, 1,024 contents.

A message arrives in parts: ModemManager tells of it at the first and completes it later (D-Bus reference, Messaging,
Added). One that stays incomplete is told as far as it is known, since even a half command is a command. A draft is told
when it is sent. What is found in storage is told once over restarts of ModemManager, unless it is older than asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from busgate.bridge import modem_words as words
from busgate.bridge.modem_words import mapping, remember, text, whole
from busgate.model import Side, Sms

SMS = "org.freedesktop.ModemManager1.Sms"
PROPERTIES = "org.freedesktop.DBus.Properties"

INCOMPLETE_NS = 600_000_000_000
"""How long a message may miss parts before it is told as it is."""

_PATHS, _TOLD, _WAITING = 4096, 1024, 256

Told = OrderedDict[tuple[Any, ...], None]
"""What was told, by content; outlives a run of ModemManager's."""


class Link(Protocol):
    """The bus as far as it is needed here."""

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        """The one value that a method of ModemManager's answers; None when it refuses."""
        ...


class _Waiting(NamedTuple):
    """A message that is not whole, or a draft that was not sent: since when, and what was last read of it."""

    since: int
    stored: bool
    read: Mapping[str, Any]


class Messages:
    """The messages of one run of ModemManager's. `since` is Unix time in ns."""

    def __init__(
        self, link: Link, tell: Callable[[Sms], None], now: Callable[[], int], told: Told, since: int | None
    ) -> None:
        """Nothing is read yet."""
        self._link, self._tell, self._now, self._told, self._since = link, tell, now, told, since
        self._paths: OrderedDict[str, None] = OrderedDict()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    async def found(self, path: str, *, stored: bool) -> None:
        """A message is there. `stored` says that it may have been there before."""
        if path in self._paths:
            return
        read = mapping(await self._link.call(path, PROPERTIES, "GetAll", "s", SMS))
        if not read:
            return
        state, outgoing = whole(read.get("State")), _outgoing(read)
        unsent = outgoing and state not in {words.SENDING, words.SENT}
        if unsent or (not outgoing and state == words.RECEIVING):
            waits = self._waiting.get(path, _Waiting(self._now(), stored, read))
            self._waiting[path] = waits._replace(read=read)
            while len(self._waiting) > _WAITING:
                await self._settle(next(iter(self._waiting)))
            return
        self._waiting.pop(path, None)
        remember(self._paths, path, None, _PATHS)
        self._told_once(read, stored=stored)

    async def changed(self, path: str) -> None:
        """Something of a message changed: perhaps it is whole now."""
        if (waits := self._waiting.get(path)) is not None:
            await self.found(path, stored=waits.stored)

    async def deleted(self, path: str) -> None:
        """A message is there no longer."""
        await self._settle(path)
        self._paths.pop(path, None)

    async def tick(self) -> None:
        """Tell the messages that have waited too long for their parts; a draft may be sent at any time."""
        now = self._now()
        for path, waits in list(self._waiting.items()):
            if now - waits.since >= INCOMPLETE_NS and not _outgoing(waits.read):
                await self._settle(path)

    def leave(self) -> None:
        """ModemManager is gone: tell what is known of the messages that were still incomplete."""
        for waits in self._waiting.values():
            if not _outgoing(waits.read):
                self._told_once(waits.read, stored=waits.stored)
        self._waiting.clear()

    async def _settle(self, path: str) -> None:
        """Tell what is known of a message that is not waited for any longer; a draft that was never sent is none."""
        waits = self._waiting.pop(path, None)
        if waits is None:
            return
        remember(self._paths, path, None, _PATHS)
        if not _outgoing(waits.read):
            read = mapping(await self._link.call(path, PROPERTIES, "GetAll", "s", SMS))
            self._told_once(read or waits.read, stored=waits.stored)

    def _told_once(self, read: Mapping[str, Any], *, stored: bool) -> None:
        number, content, data = text(read.get("Number")), text(read.get("Text")), read.get("Data")
        raw = bytes(data) if isinstance(data, (bytes, bytearray)) else b""
        outgoing = _outgoing(read)
        key = (outgoing, number, text(read.get("Timestamp")), content, raw)
        if stored and (key in self._told or self._too_old(read)):
            return
        remember(self._told, key, None, _TOLD)
        self._tell(Sms(self._now(), Side.TBOX, number, text=content, data=raw, outgoing=outgoing))

    def _too_old(self, read: Mapping[str, Any]) -> bool:
        sent = words.moment(read.get("Timestamp"))
        return self._since is not None and sent is not None and sent < self._since


def _outgoing(read: Mapping[str, Any]) -> bool:
    return whole(read.get("PduType")) in words.SUBMITS
