"""Testers and ECUs talking UDS, told to `Sessions` one payload a line."""

from collections.abc import Hashable

from busgate.decode.uds import Reading, read
from busgate.decode.uds_sessions import SessionEvent, Sessions

SECOND = 1_000_000_000


def reading(text: str) -> Reading:
    """A payload in hexadecimal that must be UDS."""
    found = read(bytes.fromhex(text))
    assert isinstance(found, Reading), found
    return found


class Dialogue:
    """Keeps every event of its sessions; `at` is in seconds and stands still until it is set."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self.sessions = sessions or Sessions()
        self.events: list[SessionEvent] = []
        self.at = 0.0

    @property
    def now(self) -> int:
        """The time in nanoseconds."""
        return int(self.at * SECOND)

    def ask(self, *texts: str, of: Hashable = "ecu", by: Hashable = "t-box") -> None:
        """Requests of tester `by` to one ECU."""
        for text in texts:
            self.events += self.sessions.request(self.now, by, of, reading(text))

    def ask_all(self, *texts: str, by: Hashable = "t-box") -> None:
        """Functional requests."""
        for text in texts:
            self.events += self.sessions.request(self.now, by, "all", reading(text), functional=True)

    def answer(self, *texts: str, of: Hashable = "ecu") -> None:
        """Answers of one ECU."""
        for text in texts:
            self.events += self.sessions.response(self.now, of, reading(text))

    def wait_until(self, at: float) -> None:
        """Let time pass."""
        self.at = at
        self.events += self.sessions.tick(self.now)

    def finish(self) -> None:
        """The trace ends here."""
        self.events += self.sessions.end(self.now)

    def told(self) -> list[tuple[str, Hashable, int, str]]:
        """(stage, target, session, ended_by) of every event so far."""
        return [(event.stage, event.target, event.session, event.ended_by) for event in self.events]
