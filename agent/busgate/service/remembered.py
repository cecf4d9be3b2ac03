"""What the air side has seen before, kept in a file over restarts: parties, networks, certificates, names and the like.

Law: a file that cannot be read or written stops nothing; everything is new once more, and that is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from busgate.detect.network import Memory, Novelty


class Remembered:
    """One such file; without a path nothing is kept."""

    def __init__(self, path: str | None, say: Callable[[str], None]) -> None:
        """Nothing is read yet."""
        self._path = path
        self._say = say

    def recall(self) -> Novelty:
        """What was seen before, as far as it can be read."""
        if self._path is None:
            return Novelty()
        try:
            return Novelty(Memory.read(json.loads(Path(self._path).read_bytes())))
        except FileNotFoundError:
            return Novelty()
        except (OSError, ValueError, RecursionError) as fault:
            self._say(f"{self._path} cannot be read ({fault}); everything will be new once")
            return Novelty()

    def keep(self, novelty: Novelty) -> None:
        """Write what has been seen by now, whole or not at all."""
        if self._path is None:
            return
        try:
            fresh = Path(f"{self._path}.new")
            fresh.write_text(json.dumps(novelty.memory.stored()), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as fault:
            self._say(f"{self._path} cannot be written: {fault.strerror}")
