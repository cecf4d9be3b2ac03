"""Decode, detect, judge joined: the whole gateway without its sockets.

Law: same units, same policy, same outcomes, always. Vehicle to T-box fails open, T-box to vehicle fails closed.
Hostile bytes become Malformed; if a method here raises anything, that is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, NamedTuple

from busgate.decode.dbc import Database
from busgate.decode.routes import Kind, Route
from busgate.decode.stack import Heard, Lane, Role, Stack, asks, group_name
from busgate.detect.alerts import ORDINARY, Alerts, Circumstances, written
from busgate.detect.cloud import CloudDetector
from busgate.detect.conduct import Conduct, Finding
from busgate.detect.functions import Place
from busgate.detect.parties import Parties
from busgate.detect.vehicle import VehicleDetector
from busgate.gateway.air import Air
from busgate.gateway.cellular import Cellular
from busgate.gateway.paths import Path, Paths, raw_of, raw_reader, units_of
from busgate.gateway.sessions import Following
from busgate.judge.decide import Judge
from busgate.judge.grants import Grant
from busgate.judge.network import NetworkSection
from busgate.judge.policy import Policy
from busgate.judge.situation import Situation
from busgate.model import (
    ERROR,
    REMOTE,
    Act,
    Action,
    Alert,
    Command,
    Diagnostic,
    DiagnosticSession,
    Event,
    Frame,
    Malformed,
    Mode,
    ModeChange,
    Outcome,
    Packet,
    Party,
    PolicyApplied,
    Provenance,
    Reason,
    Side,
    Sms,
    Traffic,
    Unit,
    Value,
    Verdict,
)
from busgate.profile import Profile

if TYPE_CHECKING:
    from busgate.gateway.radio import Radio

TICK_NS = 100_000_000
"""How finely silence is noticed: transfers, sessions and episodes end within this of their due time."""

MOST_TRANSFERS = 1024
"""Verdicts of open transfers kept; a forgotten one fails closed."""

_VEHICLE = Side.VEHICLE
_ON_CAN = Place("can", "can")
_ON_A_TAP = Place("can", "can", provenance=Provenance.CLAIMED)


Student = Callable[[Frame, Command | None, Verdict, bool], None]
"""Frame, what it asks for, its verdict, and whether it continues a transfer that was begun before."""


class _Judged(NamedTuple):
    """One frame of the T-box with all that is to be told of it."""

    frame: Frame
    route: Route
    command: Command | None
    malformed: Malformed | None
    findings: tuple[Finding, ...]
    verdict: Verdict


class Gateway:
    """The whole gateway without its sockets: units in, outcomes out."""

    def __init__(
        self,
        profile: Profile,
        database: Database,
        *,
        mode: Mode = Mode.MONITOR,
        wall_offset: int | None = None,
        device: str = "",
    ) -> None:
        """A gate with no policy, which allows nothing.

        `wall_offset` turns `at` into Unix time in ns where the bridge's clock is trusted, None where it is not.
        `device` is the name that grants are made out to.
        """
        self.mode = mode
        self._telemetry = _telemetry(mode)
        self.wall_offset = wall_offset
        self.stack = Stack(profile, database)
        self.situation = Situation()
        self._judge = Judge(profile, device=device)
        self._detector = VehicleDetector(profile, units_of(database), raw_reader(database))
        self._conduct = Conduct(profile, self.stack.routes.vehicle_ids(), _counters(profile, database))
        self._parties = Parties(profile)
        self._alerts = Alerts()
        self.air = Air(self._judge, CloudDetector(profile), self._alerts, self.situation, self._parties.tbox(None))
        self.cellular = Cellular(self._alerts, self.situation, self._parties.tbox(None), device)
        self._radio: Radio | None = None
        self._following = Following(self._parties, self.situation.snapshot)
        self._transfers: dict[Hashable, Verdict] = {}
        self._paths = Paths(profile, database, self.stack.routes)
        self._path_of = self._paths.table.get
        self._tap_testers: set[int] = set()
        self._next_tick = 0
        self.tbox_addresses: tuple[str, ...] = ()
        """Addresses and networks of the T-box, for captures; without them its end is guessed."""
        self.student: Student | None = None
        """Hears every message of the T-box with its verdict, its content as far as the bytes show it."""
        self._sides: dict[Side, int] = dict.fromkeys(Side, 0)
        self._verdicts: dict[Reason, int] = {}

    # ------------------------------------------------------------------ units in, outcomes out

    def receive(self, unit: Unit) -> Outcome:
        """Verdict, whether to forward, and what happened; now is `unit.at`."""
        if not isinstance(unit, Frame):
            return self._over_the_air(unit)
        at, side, can_id, _, _ = unit
        ended = self.tick(at) if at >= self._next_tick else ()
        path = self._path_of(can_id) or self._paths.found(can_id)
        path.route.frames += 1
        self._sides[side] += 1
        if side is _VEHICLE and path.quiet and not ended:
            return self._telemetry  # most frames of most days: nothing to read, nothing to judge
        return self._considered(unit, path, ended)

    def _considered(self, frame: Frame, path: Path, ended: tuple[Event, ...]) -> Outcome:
        """A frame that something is read from, or that is to be judged; `ended` fell silent before it."""
        side = self._attributed(frame, path.route) if frame.side is Side.TAP else frame.side
        if side is _VEHICLE:
            events = ended + self._from_vehicle(frame, path)
            return self._telemetry._replace(events=events) if events else self._telemetry
        outcome = self._from_tbox(frame, path.route)
        return outcome._replace(events=ended + outcome.events) if ended else outcome

    def tick(self, now: int) -> tuple[Event, ...]:
        """End what fell silent by `now`: transfers, sessions, grants, episodes."""
        self._next_tick = now + TICK_NS
        self.stack.tick(now)
        events: list[Event] = [*self._updated(self._following.tick(now))]
        events += self._judge.tick(now, self._wall(now))
        events += self._alerts.tick(now)
        events += self.air.tick(now)
        if self._radio is not None:
            events += self._radio.tick(now, self._wall(now))
        return tuple(events)

    def next_deadline(self) -> int | None:
        """When `tick` is next due if no unit comes before."""
        return self._next_tick or None

    def finish(self, now: int) -> tuple[Event, ...]:
        """The end of a recording: what is still open is told."""
        events: list[Event] = [] if self._radio is None else [*self._radio.finish(now, self._wall(now))]
        events += self._updated(self._following.finish(now))
        events += self.air.finish(now)
        events += self._alerts.finish(now)
        events.append(self.traffic(now))
        return tuple(events)

    def traffic(self, now: int) -> Traffic:
        """Counts since the gate began: frames by side, by kind of identifier, verdicts by reason."""
        frames = {side.value: count for side, count in self._sides.items() if count}
        verdicts = {reason.value: count for reason, count in sorted(self._verdicts.items())}
        return Traffic(now, frames, self.messages(), verdicts, dict(sorted(self.air.counts.items())))

    def messages(self) -> dict[str, int]:
        """Frames by how their identifier is read, and whole UDS payloads."""
        counts = {kind: count for kind, count in self.stack.routes.counts().items() if count}
        return counts | ({"uds": self.stack.payloads} if self.stack.payloads else {})

    def _over_the_air(self, unit: Packet | Sms) -> Outcome:
        """Something of the T-box's other side, watched and not forwarded here."""
        at = unit.at
        ended = self.tick(at) if at >= self._next_tick else ()
        if self._radio is None:
            from busgate.gateway.radio import Radio  # its decoders are many; a gate between two buses starts without

            self._radio = Radio(self.air, self.tbox_addresses, relayed=self.air.in_line)
        heard = self._radio.receive(unit, self._wall(at))
        return Outcome(heard.verdict, forward=False, events=ended + heard.events)

    # ------------------------------------------------------------------ what the operator sets

    def adopt(self, policy: Policy, at: int, *, signed: bool) -> PolicyApplied:
        """Put a policy in force; open sessions and transfers keep their verdicts."""
        self._judge.adopt(policy)
        return PolicyApplied(at, policy.policy, policy.version, policy.digest, signed)

    def grant(self, grant: Grant, at: int) -> tuple[Event, ...]:
        """Take a maintenance grant; it begins and ends by trusted time alone."""
        self._judge.grants.adopt(grant)
        return self._judge.tick(at, self._wall(at))

    def set_mode(self, mode: Mode, at: int, *, by: str, reason: str) -> ModeChange:
        """Change the mode; whether that is due (standstill, the local human) is for the caller to know."""
        previous, self.mode = self.mode, mode
        self.air.mode = mode
        self._telemetry = _telemetry(mode)
        return ModeChange(at, mode, previous, by, reason)

    # ------------------------------------------------------------------ vehicle to T-box

    def _from_vehicle(self, frame: Frame, path: Path) -> tuple[Event, ...]:
        for name, read in path.facts:
            self.situation.update(name, read(frame.data), frame.at)
        if path.plain:
            return ()
        heard = self.stack.hear(frame, path.route, Side.VEHICLE, Lane.VEHICLE)
        return self._followed(frame, heard, self._telemetry.verdict)

    def _followed(self, frame: Frame, heard: Heard, verdict: Verdict) -> tuple[Event, ...]:
        if heard.reading is None or not isinstance(heard.message, Diagnostic):
            return ()
        return self._updated(self._following.follow(heard.message, heard.reading, verdict, _provenance(frame)))

    def _updated(self, sessions: tuple[DiagnosticSession, ...]) -> tuple[Event, ...]:
        """Sessions, and the updates that they belong to."""
        if not sessions:
            return ()
        return (*sessions, *(event for session in sessions for event in self.air.updates.diagnosed(session)))

    # ------------------------------------------------------------------ T-box to vehicle

    def _from_tbox(self, frame: Frame, route: Route) -> Outcome:
        lane = Lane.IMPOSTOR if route.vehicle and frame.side is Side.TBOX else Lane.TBOX
        dataless = bool(frame.can_id & (ERROR | REMOTE))
        heard = Heard(Role.BROKEN) if dataless else self.stack.hear(frame, route, Side.TBOX, lane)
        command = None if heard.message is None else self._detector.command(heard.message)
        counted = not self._carries_what_passes(heard)
        findings = self._conduct.check(frame, _group(route), route.message, counted=counted)
        if dataless:
            findings += (_dataless(frame, self._sender(route)),)
        verdict = self._verdict(frame, heard, command, findings)
        self._verdicts[verdict.reason] = self._verdicts.get(verdict.reason, 0) + 1
        if heard.role is Role.OPENS:
            self._remember(heard.transfer, verdict)
        malformed = heard.malformed
        if verdict.reason is Reason.NO_TRANSFER:
            malformed = Malformed(frame.at, Side.TBOX, frame.can_id, route.kind.value, "it belongs to no transfer")
        if self.student is not None:
            self.student(frame, command, verdict, heard.role is Role.CONTINUES)
        events = self._told(_Judged(frame, route, command, malformed, findings, verdict))
        if command is not None:
            events += self._used(heard, command, verdict, _provenance(frame))
        events += self._followed(frame, heard, verdict)
        return Outcome(verdict, self._forwards(verdict), events)

    def _verdict(self, frame: Frame, heard: Heard, command: Command | None, findings: tuple[Finding, ...]) -> Verdict:
        """One frame's verdict: what the local human says, what carries no data, what is already decided, the rest."""
        if self.mode is Mode.LOCAL:
            return Verdict(Action.BLOCK, Reason.LOCAL_OVERRIDE, detail="the local override is on")
        if frame.can_id & ERROR:
            return Verdict(Action.BLOCK, Reason.ERROR_FRAME)
        if frame.can_id & REMOTE:
            return Verdict(Action.BLOCK, Reason.REMOTE_FRAME)
        if heard.role is Role.CONTINUES:
            return self._continued(heard.transfer)
        return self._fresh(frame, heard, command, findings)

    def _fresh(self, frame: Frame, heard: Heard, command: Command | None, findings: tuple[Finding, ...]) -> Verdict:
        """The verdict on a frame that continues nothing: its sender's conduct, its bytes, what policy allows."""
        for finding in findings:
            if finding.block is not None:
                return Verdict(Action.BLOCK, finding.block, detail=finding.detail)
        if heard.malformed is not None and not self._judge.passes_malformed:
            return Verdict(Action.BLOCK, Reason.MALFORMED, detail=heard.malformed.reason)
        if heard.role is Role.ANSWERS:
            return Verdict(Action.PASS, Reason.ANSWERS_VEHICLE) if heard.open else Verdict(reason=Reason.NO_TRANSFER)
        if command is None:
            return Verdict(Action.PASS, Reason.ALLOWED, detail="the policy lets malformed frames pass")
        return self._judge.decide(command, self.situation, frame.at, wall=self._wall(frame.at))

    def _continued(self, transfer: Hashable) -> Verdict:
        opened = self._transfers.get(transfer)
        if opened is None:
            return Verdict(Action.BLOCK, Reason.NO_TRANSFER)
        if opened.action is Action.PASS:
            return Verdict(Action.PASS, Reason.CONTINUES_ALLOWED, opened.rule)
        return Verdict(Action.BLOCK, Reason.CONTINUES_BLOCKED, opened.rule)

    def _carries_what_passes(self, heard: Heard) -> bool:
        """Whether a frame is the next piece of a transfer that may pass.

        How many there are was announced and judged, and the vehicle's flow control sets their pace: an approved update
        sends hundreds a second. Handshakes (`open`) are not of that kind, and are counted as all else is.
        """
        if heard.role is not Role.CONTINUES or heard.open:
            return False
        opened = self._transfers.get(heard.transfer)
        return opened is not None and opened.action is Action.PASS

    def _remember(self, transfer: Hashable, verdict: Verdict) -> None:
        self._transfers.pop(transfer, None)
        if len(self._transfers) >= MOST_TRANSFERS:
            self._transfers.pop(next(iter(self._transfers)))
        self._transfers[transfer] = verdict

    def _forwards(self, verdict: Verdict) -> bool:
        match self.mode:
            case Mode.ENFORCE:
                return verdict.action is Action.PASS
            case Mode.MONITOR:
                return True
            case Mode.OBSERVE | Mode.LOCAL:
                return False

    # ------------------------------------------------------------------ what is told of it

    def _told(self, judged: _Judged) -> tuple[Event, ...]:
        frame, route, command, malformed, findings, verdict = judged
        ordinary = command is None or (command.act in ORDINARY and verdict.action is Action.PASS)
        if ordinary and not findings and malformed is None:
            return ()
        watched = self.mode in {Mode.MONITOR, Mode.OBSERVE} or frame.side is Side.TAP
        because, links = self._caused(frame, command)
        state = self.situation.snapshot(frame.at)
        seen = Circumstances(frame.at, frame, _provenance(frame), verdict, watched, state, because=because)
        told: list[Alert | None] = []
        # A sender never seen before is part of the story of the command it sends, not a second story.
        beside = [finding for finding in findings if finding.rule == "conduct.unseen"]
        if command is not None and (command.act not in ORDINARY or (malformed is None and not findings)):
            told.append(self._alerts.of_command(command, seen, "; ".join(finding.detail for finding in beside)))
            findings = tuple(finding for finding in findings if finding not in beside)
        elif malformed is not None:
            source = command.source if command is not None else self._sender(route)
            told.append(self._alerts.of_malformed(malformed, seen, source))
        target = command.target if command is not None else Party("", None)
        name = command.name if command is not None else _name(route)
        told += [self._alerts.of_finding(finding, seen, target, name) for finding in findings]
        return (*links, *(alert for alert in told if alert is not None))

    def _used(self, heard: Heard, command: Command, verdict: Verdict, provenance: Provenance) -> tuple[Event, ...]:
        """A function of the T-box in the inventory; news if it was never used before."""
        if heard.role is Role.CONTINUES:
            return ()
        grant = verdict.detail if verdict.reason is Reason.GRANTED else ""
        if grant and command.act is Act.FLASH:
            self.air.updates.approved(command.message.at, grant, command.target)
        watched = self.mode in {Mode.MONITOR, Mode.OBSERVE} or provenance is Provenance.CLAIMED
        place = (_ON_CAN if provenance is Provenance.PHYSICAL else _ON_A_TAP)._replace(watched=watched)
        function = self.air.functions.used(command, place, verdict, command.message.at, grant)
        return () if function is None else (function,)

    def _caused(self, frame: Frame, command: Command | None) -> tuple[dict[str, Value], tuple[Event, ...]]:
        """What came over the air before a frame that commands something, and most likely led to it."""
        if command is None or command.act in ORDINARY:
            return {}, ()
        return self.air.caused(command, frame, written(frame))

    def _sender(self, route: Route) -> Party:
        return self._parties.tbox(route.identifier.sa if route.identifier is not None else route.can_id)

    # ------------------------------------------------------------------ whose frame, and when

    def _attributed(self, frame: Frame, route: Route) -> Side:
        """Who sent a frame of a tap: by its identifier, and on undeclared 11-bit diagnostics by its payload."""
        if route.tbox:
            return Side.TBOX
        if route.kind is not Kind.ISOTP or route.identifier is not None or route.answers is not None:
            return Side.VEHICLE
        if route.can_id not in self._tap_testers and asks(frame.data):
            self._tap_testers.add(route.can_id)
        return Side.TBOX if route.can_id in self._tap_testers else Side.VEHICLE

    def wall(self, at: int) -> int | None:
        """Unix time in ns at a moment, None where no clock is trusted."""
        return self._wall(at)

    def places(
        self,
        country: Callable[[str], str],
        in_europe: Callable[[str], bool],
        network: Callable[[str], str] | None = None,
    ) -> None:
        """Take a table: country and network of an address ("" for unknown), and which countries are in the Union."""
        self.air.country = country
        self.air.network_of = network or self.air.network_of
        self._judge.endpoints.in_europe = in_europe

    @property
    def network(self) -> NetworkSection | None:
        """What the policy in force says of whom the T-box may reach."""
        return self._judge.endpoints.network

    def _wall(self, at: int) -> int | None:
        return None if self.wall_offset is None else at + self.wall_offset


