"""Which events must be in the durable log before anything follows from them."""

from __future__ import annotations

from busgate.model import Alert, Event, Mode, ModeChange, PolicyRefused, Severity


def urgent(event: Event) -> bool:
    """What an operator may have to prove: a blocked or critical command, the local hand, a policy that was refused."""
    match event:
        case Alert():
            return event.action == "block" or event.severity is Severity.CRITICAL
        case ModeChange():
            return Mode.LOCAL in {event.mode, event.previous}
        case _:
            return isinstance(event, PolicyRefused)
