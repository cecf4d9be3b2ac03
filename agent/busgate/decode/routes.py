"""Which decoder reads which identifier: one table, filled from profile and DBC the first time an identifier is met.

Law: the same identifier always takes the same route, whatever it carries; what neither profile nor standard claims
is PLAIN and unnamed. Who asks bounds the table with `forget`: routes that are still held elsewhere count no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from busgate.decode.dbc import Database, MessageDecoder
from busgate.decode.j1939 import PGN_ETP_CM, PGN_ETP_DT, PGN_TP_CM, PGN_TP_DT, Identifier, split
from busgate.model import EXTENDED, GLOBAL_ADDRESS, IDENTIFIER
from busgate.profile import Profile

TESTER = -1
"""The diagnostic address of a tester on 11-bit identifiers, where only the ECU has one."""

# ISO 15765-2:2016, tables 6, 8 and 10: the parameter groups of 29-bit diagnostics and whether all ECUs are meant.
_ISOTP_29BIT: Mapping[int, tuple[int, bool]] = {
    0xDA00: (0, False),  # normal fixed, physical
    0xDB00: (0, True),  # normal fixed, functional
    0xCE00: (1, False),  # mixed, physical
    0xCD00: (1, True),  # mixed, functional
}
_TRANSPORT = frozenset({PGN_TP_CM, PGN_TP_DT, PGN_ETP_CM, PGN_ETP_DT})


class Kind(StrEnum):
    """How a frame is read."""

    PLAIN = "can"
    J1939 = "j1939"
    TRANSPORT = "j1939-tp"
    ISOTP = "isotp"


class Route:
    """What is known of one identifier before its data is looked at.

    `tbox` and `vehicle` tell whose identifier it is by the profile (both False: nobody's). Diagnostic routes carry
    the addresses `source` and `target`; `answers` says which way an 11-bit pair runs and is None where nobody
    declared it, so that the payload has to tell. `frames` counts, for the report.
    """

    __slots__ = (
        "address_bytes",
        "answers",
        "can_id",
        "decoder",
        "frames",
        "functional",
        "identifier",
        "kind",
        "message",
        "source",
        "target",
        "tbox",
        "vehicle",
    )

    def __init__(self, can_id: int, kind: Kind) -> None:
        """A route that knows nothing yet but its kind."""
        self.can_id = can_id
        self.kind = kind
        self.identifier: Identifier | None = None
        self.decoder: MessageDecoder | None = None
        self.message: str | None = None
        self.tbox = False
        self.vehicle = False
        self.functional = False
        self.answers: bool | None = None
        self.address_bytes = 0
        self.source = TESTER
        self.target = TESTER
        self.frames = 0


class Routes:
    """All routes of one vehicle, by SocketCAN canid_t (the EXTENDED flag is part of the key)."""

    def __init__(self, profile: Profile, database: Database) -> None:
        """The profile and the DBC decide; both are fixed for the life of the table."""
        self._profile = profile
        self._database = database
        self._routes: dict[int, Route] = {}
        self._forgotten: dict[str, int] = {}
        self._tbox_sas = frozenset(profile.tbox.sas)
        self._ecu_sas = frozenset(ecu.sa for ecu in profile.ecus if ecu.sa is not None)
        self._ecu_names = frozenset(ecu.name for ecu in profile.ecus)
        self._ecu_ids = frozenset(can_id for ecu in profile.ecus for can_id in ecu.ids)
        self._commands = frozenset(mark.message for mark in profile.commands)
        self._requests = {ecu.uds.request: ecu.uds for ecu in profile.ecus if ecu.uds}
        self._responses = {ecu.uds.response: ecu.uds for ecu in profile.ecus if ecu.uds}

    def __call__(self, can_id: int) -> Route:
        """The route of an identifier (canid_t without the RTR and ERR flags)."""
        route = self._routes.get(can_id)
        if route is None:
            route = self._routes[can_id] = self._found(can_id)
        return route

    def known(self) -> tuple[Route, ...]:
        """Every route met so far, in the order met."""
        return tuple(self._routes.values())

    def counts(self) -> dict[str, int]:
        """Frames by kind of route, over all time."""
        counts = dict(self._forgotten)
        for route in self._routes.values():
            counts[route.kind] = counts.get(route.kind, 0) + route.frames
        return counts

    def vehicle_ids(self) -> frozenset[int]:
        """The 11-bit identifiers that belong to the vehicle by profile and DBC."""
        ids = {decoder.can_id for decoder in self._database.decoders.values() if not decoder.can_id & EXTENDED}
        return frozenset(can_id for can_id in ids | self._ecu_ids | set(self._responses) if self._found(can_id).vehicle)

    def forget(self) -> None:
        """Start the table anew, keeping its counts."""
        self._forgotten = self.counts()
        self._routes.clear()

    def _found(self, can_id: int) -> Route:
        if can_id & EXTENDED and self._profile.protocol_29bit == "j1939":
            return self._j1939(can_id)
        return self._plain(can_id)

    def _j1939(self, can_id: int) -> Route:
        identifier = split(can_id)
        route = Route(can_id, Kind.J1939)
        route.identifier = identifier
        route.tbox = identifier.sa in self._tbox_sas
        route.vehicle = identifier.sa in self._ecu_sas
        if identifier.pgn in _ISOTP_29BIT:
            route.kind = Kind.ISOTP
            route.address_bytes, route.functional = _ISOTP_29BIT[identifier.pgn]
            route.source = identifier.sa
            route.target = GLOBAL_ADDRESS if route.functional else identifier.da
            return route
        if identifier.pgn in _TRANSPORT:
            route.kind = Kind.TRANSPORT
            return route
        route.decoder = self._database.find(can_id)
        route.message = route.decoder.name if route.decoder else None
        return route

    def _plain(self, can_id: int) -> Route:
        route = Route(can_id, Kind.PLAIN)
        route.decoder = self._database.find(can_id)
        bare = can_id & IDENTIFIER
        if route.decoder is not None:
            route.message = route.decoder.name
            senders = route.decoder.senders
            route.tbox = self._profile.tbox.name in senders or route.message in self._commands
            route.vehicle = not route.tbox and any(sender in self._ecu_names for sender in senders)
        route.tbox = route.tbox or bare in self._profile.tbox.ids
        route.vehicle = not route.tbox and (route.vehicle or bare in self._ecu_ids)
        if self._diagnostic(bare, route):
            route.kind = Kind.ISOTP
        return route

    def _diagnostic(self, bare: int, route: Route) -> bool:
        """Whether an identifier carries ISO-TP; fills in which way it runs."""
        if pair := self._requests.get(bare):
            route.answers, route.target, route.tbox = False, bare, True
        elif pair := self._responses.get(bare):
            route.answers, route.source, route.vehicle = True, pair.request, True
        elif bare in self._profile.diagnostics.functional and not route.can_id & EXTENDED:
            route.answers, route.functional, route.target, route.tbox = False, True, bare, True
        else:
            claimed = route.decoder is not None or route.tbox or route.vehicle or bool(route.can_id & EXTENDED)
            return not claimed and any(low <= bare <= high for low, high in self._profile.diagnostics.watch)
        route.address_bytes = 0 if pair is None or pair.extended is None else 1
        return True
