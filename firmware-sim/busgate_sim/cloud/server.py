"""The vendor's platform on TCP, with a console to order vehicles about: `python -m busgate_sim.cloud.server`.

Law: this module only moves bytes and lines; what they mean is the platform's. It runs until `quit` or an interrupt;
a console that ends (no terminal) does not end it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from busgate_sim.cloud.certificate import self_made, serves
from busgate_sim.cloud.octets import Refused
from busgate_sim.cloud.orders import ORDERS, Order, order_from_words
from busgate_sim.cloud.platform import Line, Platform

_CHUNK = 4096
_HELP = """list                          the vehicles and their last reports
told                          the orders and what became of them
VEHICLE ORDER argument=value  order a vehicle to do something
quit"""


class Server:
    """The platform's listening socket and its connections."""

    def __init__(self, platform: Platform) -> None:
        """Listens to nothing yet."""
        self.platform = platform
        self._writers: dict[Line, asyncio.StreamWriter] = {}
        self._changed = asyncio.Condition()
        self._listening: asyncio.Server | None = None

    async def start(self, host: str, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port, which with 0 is any free one.

        Raises:
            OSError: nothing can listen there.
        """
        self._listening = await asyncio.start_server(self._serve, host, port, ssl=tls)
        return int(self._listening.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close all connections and listen no more."""
        if self._listening is not None:
            self._listening.close()
        for writer in list(self._writers.values()):
            writer.close()
        await self.until(lambda _: not self._writers)

    def order(self, vehicle: str, order: Order) -> Refused | None:
        """Send an order; why not, if it cannot be."""
        sent = self.platform.order(vehicle, order, time.time_ns())
        if isinstance(sent, Refused):
            return sent
        self._writers[sent.line].write(sent.data)
        return None

    async def until(self, holds: Callable[[Platform], bool]) -> None:
        """Wait until something holds; it is looked at whenever a vehicle has said something or gone."""
        async with self._changed:
            await self._changed.wait_for(lambda: holds(self.platform))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = self.platform.line()
        self._writers[line] = writer
        try:
            while data := await reader.read(_CHUNK):
                writer.write(line.receive(data, time.time_ns()))
                await writer.drain()
                await self._tell()
        except (ConnectionError, ssl.SSLError) as gone:
            self.platform.book.refuse(f"a connection broke: {gone}")
        finally:
            self.platform.closed(line)
            del self._writers[line]
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def answer(server: Server, line: str) -> str:
    """What the console answers to a line; "quit" is the caller's."""
    words, book = line.split(), server.platform.book
    if not words or words[0] == "help":
        return f"{_HELP}\norders: {', '.join(ORDERS)}"
    if words[0] == "list":
        rows = [
            f"{one.name}  {one.protocol}  {'online' if one.online else 'offline'}  {one.reports} reports  {one.report}"
            for one in book.vehicles.values()
        ]
        return "\n".join(rows) or "no vehicle has logged in"
    if words[0] == "told":
        rows = [f"{one.name}  {told.order.name}  {told.outcome}" for one in book.vehicles.values() for told in one.told]
        return "\n".join(rows) or "nothing was ordered"
    try:
        refused = server.order(words[0], order_from_words(words[1:]))
    except ValueError as wrong:
        return str(wrong)
    return refused.reason if refused else f"sent {words[1]} to {words[0]}"


async def _run(asked: argparse.Namespace) -> int:
    tls = None
    if asked.tls:
        own = self_made(asked.host)
        tls = serves(own)
        if asked.certificate_out:
            asked.certificate_out.write_bytes(own.certificate)
    server = Server(Platform(asked.admit or None))
    port = await server.start(asked.host, asked.port, tls)
    print(f"listening on {asked.host}:{port}{' with TLS' if tls else ''}; help for help", flush=True)
    lines = _console(asyncio.get_running_loop())
    while (line := await lines.get()).strip() != "quit":
        print(answer(server, line), flush=True)
    await server.stop()
    return 0


def _console(loop: asyncio.AbstractEventLoop) -> asyncio.Queue[str]:
    """Lines of the standard input, from a thread because it may be a file as well as a terminal."""
    lines = asyncio.Queue[str]()

    def read() -> None:
        for line in sys.stdin:
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, name="console", daemon=True).start()
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run the platform alone; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m busgate_sim.cloud.server", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default %(default)s)")
    parser.add_argument("--port", type=int, default=8808, help="0 for any free port (default %(default)s)")
    parser.add_argument("--tls", action="store_true", help="with a certificate made for this start")
    parser.add_argument("--certificate-out", type=Path, metavar="FILE", help="write that certificate (PEM) there")
    parser.add_argument("--admit", action="append", metavar="VEHICLE", help="a phone number or VIN (default: any)")
    asked = parser.parse_args(arguments)
    try:
        return asyncio.run(_run(asked))
    except (OSError, OverflowError) as failed:
        print(f"cannot listen on {asked.host}:{asked.port}: {failed}; choose another with --port", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
