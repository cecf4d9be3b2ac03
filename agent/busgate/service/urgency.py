"""Which events must be in the durable log before anything follows from them."""

from __future__ import annotations

from busgate.model import Alert, Event, Severity


def urgent(event: Event) -> bool:
    """A blocked or critical command: what an operator may have to prove."""
    return isinstance(event, Alert) and (event.action == "block" or event.severity is Severity.CRITICAL)
