"""One relay between interfaces: `-m bench.relay_worker busgate|splice|streams|protocols PORT`, for `bench_relay.py`.

The peers are relays on asyncio: `streams` as its documentation teaches it, a task for each direction and `drain` after
`write`; `protocols` as who wants more speed writes it, with nothing between `data_received` and `write`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterable
from typing import cast

from busgate.bridge.inspector import Admission, End, Release
from busgate.bridge.relay import Relay
from busgate.bridge.relay_socket import listeners, original_destination
from busgate.model import Direction, Flow
from support.net import TO_CLOUD, TO_TBOX

_READ = 1 << 16


class PassAll:
    """Sees every byte and lets it go."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def opened(self, flow: Flow, now: int) -> Admission:
        del flow, now
        return self._admission

    def chunk(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        del flow, direction, now
        return Release(data)

    def goes_on(self, flow: Flow, up: int, down: int, now: int) -> bool:
        del flow, up, down, now
        return True

    def due(self, now: int) -> Iterable[tuple[Flow, Direction, Release]]:
        del now
        return ()

    def next_deadline(self) -> int | None:
        return None

    def ended(self, flow: Flow, now: int, why: End) -> None: ...


class OneEnd(asyncio.Protocol):
    """One side of a flow; `other` is the other one once there is a connection."""

    transport: asyncio.Transport
    other: OneEnd | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self.other is None:
            self.transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._connect())
        else:
            self.other.other = self
            self.other.transport.resume_reading()

    async def _connect(self) -> None:
        wanted = original_destination(self.transport.get_extra_info("socket"))
        if wanted is None:
            self.transport.abort()
            return
        there = OneEnd()
        there.other = self
        await asyncio.get_running_loop().create_connection(lambda: there, *wanted)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        if self.other is not None:
            self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.other is not None:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()


async def protocols(port: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(OneEnd, sock=sock) for sock in listeners(port, TO_TBOX)]
    print("ready", flush=True)
    await asyncio.gather(*(each.serve_forever() for each in servers))


async def streams(port: int) -> None:
    async def one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_READ):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wanted = original_destination(writer.get_extra_info("socket"))
        if wanted is not None:
            with contextlib.suppress(OSError):
                there, towards = await asyncio.open_connection(*wanted)
                await asyncio.gather(one_way(reader, towards), one_way(there, writer))
                towards.close()
        writer.close()

    servers = [await asyncio.start_server(relay, sock=sock) for sock in listeners(port, TO_TBOX)]
    print("ready", flush=True)
    await asyncio.gather(*(each.serve_forever() for each in servers))


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    if name in {"streams", "protocols"}:
        asyncio.run(streams(port) if name == "streams" else protocols(port))
        return
    admission = Admission.SPLICE if name == "splice" else Admission.PASS
    relay = Relay.open(TO_TBOX, port, TO_CLOUD, PassAll(admission))
    parent = os.getppid()
    print("ready", flush=True)
    relay.run(lambda: os.getppid() == parent)


if __name__ == "__main__":
    main()
