"""Which checkpoint is offered to witnesses, and when.

Law: one at a time where somebody answers, as tlog-witness has it, and again when nobody did; time is data.
"""

from __future__ import annotations

from typing import Final

_ANSWER_SECONDS: Final = 5.0


class Offer:
    """The checkpoint last offered. `old` is the size that witnesses stand at, `mid` its message while on the way."""

    def __init__(self, old: int) -> None:
        """Nothing has been offered yet."""
        self.old = old
        self.size = -1
        self.mid: int | None = None
        self._asked = 0.0
        self._answered = True

    def due(self, size: int, now: float, *, waits: bool) -> bool:
        """Whether a checkpoint of `size` is to be offered now; one that nobody answered is offered again."""
        if self.mid is not None or size == 0:
            return False
        if waits and not self._answered:
            return now - self._asked >= _ANSWER_SECONDS
        return size > self.size

    def made(self, mid: int, size: int, now: float) -> None:
        """A checkpoint of `size` went out as message `mid`."""
        self.mid, self.size, self._asked, self._answered = mid, size, now, False

    def arrived(self, *, refused: bool) -> None:
        """The broker has it, or did not take it."""
        self.mid = None
        if refused:
            self.again()

    def again(self) -> None:
        """Offer it once more: whoever joined since has not heard of it."""
        self.size, self._answered = -1, True

    def cosigned(self, size: int) -> None:
        """A witness signed the checkpoint of `size`, and stands there now."""
        self.old = max(self.old, size)
        self._answered = self._answered or size >= self.size

    def refetch(self, size: int) -> None:
        """A witness stands at `size`, and said so."""
        self.old = size
        self.again()