def _telemetry(mode: Mode) -> Outcome:
    """What becomes of the vehicle's frames: they pass in every mode in which the gate sends at all (law 2)."""
    return Outcome(Verdict(Action.PASS, Reason.VEHICLE_TO_TBOX), forward=mode is not Mode.OBSERVE)


def _provenance(frame: Frame) -> Provenance:
    return Provenance.CLAIMED if frame.side is Side.TAP else Provenance.PHYSICAL


def _dataless(frame: Frame, source: Party) -> Finding:
    """A frame without data is told as what it is: nothing that the T-box sends has to be one."""
    rule = "frame.error" if frame.can_id & ERROR else "frame.remote"
    return Finding(rule, f"{rule}|{source}", source, "it carries no data")


def _group(route: Route) -> tuple[int, int] | None:
    return None if route.identifier is None else (route.identifier.pgn, route.identifier.sa)


def _name(route: Route) -> str:
    if route.message is not None:
        return route.message
    return group_name(route.identifier.pgn) if route.identifier is not None else f"0x{route.can_id:03X}"


def _counters(profile: Profile, database: Database) -> dict[str, Callable[[bytes], int | None]]:
    """How the alive counter of each marked message is read."""
    return {mark.message: raw_of(database, mark.message, mark.signal) for mark in profile.counters}
