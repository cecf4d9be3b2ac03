"""A real mosquitto for tests: on a free loopback port, in a folder of its own, stopped by its process id.

Law: nothing outside the given folder is touched, and a restart listens on the same port again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAM = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
"""None where mosquitto is not installed: skip, saying so."""

MISSING = "mosquitto is not installed here (apt-get install mosquitto)"


class Mosquitto:
    """One broker. `persistence` keeps queues and retained messages over a restart; `extra` are lines of its file."""

    def __init__(self, folder: Path, *, persistence: bool = False, extra: str = "allow_anonymous true\n") -> None:
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        kept = f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n" if persistence else ""
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{kept}{user}{extra}", encoding="utf-8")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        if PROGRAM is None:
            raise FileNotFoundError(MISSING)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen([PROGRAM, "-c", str(self._config)], stdout=output, stderr=output)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return
            time.sleep(0.02)
        raise AssertionError(f"mosquitto did not start: {self.log.read_text(encoding='utf-8', errors='replace')}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it: SIGTERM lets it save what it keeps, SIGKILL is a crash."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.stop(number)
        self.start()


@contextlib.contextmanager
def mosquitto(folder: Path, *, persistence: bool = False, extra: str = "allow_anonymous true\n") -> Iterator[Mosquitto]:
    """A running broker, ended with the block."""
    broker = Mosquitto(folder, persistence=persistence, extra=extra)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop(signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
