"""When a program that works until it is stopped has been stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


class UntilStopped:
    """True until SIGTERM or Ctrl-C asks for the end. `again` is True once after each SIGHUP."""

    def __init__(self) -> None:
        self._going = True
        self._again = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._reload)

    def __call__(self) -> bool:
        """Whether to go on."""
        return self._going

    @property
    def again(self) -> bool:
        """Whether the settings are to be read again."""
        asked, self._again = self._again, False
        return asked

    @staticmethod
    def never() -> Callable[[], bool]:
        """For who is stopped otherwise."""
        return lambda: True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._going = False

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self._again = True
