"""What a device says of itself: that it is there, how far its log has come, and, by the broker's hand, that it is gone.

Law: each connection has a number of its own, so that a will which arrives after the next birth is known to be old.
"""

from __future__ import annotations

from typing import Final

from busgate.report import topics
from busgate.report.broker import Will
from busgate.report.journal import Journal
from busgate.report.messages import State

_REFRESH_SECONDS: Final = 30.0


class Presence:
    """One device's state. `mid` is its message while on the way."""

    def __init__(self, device: str, journal: Journal) -> None:
        """`journal` is only read in the thread of its owner; the will is made from what was known last."""
        self.topic = topics.state(device)
        self.mid: int | None = None
        self._journal = journal
        self._session = 0
        self._sent = 0.0
        self._state = State(journal.boot_number, 0, False, journal.origin, journal.incarnation, journal.size)

    def will(self, session: int) -> Will:
        """What the broker says when connection number `session` dies. Called on the network thread."""
        return Will(self.topic, self._state._replace(session=session, online=False).payload)

    def connected(self, session: int) -> None:
        """This is connection number `session`."""
        self._session = session

    def payload(self, now: float, *, online: bool) -> bytes:
        """The state now, to be sent at once."""
        self._sent = now
        self._state = self._state._replace(session=self._session, online=online, size=self._journal.size)
        return self._state.payload

    def stale(self, now: float) -> bool:
        """Whether what was said last is no longer so, and old enough to be said anew."""
        return self._state.size != self._journal.size and self.mid is None and now - self._sent >= _REFRESH_SECONDS
