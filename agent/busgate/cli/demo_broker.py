"""A broker of the demo's own on loopback: mosquitto where it is installed, else amqtt in a process of its own.

Law: it listens on 127.0.0.1 only, on a port that was free, and ends with the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from busgate.model import BusgateError

_START_SECONDS = 15.0


@contextlib.contextmanager
def broker(folder: Path, *, embedded: bool = False) -> Iterator[tuple[str, str]]:
    """Run a broker; gives its URL and its name. `embedded` takes amqtt even where mosquitto is installed."""
    port = _free_port()
    found = None if embedded else _mosquitto()
    if found is not None:
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n", encoding="utf-8")
        words, name = [found, "-c", str(config)], "mosquitto"
    else:
        words, name = [sys.executable, "-m", "busgate.cli.demo_broker", str(port)], "amqtt (embedded)"
    log = folder / "broker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, stdin=subprocess.DEVNULL)  # noqa: S603 - our own words
    try:
        _await(port, process, log)
        yield f"mqtt://127.0.0.1:{port}", name
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.05)
    raise BusgateError(f"the demo's broker did not start. Next: look into {log}")


async def _serve(port: int) -> None:
    from amqtt.broker import Broker

    served = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 16}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await served.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
