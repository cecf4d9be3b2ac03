"""Which decoder reads what: frames in, and for each what it means and how it belongs to a transfer.

Law: whatever the bytes, `hear` returns. A transfer is heard in its lane only: what an impostor on the T-box port
sends under the vehicle's addresses can never complete, replace or confuse a transfer of the real vehicle.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import Enum
from typing import NamedTuple, assert_never

from busgate.decode import isotp, j1939_transport, uds
from busgate.decode.dbc import Database, MessageDecoder, Undecodable
from busgate.decode.j1939 import PGN_ETP_CM, PGN_ETP_DT
from busgate.decode.pgns import name_of
from busgate.decode.routes import TESTER, Kind, Route, Routes
from busgate.decode.uds_pairs import Pairs
from busgate.model import (
    EXTENDED,
    IDENTIFIER,
    CanMessage,
    Diagnostic,
    DiagnosticKind,
    Frame,
    Malformed,
    ParameterGroup,
    Side,
    Value,
    WireMessage,
)
from busgate.profile import Profile

_ETP = frozenset({PGN_ETP_CM, PGN_ETP_DT})
_MOST_FLOWS = 512

_LINK = EXTENDED | 0x03FF_FFFF
"""What makes an ISO-TP link: all of the identifier but its priority, which a sender may vary."""


class Lane(Enum):
    """Who speaks, for the purpose of keeping transfers apart."""

    VEHICLE = "vehicle"
    TBOX = "tbox"
    IMPOSTOR = "impostor"


class Role(Enum):
    """How a frame belongs to a transfer, which decides whose verdict it shares."""

    WHOLE = "whole"
    OPENS = "opens"
    CONTINUES = "continues"
    ANSWERS = "answers"
    BROKEN = "broken"


class Heard(NamedTuple):
    """What one frame said.

    `transfer` names the transfer that the frame opens, continues or answers (with `open`: whether there is one to
    answer). `message` is what is to be judged; a frame that only continues has none, until `completed` shows the
    payload that it finished. `malformed` says what is wrong with the bytes.
    """

    role: Role
    message: WireMessage | None = None
    transfer: Hashable = None
    open: bool = False
    completed: WireMessage | None = None
    reading: uds.Reading | None = None
    malformed: Malformed | None = None


class _Origin(NamedTuple):
    """One frame, how it is read and who sent it."""

    frame: Frame
    route: Route
    side: Side
    lane: Lane

    def malformed(self, protocol: str, reason: str) -> Malformed:
        return Malformed(self.frame.at, self.side, self.frame.can_id, protocol, reason)


class Stack:
    """All decoders of one gate, joined by the table of routes."""

    def __init__(self, profile: Profile, database: Database) -> None:
        """Profile and DBC are fixed for the life of the stack."""
        self.routes = Routes(profile, database)
        self.payloads = 0
        """UDS payloads read so far."""
        declared = {ecu.uds.response: ecu.uds.request for ecu in profile.ecus if ecu.uds}
        self._pairs = Pairs(declared, profile.diagnostics.functional)
        self._isotp = {lane: isotp.Watcher() for lane in Lane}
        # One J1939 watcher hears both honest sides, since CTS and RTS of one session come from different ones.
        honest = j1939_transport.Watcher()
        self._transport = {Lane.VEHICLE: honest, Lane.TBOX: honest, Lane.IMPOSTOR: j1939_transport.Watcher()}
        self._flows: dict[tuple[bool, int, int], tuple[Lane, Hashable]] = {}
        self._database = database

    def hear(self, frame: Frame, route: Route, side: Side, lane: Lane) -> Heard:
        """Read one data frame; `side` is who sent it (a tap's frames are attributed before)."""
        match route.kind:
            case Kind.PLAIN:
                return self._plain(frame, route, side)
            case Kind.J1939:
                return self._group(frame, route, side)
            case Kind.TRANSPORT:
                return self._session(_Origin(frame, route, side, lane))
            case Kind.ISOTP:
                return self._diagnostic(_Origin(frame, route, side, lane))
            case _:
                assert_never(route.kind)

    def tick(self, now: int) -> tuple[tuple[Lane, str], ...]:
        """End the transfers that fell silent; what was broken by that, as lane and reason."""
        ended = [(lane, step.reason) for lane, watcher in self._isotp.items() for _, step in watcher.tick(now)]
        for lane in (Lane.VEHICLE, Lane.IMPOSTOR):
            ended += [(lane, str(step.reason)) for step in self._transport[lane].tick(now)]
        return tuple(ended)

    def _plain(self, frame: Frame, route: Route, side: Side) -> Heard:
        values = self._values(route.decoder, frame.data)
        message = CanMessage(
            frame.at, side, frame.can_id, frame.data, route.message, {} if isinstance(values, Undecodable) else values
        )
        if side is Side.TBOX and route.decoder is not None and len(frame.data) > route.decoder.length:
            # What follows a message's own bytes is read by nobody who follows its DBC, and by who knows whom else.
            reason = f"it has {len(frame.data)} bytes, {route.message} has {route.decoder.length}"
            return Heard(Role.WHOLE, message, malformed=Malformed(frame.at, side, frame.can_id, "dbc", reason))
        return self._whole(frame, side, message, values)

    def _group(self, frame: Frame, route: Route, side: Side) -> Heard:
        identifier = route.identifier
        if identifier is None:  # a J1939 route always has one; without it there is nothing to read
            return Heard(Role.BROKEN, malformed=Malformed(frame.at, side, frame.can_id, "j1939", "no identifier"))
        values = self._values(route.decoder, frame.data)
        message = ParameterGroup(
            frame.at,
            side,
            identifier.pgn,
            identifier.sa,
            identifier.da,
            identifier.priority,
            frame.data,
            len(frame.data),
            name=route.message,
            values={} if isinstance(values, Undecodable) else values,
        )
        return self._whole(frame, side, message, values)

    @staticmethod
    def _whole(frame: Frame, side: Side, message: WireMessage, values: Mapping[str, Value] | Undecodable) -> Heard:
        if isinstance(values, Undecodable):
            return Heard(Role.WHOLE, message, malformed=Malformed(frame.at, side, frame.can_id, "dbc", values.reason))
        return Heard(Role.WHOLE, message)

    @staticmethod
    def _values(decoder: MessageDecoder | None, data: bytes) -> Mapping[str, Value] | Undecodable:
        return {} if decoder is None else decoder.decode(data)

    def _session(self, origin: _Origin) -> Heard:
        frame, route, side, lane = origin
        identifier = route.identifier
        if identifier is None:
            return Heard(Role.BROKEN, malformed=origin.malformed("j1939", "no identifier"))
        step = self._transport[lane].receive(frame.at, identifier, frame.data)
        extended = identifier.pgn in _ETP
        key = (lane, extended, identifier.sa, identifier.da)
        match step:
            case j1939_transport.Announced():
                return Heard(Role.OPENS, self._announced(frame, side, step, identifier.priority), key)
            case j1939_transport.Data():
                return Heard(Role.CONTINUES, transfer=key)
            case j1939_transport.Complete():
                completed = self._assembled(frame, side, step, identifier.priority)
                return Heard(Role.CONTINUES, transfer=key, completed=completed)
            case j1939_transport.Handshake():
                role = Role.CONTINUES if step.from_originator and step.open else Role.ANSWERS
                return Heard(role, transfer=key, open=step.open)
            case j1939_transport.Broken():
                return Heard(Role.BROKEN, transfer=key, malformed=origin.malformed("j1939-tp", str(step.reason)))
            case _:
                assert_never(step)

    def _announced(self, frame: Frame, side: Side, step: j1939_transport.Announced, priority: int) -> ParameterGroup:
        decoder = self._database.by_pgn(step.pgn, step.sa)
        name = decoder.name if decoder else None
        return ParameterGroup(
            frame.at, side, step.pgn, step.sa, step.da, priority, b"", step.length, complete=False, name=name
        )

    def _assembled(self, frame: Frame, side: Side, step: j1939_transport.Complete, priority: int) -> ParameterGroup:
        decoder = self._database.by_pgn(step.pgn, step.sa)
        values = self._values(decoder, step.payload)
        return ParameterGroup(
            frame.at,
            side,
            step.pgn,
            step.sa,
            step.da,
            priority,
            step.payload,
            len(step.payload),
            name=decoder.name if decoder else None,
            values={} if isinstance(values, Undecodable) else values,
        )

    def _diagnostic(self, origin: _Origin) -> Heard:
        frame, route, _, lane = origin
        data = frame.data
        address = data[0] if route.address_bytes and data else None
        link = (lane, frame.can_id & _LINK, address)
        step = self._isotp[lane].receive(frame.at, link, data, address_bytes=route.address_bytes, fd=frame.fd)
        match step:
            case isotp.Single():
                return self._payload(origin, step.payload, len(step.payload), Role.WHOLE)
            case isotp.First():
                heard = self._payload(origin, step.head, step.length, Role.OPENS)._replace(transfer=link)
                self._open_flow(lane, route, heard.message, link)
                return heard
            case isotp.Consecutive():
                return Heard(Role.CONTINUES, transfer=link)
            case isotp.Complete():
                whole = self._payload(origin, step.payload, len(step.payload), Role.CONTINUES)
                return Heard(Role.CONTINUES, transfer=link, completed=whole.message)
            case isotp.FlowControl():
                return Heard(Role.ANSWERS, open=self._flow_goes_on(frame, route, lane))
            case isotp.Broken():
                malformed = origin.malformed("isotp", step.reason)
                return Heard(Role.BROKEN, self._undeclared(origin), link, malformed=malformed)
            case _:
                assert_never(step)

    @staticmethod
    def _undeclared(origin: _Origin) -> CanMessage | None:
        """A frame that is no diagnostics, on an identifier that nobody declared to carry any, is just a message."""
        frame, route, side, _ = origin
        if route.identifier is not None or route.answers is not None:
            return None
        return CanMessage(frame.at, side, frame.can_id, frame.data)

    def _open_flow(self, lane: Lane, route: Route, message: WireMessage | None, link: Hashable) -> None:
        """Remember whose flow control this transfer waits for: that of its target, towards its source."""
        source, target = route.source, route.target
        if isinstance(message, Diagnostic):
            source, target = message.source, message.target
        if len(self._flows) >= _MOST_FLOWS:
            self._flows.pop(next(iter(self._flows)))
        self._flows[lane is Lane.VEHICLE, source, target] = (lane, link)

    def _flow_goes_on(self, frame: Frame, route: Route, lane: Lane) -> bool:
        """Whether a flow control answers an open transfer of the other side; if so its sender is given time anew."""
        source, target = route.source, route.target
        if source == target:  # an undeclared 11-bit pair: the identifier is the request's, or one paired with it
            source, target = TESTER, frame.can_id & IDENTIFIER
        flow = self._flows.get((lane is not Lane.VEHICLE, target, source))
        if flow is None:
            return False
        watcher = self._isotp[flow[0]]
        watcher.defer(frame.at, flow[1])
        return watcher.is_open(flow[1])

    def _payload(self, origin: _Origin, payload: bytes, length: int, role: Role) -> Heard:
        frame, route, side, _ = origin
        complete = len(payload) >= length
        reading = uds.read(payload, complete=complete, length=length)
        if isinstance(reading, uds.Bad):
            malformed = origin.malformed("uds", reading.reason)
            if role is Role.WHOLE:
                return Heard(Role.BROKEN, self._undeclared(origin), malformed=malformed)
            return Heard(role, malformed=malformed)
        self.payloads += reading.complete
        source, target = self._addresses(frame, route, reading)
        message = Diagnostic(
            frame.at,
            side,
            frame.can_id,
            source,
            target,
            route.functional,
            reading.kind,
            reading.sid,
            reading.service,
            reading.alters_state,
            payload,
            length,
            complete,
            reading.subfunction,
            reading.suppressed,
            reading.dids,
            reading.routine,
            reading.nrc,
            reading.extra,
        )
        return Heard(role, message, reading=reading)

    def _addresses(self, frame: Frame, route: Route, reading: uds.Reading) -> tuple[int, int]:
        """Source and target: as the identifier says, or on an undeclared 11-bit pair as the payload shows."""
        if route.identifier is not None:
            return route.source, route.target
        bare = frame.can_id & IDENTIFIER
        if reading.kind is DiagnosticKind.REQUEST:
            self._pairs.request(frame.at, bare, reading)
            return TESTER, bare
        request = self._pairs.answer(frame.at, bare, reading)
        return (bare if request is None else request), TESTER


def group_name(pgn: int) -> str:
    """What people call a parameter group: its SAE acronym, else its number."""
    return name_of(pgn) or f"PGN 0x{pgn:04X}"


def asks(data: bytes) -> bool:
    """Whether an ISO-TP frame of unknown direction opens a UDS request (SIDs of ISO 14229-1, table 2)."""
    if not data or data[0] >> 4 > 1:
        return False
    at = 1 if data[0] >> 4 == 0 else 2
    return len(data) > at and (0x10 <= data[at] < 0x40 or 0x83 <= data[at] <= 0x88)
