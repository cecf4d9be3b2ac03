"""Drives a link over TCP, in the clear or with TLS.

Law: this module only moves bytes and keeps time; when to dial and what to say is the link's.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.link import Link, Wish
from busgate_sim.world import SECOND

_CHUNK = 4096
_DIAL_S = 10.0


class Where(NamedTuple):
    """The platform's address; `tls` says whom to trust."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Dial:
    """One link's TCP connection, again and again."""

    def __init__(self, link: Link, where: Where, obey: Callable[[CloudCommand], None]) -> None:
        """`obey` is called with each command."""
        self._link = link
        self._where = where
        self._obey = obey
        self._stop = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None

    def stop(self) -> None:
        """Sign off and end `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the link alive until `stop`."""
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set():
                await self._tick()
                await self._wait(stopping)
            self._link.hang_up(time.time_ns())
            await self._flush()
        finally:
            stopping.cancel()
            await self._close()

    async def _tick(self) -> None:
        wish = self._link.tick(time.time_ns())
        if wish is Wish.CLOSE:
            await self._close()
        elif wish is Wish.DIAL:
            try:
                async with asyncio.timeout(_DIAL_S):
                    self._reader, self._writer = await asyncio.open_connection(
                        self._where.host, self._where.port, ssl=self._where.tls
                    )
                self._link.connected(time.time_ns())
            except (OSError, TimeoutError):
                self._link.lost(time.time_ns())
        await self._flush()

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        """Until there is something to read, to do, or no more."""
        waiting: set[asyncio.Task[bytes] | asyncio.Task[bool]] = {stopping}
        if self._reader is not None:
            self._reading = self._reading or asyncio.create_task(self._reader.read(_CHUNK))
            waiting.add(self._reading)
        timeout = max(0.0, (self._link.due - time.time_ns()) / SECOND)
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None
            await self._received(reading)

    async def _received(self, reading: asyncio.Task[bytes]) -> None:
        try:
            data = reading.result()
        except OSError:
            data = b""
        if not data:
            await self._close()
            self._link.lost(time.time_ns())
            return
        wish = self._link.received(data, time.time_ns())
        await self._flush()
        for command in self._link.fetch():
            self._obey(command)
        if wish is Wish.CLOSE:
            await self._close()

    async def _flush(self) -> None:
        data = self._link.take()
        if self._writer is None or not data:
            return
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            await self._close()
            self._link.lost(time.time_ns())

    async def _close(self) -> None:
        writer, self._writer, self._reader = self._writer, None, None
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if writer is not None:
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                return
