"""The operations centre of a simulated fleet: the real `busgate-soc watch`, and what it said of every bus.

Law: only what it calls verified counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

WATCH = [sys.executable, "-c", "from busgate_soc.cli import main; main()", "watch"]


class Control:
    """A watch in a process of its own."""

    def __init__(self, url: str, vkeys: Iterable[Path], key: Path, state: Path) -> None:
        """Begins to watch all devices; it cosigns with `key` what it has verified."""
        self.verified: dict[str, int] = {}
        """How many records of each device were verified."""
        self.alerts: dict[str, list[tuple[str, str]]] = {}
        """Rule and severity of each verified alert, by device."""
        self.alarms: list[str] = []
        named = [word for vkey in vkeys for word in ("--vkey", str(vkey))]
        words = [*WATCH, "--mqtt", url, "--all", "--key", str(key), "--state", str(state), "--json", *named]
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._read, name="fleet-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(10)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the last line of one that was ended may be torn
            if not isinstance(row, dict):
                continue
            match row.get("event"):
                case "verified":
                    self.verified[row["device"]] = row["size"]
                case "record" if row.get("entry") and row["entry"].get("type") == "alert":
                    told = row["entry"]
                    self.alerts.setdefault(row["device"], []).append((told.get("rule", ""), row["severity"]))
                case "alarm":
                    self.alarms.append(f"{row['device']}: {row['sentence']}")
