"""What the relay tells of its flows: to the inspector that judged them, and to whoever listens.

Law: telling harms nobody. An inspector that fails at it is counted and told of, a listener that fails is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from busgate.bridge.inspector import End, FlowEvent, Happening, Inspector
from busgate.model import Flow


@dataclass(slots=True)
class Counts:
    """What the relay has met since it was opened."""

    opened: int = 0
    refused: int = 0
    ended: int = 0
    faults: int = 0
    """Exceptions of the inspector, each of which has ended a flow or a look at what is due."""
    untold: int = 0
    """Events whose listener failed."""
    up: int = 0
    down: int = 0
    """Bytes delivered by flows that are over."""


class Told:
    """Both who hear of flows, and the counts."""

    def __init__(self, inspector: Inspector, tell: Callable[[FlowEvent], None], counts: Counts) -> None:
        self._inspector, self._tell, self._counts = inspector, tell, counts

    def over(self, event: FlowEvent) -> None:
        """An admitted flow is over."""
        self._counts.ended += 1
        self._counts.up += event.up
        self._counts.down += event.down
        if event.flow is not None and event.why is not None:
            try:
                self._inspector.ended(event.flow, event.at, event.why)
            except Exception as fault:  # noqa: BLE001 - whatever an inspector trips over
                self.failed(event.flow, fault, event.at)
        self.say(event)

    def failed(self, flow: Flow | None, fault: Exception, now: int) -> None:
        """The inspector failed where no flow is under way, or at one whose end is told by another event."""
        self._counts.faults += 1
        self.say(FlowEvent(now, flow, Happening.FAULT, End.FAULT, detail=plain(fault)))

    def say(self, event: FlowEvent) -> None:
        """Something happened to a flow."""
        try:
            self._tell(event)
        except Exception:  # noqa: BLE001 - who only listens ends no flow
            self._counts.untold += 1


def plain(fault: Exception) -> str:
    """A fault in words."""
    return f"{type(fault).__name__}: {fault}"
