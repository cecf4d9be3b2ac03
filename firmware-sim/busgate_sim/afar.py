"""The simulated T-box' link to a platform that is really elsewhere: TCP or TLS, in a thread of its own.

Law: the thread moves bytes; what the T-box is told is obeyed in the world's own time, one command after the other.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Self

from busgate_sim.stage import Stage
from busgate_sim.tbox_firmware.cloud_command import CloudCommand
from busgate_sim.tbox_firmware.dial import Dial, Where

CAUSE = "afar"
"""The cause of what the T-box does because that platform told it to."""


class Afar:
    """A stage's T-box, dialled in elsewhere; a context that hangs up."""

    def __init__(self, stage: Stage, where: Where) -> None:
        """Nothing is dialled yet."""
        self.commands: list[CloudCommand] = []
        """All that were obeyed, in order."""
        self._stage = stage
        self._came: queue.SimpleQueue[CloudCommand] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._dial = Dial(stage.online.hand_over(), where, self._came.put)
        self._thread = threading.Thread(target=self._run, name="afar", daemon=True)

    def __enter__(self) -> Self:
        """Dial."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Sign off and hang up."""
        self._loop.call_soon_threadsafe(self._dial.stop)
        self._thread.join(10)

    def turn(self) -> None:
        """Obey what has come since the last time."""
        while not self._came.empty():
            command = self._came.get()
            self.commands.append(command)
            self._stage.obeys(command, CAUSE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._dial.run())
        self._loop.close()
