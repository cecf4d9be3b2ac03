"""What is looked after beside the line, in a thread of its own: the kernel's rules, who asks, what outlives the gate.

Law: the line never waits for any of it. What is found is left for the line to act on; nothing is forwarded or changed
from here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from busgate.bridge.port import BridgeError
from busgate.model import BusgateError
from busgate.service import standing
from busgate.service.companion import take_priority
from busgate.service.hold import Answer, Hold
from busgate.service.layers import Layers
from busgate.service.standing import Standing

KERNEL_EVERY_S = 1.0
_TURN_S = 0.2


class Vigil:
    """The thread, from `start` to `close`."""

    def __init__(
        self, hold: Hold, layers: Layers | None, words: Answer, folder: Path, stands: Callable[[], Standing]
    ) -> None:
        """`words` tells whoever asks, `stands` how things stand: that is kept in `folder` when it has changed."""
        self.undone = 0
        """The number of the kernel's last setting (`Layers.entered`) that is not in force any more; 0 is none."""
        self.trouble = ""
        """Why how things stand cannot be kept; empty while it can."""
        self._hold = hold
        self._layers = layers
        self._words = words
        self._folder = folder
        self._stands = stands
        self._kept: Standing | None = None
        self._due = 0.0
        self._first = False
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, name="vigil", daemon=True)

    def start(self, *, first: bool) -> None:
        """Begin; `first`: the line runs before all ordinary programs."""
        self._first = first
        self._thread.start()

    def close(self) -> None:
        """End, with the last word kept."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def turn(self) -> None:
        """One round."""
        if (now := time.monotonic()) >= self._due:
            self._due = now + KERNEL_EVERY_S
            self._look()
        self._keep()

    def _work(self) -> None:
        if self._first:  # else another program could keep this thread from letting go of the interpreter
            take_priority()
        while not self._ends.is_set():
            self.turn()
            self._hold.answer(self._words, _TURN_S)
        self._keep()

    def _look(self) -> None:
        if self._layers is None:
            return
        entered = self._layers.entered
        try:
            undone = self._layers.undone()
        except BridgeError:
            return
        self.undone = entered if undone and entered == self._layers.entered else 0

    def _keep(self) -> None:
        stands = self._stands()
        if stands == self._kept:
            return
        try:
            standing.keep(self._folder, stands)
        except BusgateError as fault:
            self.trouble = str(fault)
            return
        self._kept, self.trouble = stands, ""
