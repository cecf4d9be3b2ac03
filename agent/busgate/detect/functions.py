"""Which functions can be used from outside, as far as anybody used them: the inventory, kept while the gate works.

Law: every message of the T-box counts in exactly one row, ordinary service too. Rows are few, whatever a stranger
makes up: beyond `MOST` all further ones of an interface share a row, but for those that reach a known part of the
vehicle, which have as many places again. Told are a row's first use, at most `MOST_AT_ONCE` rows an hour, and the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from busgate.model import Act, Action, Command, Party, Provenance, RemoteFunction, Subsystem, Verdict

MOST = 512
EVERY_NS = 3_600_000_000_000
"""How often a row that changed is told again: once an hour, and at the end."""

MOST_AT_ONCE = 64
"""How many rows are told again then, those first that waited longest."""

OTHERS = "further functions"
_ANYTHING = frozenset({Subsystem.UNKNOWN, Subsystem.TELEMATICS})


class Place(NamedTuple):
    """Where a function was used: the interface ("can", "ip", "sms"), its protocol, and the other end."""

    interface: str
    protocol: str
    direction: str = "down"
    code: int | None = None
    endpoint: str = ""
    host: str = ""
    country: str = ""
    provenance: Provenance = Provenance.PHYSICAL
    watched: bool = False


@dataclass(slots=True)
class _Row:
    place: Place
    name: str
    subsystem: Subsystem
    act: Act
    rule: str
    target: Party
    first: int
    last: int
    grant: str = ""
    count: int = 0
    passed: int = 0
    told: int = 0
    told_at: int = 0


class Functions:
    """The remote functions of one vehicle, by use."""

    def __init__(self) -> None:
        """Nothing has been used yet."""
        self._rows: dict[tuple[object, ...], _Row] = {}
        self._next: int | None = None

    def used(self, command: Command, place: Place, verdict: Verdict, at: int, grant: str = "") -> RemoteFunction | None:
        """Count one use; the row if it is news."""
        what = command.name, command.subsystem, command.act, command.target
        key: tuple[object, ...] = (place.interface, place.protocol, place.endpoint, place.direction, *what)
        row = self._rows.get(key)
        full = len(self._rows) >= (MOST if command.subsystem in _ANYTHING else 2 * MOST)
        if row is None and full:
            key = (place.interface, OTHERS)
            row = self._rows.get(key)
        news = row is None
        if row is None:
            row = _others(place, command, at) if full else _fresh(place, command, at)
            self._rows[key] = row
        row.count += 1
        row.place = row.place._replace(watched=place.watched)
        row.last = at
        row.grant = grant or row.grant
        row.passed += verdict.action is Action.PASS
        return _event(row, at) if news else None

    def tick(self, now: int) -> tuple[RemoteFunction, ...]:
        """The rows that changed since they were last told, now and then."""
        if self._next is None or now < self._next:
            self._next = now + EVERY_NS if self._next is None else self._next
            return ()
        self._next = now + EVERY_NS
        due = sorted((row for row in self._rows.values() if row.count > row.told), key=lambda row: row.told_at)
        return tuple(_event(row, now) for row in due[:MOST_AT_ONCE])

    def finish(self, now: int) -> tuple[RemoteFunction, ...]:
        """All rows as they stand in the end."""
        return tuple(_event(row, now, final=True) for row in self._rows.values() if row.count > row.told)


def _fresh(place: Place, command: Command, at: int) -> _Row:
    return _Row(place, command.name, command.subsystem, command.act, command.rule, command.target, at, at)


def _others(place: Place, command: Command, at: int) -> _Row:
    """A row for what has no row of its own: of many protocols and ends, so of none."""
    place = Place(place.interface, "", place.direction, provenance=place.provenance)
    return _Row(place, OTHERS, Subsystem.UNKNOWN, command.act, command.rule, Party("", None), at, at)


def _event(row: _Row, at: int, *, final: bool = False) -> RemoteFunction:
    row.told, row.told_at = row.count, at
    return RemoteFunction(
        at=at,
        interface=row.place.interface,
        protocol=row.place.protocol,
        direction=row.place.direction,
        name=row.name,
        code=row.place.code,
        subsystem=row.subsystem,
        act=row.act,
        rule=row.rule,
        target=row.target,
        endpoint=row.place.endpoint,
        host=row.place.host,
        country=row.place.country,
        grant=row.grant,
        provenance=row.place.provenance,
        count=row.count,
        passed=row.passed,
        blocked=row.count - row.passed,
        first=row.first,
        last=row.last,
        watched=row.place.watched,
        final=final,
    )
