"""The T-box's other side: its conversations, and what is said in them, judged, told, and joined to what follows.

Law: the same conversations give the same verdicts and events, whether they were read from a capture or stand in the
relay. Nothing here cuts anything: whoever holds the bytes does, by the verdict.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from busgate.detect.alerts import ORDINARY, Alerts, Circumstances
from busgate.detect.causality import Causality, Trigger
from busgate.detect.cloud import CloudDetector
from busgate.detect.cloud_other import DOWNLOAD
from busgate.detect.conduct import Finding
from busgate.detect.functions import Functions, Place
from busgate.detect.network import RULE_OF, SHELLS, Contact, Novelty, debug_port, passed
from busgate.detect.updates import Origin, Updates
from busgate.detect.wanted import CARRIED, PACKAGE, PERSONAL, SERVICE
from busgate.gateway.talk import Talk
from busgate.judge.decide import Judge
from busgate.judge.situation import Situation
from busgate.model import (
    Act,
    Action,
    Causation,
    CloudMessage,
    Command,
    Direction,
    Event,
    Flow,
    Frame,
    Malformed,
    Mode,
    Party,
    Provenance,
    Reason,
    Side,
    Subsystem,
    Value,
    Verdict,
)

Country = Callable[[str], str]
"""The country of an address (ISO 3166-1), "" where the operator's table does not know."""

MOST_TALKS = 4096
MOST_NAMES = 8192
LEAST_BURST = 32
_MOST_BYTES = 256
_NO_NAMES_FROM = frozenset(
    {Reason.ENDPOINT_NOT_LISTED, Reason.COUNTRY_NOT_ALLOWED, Reason.PROTOCOL_NOT_ALLOWED, Reason.INBOUND}
)
_BY_RULE = frozenset({Reason.ALLOWED, Reason.GRANTED, Reason.HELD})
_UP = Verdict(Action.PASS, Reason.TBOX_TO_CLOUD)


class Heard(NamedTuple):
    """What became of one message or conversation."""

    verdict: Verdict
    events: tuple[Event, ...] = ()


