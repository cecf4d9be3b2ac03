"""Why a rule did not let a message pass, and which of several such reasons is told.

Law: reasons are ordered by how much of the rule was met already, so that a verdict names what stood between the
message and passing.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate.model import Reason

CLOSENESS = (
    Reason.NOT_ALLOWLISTED,
    Reason.SIGNAL_UNKNOWN,
    Reason.SIGNAL_OUT_OF_RANGE,
    Reason.GRANT_REQUIRED,
    Reason.TIME_UNKNOWN,
    Reason.OUTSIDE_WINDOW,
    Reason.CONDITION_UNKNOWN,
    Reason.CONDITION_NOT_MET,
    Reason.RATE_EXCEEDED,
)
"""The reasons for which a rule refuses; the later, the closer it came."""

_RANK = {reason: rank for rank, reason in enumerate(CLOSENESS)}


class Refusal(NamedTuple):
    """Why a rule does not let a message pass: the reason, and one phrase with the facts."""

    reason: Reason
    detail: str

    def is_closer_than(self, other: Refusal) -> bool:
        """Whether this rule came closer to letting the message pass than the other one."""
        return _RANK[self.reason] > _RANK[other.reason]
