"""What the gateway does with one identifier, worked out once: its route, and the facts about the vehicle in it.

Law: a fact is read from the message and source address that the profile names, and only ever from the vehicle's side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate.decode.dbc import Database, MessageDecoder
from busgate.decode.routes import Kind, Route, Routes
from busgate.model import ERROR, REMOTE, Value
from busgate.profile import Profile, StateName, StateSignal

Read = Callable[[bytes], Value | None]
Fact = tuple[StateName, Read]

MOST_PATHS = 8192
"""Identifiers kept; random ones cost a new look-up, never more memory."""


class Path:
    """One identifier: `plain` frames need no reassembly, `facts` are read of the vehicle's, `quiet` need neither."""

    __slots__ = ("facts", "plain", "quiet", "route")

    def __init__(self, route: Route, facts: tuple[Fact, ...], *, plain: bool) -> None:
        """The route is shared with the decoder stack."""
        self.route = route
        self.facts = facts
        self.plain = plain
        self.quiet = plain and not facts


class Paths:
    """All paths by canid_t, flags and all, so that the hot path looks up once."""

    def __init__(self, profile: Profile, database: Database, routes: Routes) -> None:
        """The table starts empty and is bounded as the routes are."""
        self.table: dict[int, Path] = {}
        self._routes = routes
        self._facts = _facts_by_message(profile, database)

    def found(self, can_id: int) -> Path:
        """Work out the path of an identifier met for the first time."""
        if len(self.table) >= MOST_PATHS:
            self.table.clear()  # and the routes with it: a path counts on the route that it shares
            self._routes.forget()
        route = self._routes(can_id & ~(ERROR | REMOTE))
        dataless = bool(can_id & (ERROR | REMOTE))
        plain = dataless or route.kind in {Kind.PLAIN, Kind.J1939}
        path = Path(route, () if dataless else self._facts_of(route), plain=plain)
        self.table[can_id] = path
        return path

    def _facts_of(self, route: Route) -> tuple[Fact, ...]:
        if route.message is None or route.tbox:
            return ()
        sa = route.identifier.sa if route.identifier is not None else None
        return tuple(
            (name, read) for name, mark, read in self._facts.get(route.message, ()) if mark.sa is None or mark.sa == sa
        )


def _facts_by_message(
    profile: Profile, database: Database
) -> Mapping[str, tuple[tuple[StateName, StateSignal, Read], ...]]:
    facts: dict[str, tuple[tuple[StateName, StateSignal, Read], ...]] = {}
    for name, mark in profile.situation.items():
        read = _reader(mark, database.decoders[mark.message])
        facts[mark.message] = (*facts.get(mark.message, ()), (name, mark, read))
    return facts


def _reader(mark: StateSignal, decoder: MessageDecoder) -> Read:
    """How one fact is read: None wherever the bytes do not clearly say it (law 4: doubt means no)."""
    if mark.true or mark.false:
        raw = decoder.raw_reader((mark.signal,))
        said = dict.fromkeys(mark.false, False) | dict.fromkeys(mark.true, True)

        def flag(data: bytes) -> Value | None:
            (value,) = raw(data)
            return None if value is None else said.get(value)

        return flag
    number = decoder.reader((mark.signal,))
    low = float("-inf") if mark.minimum is None else mark.minimum
    high = float("inf") if mark.maximum is None else mark.maximum

    def quantity(data: bytes) -> Value | None:
        (value,) = number(data)
        return value if value is not None and low <= value <= high else None

    return quantity


def units_of(database: Database) -> Mapping[str, Mapping[str, str]]:
    """The unit of every signal, by message and signal name."""
    return {name: decoder.units for name, decoder in database.decoders.items()}


def raw_of(database: Database, message: str, signal: str) -> Callable[[bytes], int | None]:
    """How one signal is read without scaling; None where the data does not hold it, or holds no integer."""
    read = database.decoders[message].raw_reader((signal,))

    def raw(data: bytes) -> int | None:
        (value,) = read(data)
        return value if isinstance(value, int) else None

    return raw


def raw_reader(database: Database) -> Callable[[str, str, bytes], int | None]:
    """Any signal without scaling, by message and signal name; each is compiled the first time it is asked for."""
    compiled: dict[tuple[str, str], Callable[[bytes], int | None]] = {}

    def raw(message: str, signal: str, data: bytes) -> int | None:
        read = compiled.get((message, signal))
        if read is None:
            read = compiled[message, signal] = raw_of(database, message, signal)
        return read(data)

    return raw