class Air:
    """All that one vehicle's T-box has to do with the world."""

    def __init__(
        self, judge: Judge, detector: CloudDetector, alerts: Alerts, situation: Situation, tbox: Party
    ) -> None:
        """Judge, alerts and situation are those of the gate; nothing has been heard yet."""
        self.mode = Mode.MONITOR
        self.in_line = False
        """Whether verdicts take effect: a capture is only watched."""
        self.country: Country = _nowhere
        self.network_of: Country = _nowhere
        """What the network of an address is called, "" where no table says."""
        self.novelty = Novelty()
        self.causality = Causality()
        self.updates = Updates(situation.snapshot)
        self.functions = Functions()
        self.on_trigger: Callable[[Trigger], None] = self.causality.over_the_air
        """Where it is told that something came for the T-box."""
        self.on_name: Callable[[str, str], None] = _unheard
        """Where a name and an address that a DNS answer gave it are told."""
        self.counts: dict[str, int] = {}
        self._judge = judge
        self._detector = detector
        self._alerts = alerts
        self._situation = situation
        self._tbox = tbox
        self._talks: OrderedDict[Flow, Talk] = OrderedDict()
        self._names: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    # ------------------------------------------------------------------ conversations

    def talk(self, flow: Flow) -> Talk | None:
        """A conversation that is going on."""
        return self._talks.get(flow)

    def opened(self, flow: Flow, at: int, wall: int | None, *, inbound: bool = False) -> Heard:
        """A conversation begins."""
        self._count("conversations")
        self.causality.listening(at)
        self._make_room()
        talk = Talk(flow, at, inbound, self._names.get(flow.remote.address, ()), self.country(flow.remote.address))
        self._talks[flow] = talk
        events = [*self._judged(talk, at, wall), *self._new(talk, at)]
        if inbound:
            events += self._found("net.inbound", talk, at, f"to port {flow.tbox.port}")
        habit = debug_port(flow, inbound=inbound)
        if habit:
            events += self._found("net.shell", talk, at, habit)
        return Heard(talk.verdict, tuple(events))

    def attempted(self, flow: Flow, at: int, wall: int | None, *, inbound: bool = False) -> Heard:
        """Somebody tries to open a conversation: told if it may not be, and forgotten."""
        if flow in self._talks:
            return Heard(_UP)
        heard = self.opened(flow, at, wall, inbound=inbound)
        self._talks.pop(flow, None)
        return heard

    def learned(self, flow: Flow, at: int, wall: int | None, facts: Mapping[str, str]) -> Heard:
        """Something became known of a conversation: what it `speaks`, the `sni`, `ja4` or `certificate` shown."""
        talk = self._talks.get(flow)
        if talk is None:
            return Heard(Verdict())
        talk.speaks = facts.get("speaks", talk.speaks)
        talk.sni = facts.get("sni", talk.sni)
        talk.certificate = facts.get("certificate", talk.certificate)
        events: list[Event] = []
        if facts.get("speaks") in SHELLS:
            events += self._found("net.shell", talk, at, talk.speaks)
        party = talk.host or str(flow.remote)
        if "certificate" in facts and (news := self.novelty.certificate(party, talk.certificate)):
            events += self._found("net.identity", talk, at, news)
        if "ja4" in facts and (news := self.novelty.fingerprint(party, facts["ja4"])):
            events += self._found("net.fingerprint", talk, at, news)
        events += self._judged(talk, at, wall)
        return Heard(talk.verdict, tuple(events))

    def carried(self, flow: Flow, at: int, direction: Direction, size: int) -> Heard:
        """So many bytes of a conversation passed; whether they may, by their amount."""
        talk = self._talks.get(flow)
        if talk is None:
            return Heard(_UP)
        self._talks.move_to_end(flow)
        if direction is Direction.UP:
            talk.up += size
            return Heard(_UP)
        before, talk.down = talk.down, talk.down + size
        events: list[Event] = []
        step = passed(before, talk.down)
        if step:
            events += self._found("net.volume", talk, at, f"more than {step} bytes in one conversation")
            if talk.speaks not in {"http", ""}:
                url = f"{talk.speaks}://{talk.host or flow.remote}"
                events += self.updates.loaded(at, url, Origin(talk.host or str(flow.remote)), talk.down, "")
        verdict = self._judge.volume(talk.remote, size, at)
        if verdict.action is Action.BLOCK:
            talk.verdict = verdict
            events += self._found("net.volume", talk, at, verdict.detail)
        return Heard(verdict, tuple(events))

    def odd(self, flow: Flow, at: int, what: str) -> tuple[Event, ...]:
        """A stream says two things at once; `what` holds nothing of what the T-box says."""
        talk = self._talks.get(flow)
        return () if talk is None else self._found("net.evasion", talk, at, what)

    def closed(self, flow: Flow) -> None:
        """A conversation is over."""
        self._talks.pop(flow, None)

    def _make_room(self) -> None:
        """What ends by itself goes first; the relay's connections never go, and it bounds them itself."""
        if len(self._talks) < MOST_TALKS:
            return
        gone = next((flow for flow in self._talks if flow.transport != "tcp"), None)
        if gone is None and not self.in_line:
            gone = next(iter(self._talks))
        if gone is not None:
            del self._talks[gone]

    def forged(self, flow: Flow, at: int) -> Heard:
        """The T-box itself sent a packet that says to come from somebody else; the kernel drops it."""
        verdict = Verdict(
            Action.BLOCK, Reason.ENDPOINT_NOT_LISTED, "", "the T-box sent this itself, under that address"
        )
        talk = Talk(flow, at, inbound=True)
        talk.verdict = verdict
        return Heard(verdict, self._found("net.evasion", talk, at, verdict.detail))

    def named(self, host: str, address: str, at: int, asked: Flow | None = None) -> tuple[Event, ...]:
        """A DNS answer towards the T-box: this name has this address.

        `asked` is the conversation that it came in: a server that the policy does not list gives nobody a name.
        """
        if asked is not None:
            talk = self._talks.get(asked)
            # An endpoint is no name server, whatever it may speak.
            if talk is None or talk.remote is not None or talk.verdict.reason in _NO_NAMES_FROM:
                return ()
        host = host.rstrip(".").lower()
        if address not in self._names and len(self._names) >= MOST_NAMES:
            self._names.popitem(last=False)
        known = self._names.pop(address, ())
        self._names[address] = (host, *(each for each in known if each != host))[:8]
        self.on_name(host, address)
        news = self.novelty.resolved(host, address, self.country(address))
        if not news:
            return ()
        finding = Finding("net.name-change", f"name|{host}", self._tbox, news)
        seen = self._seen(at, Verdict(Action.PASS, Reason.ENDPOINT_SERVICE), {"host": host, "address": address})
        alert = self._alerts.of_finding(finding, seen, Party(host, None), news)
        return () if alert is None else (alert,)

    def _judged(self, talk: Talk, at: int, wall: int | None) -> Iterable[Event]:
        """The verdict on a conversation as far as it is known; an alert if it is refused."""
        if talk.inbound and talk.flow.transport == "tcp":
            talk.verdict = Verdict(
                Action.BLOCK, Reason.INBOUND, "", "nobody outside may open a connection to the T-box"
            )
            return ()
        talk.verdict, talk.remote = self._judge.conversation(talk.flow, talk.known, at, wall=wall)
        if talk.verdict.action is Action.PASS or talk.flow.transport == "sms":
            return ()
        return self._found(RULE_OF.get(talk.verdict.reason, "net.endpoint"), talk, at, talk.verdict.detail)

    def _new(self, talk: Talk, at: int) -> tuple[Event, ...]:
        """Whether the other end was never seen before; who may not be talked with at all is told as that."""
        flow = talk.flow
        if talk.verdict.action is not Action.PASS or flow.transport == "sms":
            return ()
        # Whoever calls the T-box comes from another port each time; that is no other party.
        port = f"{flow.transport} towards {flow.tbox.port}" if talk.inbound else f"{flow.transport}/{flow.remote.port}"
        address = flow.remote.address
        contact = Contact(address, port, talk.host, self.network_of(address))
        rule, news = self.novelty.party(contact, at)
        listed = self._judge.endpoints.network is not None
        return self._found(rule, talk, at, news, excused=listed) if rule else ()

    def _found(self, rule: str, talk: Talk, at: int, detail: str, *, excused: bool = True) -> tuple[Event, ...]:
        remote = Party(f"{talk.host} ({talk.flow.remote})" if talk.host else str(talk.flow.remote), None)
        who = talk.host or talk.flow.remote.address
        # With whom is one story, whatever turns out to be spoken; what is spoken is another.
        language = talk.speaks if rule in {"net.protocol", "net.shell"} else ""
        finding = Finding(rule, f"{who}|{talk.flow.remote.port}|{language}", self._tbox, detail)
        seen = self._seen(at, talk.verdict, talk.told())
        alert = self._alerts.of_finding(finding, seen, remote, detail, excused=excused)
        return () if alert is None else (alert,)

    # ------------------------------------------------------------------ messages

    def message(self, message: CloudMessage, wall: int | None) -> Heard:
        """One message: whether it may go on, and what is told of it."""
        self._count(f"{message.pdu.protocol} {message.direction}")
        place = self._place(message)._replace(watched=self._watches)
        if message.direction is Direction.UP:
            return self._said(message, place)
        commands = self._detector.commands(message)
        talk = self._talks.get(message.flow)
        is_body = message.pdu.protocol == "http" and message.pdu.name == "body"
        counted = is_body and talk is not None and talk.counted  # with its head: they are one download
        verdicts = [self._verdict(command, message, wall, counted=counted) for command in commands]
        verdict = _strictest(verdicts)
        if talk is not None and not is_body:
            talk.counted = verdict.reason in _BY_RULE
        events: list[Event] = []
        for command, own in zip(commands, verdicts, strict=True):
            # A message is cut out whole: what one of its parts is refused for holds for all.
            events += self._told(message, command, own if own.action is Action.BLOCK else verdict, place)
        return Heard(verdict, tuple(events))

    def again(self, message: CloudMessage, wall: int | None) -> Verdict:
        """The verdict on a message that has waited, as things are at `message.at`; it was told and counted already."""
        commands = self._detector.commands(message)
        return _strictest([self._verdict(command, message, wall, counted=True) for command in commands])

    def released(self, message: CloudMessage, by: str) -> tuple[Event, ...]:
        """A message that waited goes on now: frames may follow from it, and to an update it is somebody's approval."""
        events: list[Event] = []
        for command in self._detector.commands(message):
            if command.act not in ORDINARY:
                events += self._goes_on(message, command, _of(message, command), f"released by {by}")
        return tuple(events)

    def malformed(self, flow: Flow, at: int, protocol: str, reason: str) -> Heard:
        """Bytes towards the T-box that are no message of the protocol that is spoken."""
        talk = self._talks.get(flow)
        passes = self._judge.passes_malformed
        verdict = Verdict(Action.PASS if passes else Action.BLOCK, Reason.MALFORMED, "", reason)
        source = Party(str(flow.remote) if talk is None or not talk.host else f"{talk.host} ({flow.remote})", None)
        told = {} if talk is None else talk.told()
        unread = Malformed(at, Side.TBOX, 0, protocol, reason)
        alert = self._alerts.of_malformed(unread, self._seen(at, verdict, told), source)
        return Heard(verdict, () if alert is None else (alert,))

    def burst(self, flow: Flow, at: int, size: int) -> None:
        """Encrypted bytes came down that nobody can read; what follows on the bus may follow from them."""
        talk = self._talks.get(flow)
        if talk is None or size < LEAST_BURST:
            return
        told = talk.told(name="encrypted burst", bytes=size)
        self.on_trigger(Trigger(at, "burst", flow, Subsystem.UNKNOWN, Act.SET, told))

    def _verdict(self, command: Command, message: CloudMessage, wall: int | None, *, counted: bool = False) -> Verdict:
        if self.mode is Mode.LOCAL and command.act not in ORDINARY:
            return Verdict(Action.BLOCK, Reason.LOCAL_OVERRIDE, detail="the local override is on")
        by_text = message.flow.transport == "sms"
        # A rule lets messages of listed endpoints pass, and of nobody else.
        if not by_text and (refused := self._refused(message.flow)) is not None:
            return refused
        decided = self._judge.decide(command, self._situation, message.at, wall=wall, counted=counted)
        if decided.action is Action.PASS:
            if self._judge.holds(decided.rule):
                return Verdict(Action.BLOCK, Reason.HELD, decided.rule, "it waits for the operator")
            return decided
        # A question by short message comes from anybody; over a conversation it comes from whom the policy lists.
        ordinary = command.act in ORDINARY and (command.rule == SERVICE or not by_text)
        if ordinary and decided.reason is Reason.NOT_ALLOWLISTED:
            return Verdict(Action.PASS, Reason.ENDPOINT_SERVICE, message.endpoint)
        return decided

    def _refused(self, flow: Flow) -> Verdict | None:
        """The verdict on a conversation that may not be held; one that nobody knows of is nobody's."""
        talk = self._talks.get(flow)
        if talk is None:
            unlisted = Verdict(Action.BLOCK, Reason.ENDPOINT_NOT_LISTED, "", "a conversation that nobody knows of")
            return None if self._judge.endpoints.network is None else unlisted
        return talk.verdict if talk.verdict.action is Action.BLOCK else None

    def _told(self, message: CloudMessage, command: Command, verdict: Verdict, place: Place) -> Iterable[Event]:
        told = _of(message, command)
        events: list[Event] = []
        seen = self._seen(message.at, verdict, told)
        # Ordinary service of a conversation that is refused is no second story: the conversation was told.
        by_text = message.flow.transport == "sms"
        told_already = command.rule == SERVICE or (not by_text and self._refused(message.flow) is not None)
        if command.act not in ORDINARY or (verdict.action is Action.BLOCK and not told_already):
            alert = self._alerts.of_command(command, seen, "; ".join(message.pdu.flaws))
            events += [alert] if alert is not None else []
        grant = verdict.detail if verdict.reason is Reason.GRANTED else ""
        function = self.functions.used(command, place, verdict, message.at, grant)
        events += [function] if function is not None else []
        if command.act in ORDINARY or (self.in_line and self._stops(verdict)):
            return events
        return [*events, *self._goes_on(message, command, told, grant)]

    def _goes_on(
        self, message: CloudMessage, command: Command, told: Mapping[str, Value], approval: str
    ) -> Iterable[Event]:
        way = "sms" if message.flow.transport == "sms" else "message"
        carries = command.rule == CARRIED
        self.on_trigger(Trigger(message.at, way, message.flow, command.subsystem, command.act, dict(told), carries))
        return self._update(message, command, approval) if command.act is Act.FLASH else ()

    def _update(self, message: CloudMessage, command: Command, approval: str) -> Iterable[Event]:
        source = message.host or str(message.flow.remote)
        if message.pdu.protocol == "http" and command.name == DOWNLOAD:
            url = command.arguments.get("url")
            digest = command.arguments.get("sha256")
            size = command.arguments.get("received")
            return self.updates.loaded(
                message.at,
                source if url is None else str(url.value),
                Origin(source, approval),
                int(size.value) if size is not None and isinstance(size.value, int) else 0,
                "" if digest is None else str(digest.value),
            )
        what = f"{message.pdu.protocol} {command.name}"
        if command.name == PACKAGE:
            counted = bool(message.pdu.fields.get("reassembled"))  # part by part, already
            return self.updates.piece(message.at, what, Origin(source, approval), 0 if counted else len(message.data))
        return self.updates.ordered(message.at, what, Origin(source, approval))

    def _place(self, message: CloudMessage) -> Place:
        flow, by_text = message.flow, message.flow.transport == "sms"
        talk = self._talks.get(flow)
        # Whoever calls the T-box comes from another port each time; that is no other function.
        remote = flow.remote.address if talk is not None and talk.inbound else str(flow.remote)
        way, code = message.direction.value, message.pdu.code
        interface = "sms" if by_text else "ip"
        return Place(interface, message.pdu.protocol, way, code, remote, message.host, message.country)

    def _stops(self, verdict: Verdict) -> bool:
        return verdict.action is Action.BLOCK and self.mode in {Mode.ENFORCE, Mode.LOCAL}

    def _said(self, message: CloudMessage, place: Place) -> Heard:
        """What the T-box says itself: never refused, and part of the inventory."""
        remote = Party(message.host or str(message.flow.remote), None)
        name = message.pdu.name or message.pdu.protocol
        command = Command(message, name, Subsystem.TELEMATICS, Act.SEND, "cloud.service", self._tbox, remote)
        function = self.functions.used(command, place, _UP, message.at)
        return Heard(_UP, () if function is None else (function,))

    def _seen(self, at: int, verdict: Verdict, told: Mapping[str, Value]) -> Circumstances:
        state = self._situation.snapshot(at)
        return Circumstances(at, None, Provenance.PHYSICAL, verdict, self._watches, state, cloud=told)

    @property
    def _watches(self) -> bool:
        """Whether a refusal changes nothing."""
        return not self.in_line or self.mode in {Mode.MONITOR, Mode.OBSERVE}

    # ------------------------------------------------------------------ what follows on the bus, and time

    def caused(self, command: Command, frame: Frame, written: str) -> tuple[dict[str, Value], tuple[Event, ...]]:
        """What most likely led to a frame of the T-box: what an alert tells of it, and the link if it is news."""
        cause = self.causality.on_the_wire(command, frame.at)
        if cause is None:
            return {}, ()
        told = cause.trigger.told
        because: dict[str, Value] = told | {
            "way": cause.trigger.way,
            "lag_ms": round(cause.lag / 1e6),
            "confidence": cause.confidence,
        }
        if not cause.news:
            return because, ()
        link = Causation(
            frame.at,
            cause.trigger.way,
            cause.lag,
            cause.confidence,
            told,
            written,
            command.name,
            command.subsystem,
            command.act,
        )
        return because, (link,)

    def tick(self, now: int) -> tuple[Event, ...]:
        """What is due by now."""
        return (*self.updates.tick(now), *self.functions.tick(now))

    def finish(self, now: int) -> tuple[Event, ...]:
        """The end of a recording."""
        return (*self.updates.finish(now), *self.functions.finish(now))

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _of(message: CloudMessage, command: Command) -> dict[str, Value]:
    """What an event tells of a message: its bytes where they are the evidence of a command, not where they are talk.

    Ordinary service holds texts to drivers, orders with passengers' telephone numbers, and the like.
    """
    remote = message.flow.remote
    told: dict[str, Value] = {
        "protocol": message.pdu.protocol,
        "direction": message.direction.value,
        "transport": message.flow.transport,
        "address": remote.address,
        "port": remote.port,
        "name": command.name,
    }
    if command.act not in ORDINARY and command.name not in PERSONAL:
        told["bytes"] = message.data[:_MOST_BYTES].hex()
    if message.pdu.code is not None:
        told["code"] = f"0x{message.pdu.code:04X}"
    return told | {name: value for name, value in (("host", message.host), ("country", message.country)) if value}


def _strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """What is refused for good comes before what waits: releasing it must not let the rest slip through."""
    return min(verdicts, key=lambda each: (each.action is Action.PASS, each.reason is Reason.HELD))


def _unheard(_host: str, _address: str) -> None:
    return


def _nowhere(_: str) -> str:
    return ""
