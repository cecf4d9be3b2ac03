"""Maintenance grants: who may use which functions of one vehicle, from when to when, and who approved it.

Law: a grant begins when a trusted clock says so and ends for good when the latest trusted time there ever was reaches
its end. A clock set back lengthens nothing; a grant without trusted time is no grant.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import PlainValidator, model_validator

from busgate.document import read
from busgate.judge.clock import Moment
from busgate.judge.terms import Id, Name, Timestamp, Written, fault_at
from busgate.model import BusgateError, GrantChange

ANY_VEHICLE = "any"


class GrantError(BusgateError):
    """A grant that this vehicle does not take."""


def _country(written: object) -> str:
    if not isinstance(written, str) or _COUNTRY.fullmatch(written) is None:
        raise ValueError(f"{written!r} is no country; write its two letters (ISO 3166-1), such as NL")
    return written


_COUNTRY = re.compile(r"[A-Z]{2}")
Country = Annotated[str, PlainValidator(_country)]


class Holder(Written):
    """Who may do the work."""

    who: Name
    organisation: Name
    country: Country

    def __str__(self) -> str:
        """As people read it: `J. Jansen, Example Service BV (NL)`."""
        return f"{self.who}, {self.organisation} ({self.country})"


class Grant(Written):
    """Permission to use functions of a vehicle for a time; `functions` are the names that rules ask for."""

    grant: Id
    holder: Holder
    vehicle: Name
    """The device's name, or "any"."""
    functions: tuple[Name, ...]
    start: Timestamp
    end: Timestamp
    reason: Name
    approvers: tuple[Name, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Grant:
        different = {" ".join(approver.casefold().split()) for approver in self.approvers}
        if len(different) < 2 or len(different) < len(self.approvers):
            raise fault_at(("approvers",), "two different people must approve a grant")
        if not self.functions:
            raise fault_at(("functions",), "name the functions that it is for, as the policy's rules do")
        if self.start >= self.end:
            raise fault_at(("end",), "it is not after the start")
        return self


def read_grant(text: str, name: str = "grant.yaml") -> Grant:
    """Read a grant; raises DocumentError with one line per fault, naming line and field."""
    return read(text, Grant, name)


class Grants:
    """The grants that one vehicle holds, until each has ended."""

    def __init__(self, device: str) -> None:
        """`device` is the name that this vehicle's grants are made out to."""
        self._device = device
        self._held: dict[str, Grant] = {}
        self._begun: set[str] = set()

    def adopt(self, grant: Grant) -> None:
        """Take a grant; it begins by itself. Raises GrantError for another vehicle's, or an id used before."""
        if grant.vehicle not in {ANY_VEHICLE, self._device}:
            raise GrantError(f"grant {grant.grant} is made out to {grant.vehicle}; this is {self._device or 'unnamed'}")
        if self._held.get(grant.grant, grant) != grant:
            raise GrantError(f"another grant is called {grant.grant} already; give each its own id")
        self._held[grant.grant] = grant

    def holds(self, function: str) -> bool:
        """Whether a grant that has not ended names the function, active or not."""
        return any(function in grant.functions for grant in self._held.values())

    def active(self, function: str | None, moment: Moment) -> Grant | None:
        """The grant that allows the function at this moment, if there is one; no function (None) needs none."""
        for grant in self._held.values():
            if function in grant.functions and _active(grant, moment):
                return grant
        return None

    def tick(self, moment: Moment) -> tuple[GrantChange, ...]:
        """What began and what ended by this moment; one that was over before it could begin only ends."""
        changes = []
        for grant in tuple(self._held.values()):
            if _over(grant, moment):
                del self._held[grant.grant]
                self._begun.discard(grant.grant)
                changes.append(_change(grant, "end", moment))
            elif grant.grant not in self._begun and _active(grant, moment):
                self._begun.add(grant.grant)
                changes.append(_change(grant, "start", moment))
        return tuple(changes)

    def next_deadline(self, moment: Moment) -> int | None:
        """When the next grant begins or ends, on the bridge's timeline; None while no time is known."""
        due = [grant.end - moment.latest for grant in self._held.values() if moment.latest is not None]
        if moment.wall is not None:
            due += [grant.start - moment.wall for name, grant in self._held.items() if name not in self._begun]
        return moment.now + max(0, min(due)) if due else None


def _active(grant: Grant, moment: Moment) -> bool:
    return moment.wall is not None and grant.start <= moment.wall and not _over(grant, moment)


def _over(grant: Grant, moment: Moment) -> bool:
    return moment.latest is not None and moment.latest >= grant.end


def _change(grant: Grant, stage: str, moment: Moment) -> GrantChange:
    return GrantChange(
        at=moment.now,
        stage=stage,
        grant=grant.grant,
        holder=str(grant.holder),
        rules=grant.functions,
        until=grant.end,
        reason=grant.reason,
    )
