"""The T-box's other side out of captured packets and short messages: datagrams to conversations to messages.

Law: whatever was captured, nothing raises and memory is bounded. Here everything is only watched. In line, what came
from the T-box's interface was sent by the T-box, whatever its addresses say. A name is learned only of an answer to a
question that the T-box asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from busgate.decode import dns, doip, gb32960, jt808, jt808_stream, jt808_text, ntp, sms
from busgate.decode.conversation import ENCRYPTED, FREE, OPAQUE, UNKNOWN, Conversation, Said, facts_of
from busgate.decode.datagram import ACK, SYN, Datagram
from busgate.decode.ends import Ends, Placed
from busgate.decode.http_bodies import PASSING
from busgate.decode.ip import Reader
from busgate.decode.jt808_parts import Reassembler as Parts808
from busgate.decode.sms_parts import Reassembler as PartsSms
from busgate.decode.stream import Streams
from busgate.decode.stream_events import Closed, Conflict, Data, Gap, Opened, Stream, StreamEvent
from busgate.detect.wanted import several
from busgate.gateway.air import Air, Heard
from busgate.model import (
    CloudMessage,
    Direction,
    Endpoint,
    Event,
    Flow,
    Packet,
    Pdu,
    Sms,
    Span,
    Verdict,
)

MOST_FLOWS = 2048
IDLE_NS = 300_000_000_000
"""After so long without a datagram a conversation over UDP is over.

As long as a translation of addresses is to keep a way back (RFC 4787, REQ-5): sooner, a word of the other end's would
look like the first one, from outside."""

MOST_ASKED = 1024
ASKED_NS = 10_000_000_000
"""How long the answer to a DNS question may take."""

_DNS, _MDNS, _NTP, _DOIP = 53, 5353, 123, 13400
_SIM = Endpoint("sim")

MOST_SPLIT, MOST_SPLIT_OCTETS = 4, 1 << 16
"""Messages in parts that are kept of one conversation, and their octets; longer ones are told by their parts.

With `MOST_FLOWS` that bounds what a T-box that lies can fill: 128 MiB each of TCP and UDP."""


class _Talking:
    """One TCP conversation of a capture."""

    __slots__ = ("conversation", "flow", "forward", "parts", "whole")

    def __init__(self, flow: Flow, forward: Direction, *, whole: bool) -> None:
        self.flow = flow
        self.forward = forward
        """The direction of what its initiator sends."""
        ports = (flow.remote.port, flow.tbox.port)
        client = forward if forward is not Direction.UNKNOWN else Direction.UP
        self.conversation = Conversation(client, ports, from_start=whole)
        self.parts = Parts808(messages=MOST_SPLIT, octets=MOST_SPLIT_OCTETS)
        self.whole = {Direction.UP: whole, Direction.DOWN: whole}
        """Whether a direction was heard from its beginning, so that what cannot be read is the sender's fault."""


class _Datagrams:
    """One conversation over UDP."""

    __slots__ = ("last", "parts")

    def __init__(self, last: int) -> None:
        self.last = last
        self.parts = Parts808(messages=MOST_SPLIT, octets=MOST_SPLIT_OCTETS)


_Asked = tuple[Flow, object, tuple[tuple[str, object, object], ...]]
"""A DNS question: between whom, its number, and what is asked."""


class Radio:
    """Everything captured of one T-box, read."""

    def __init__(self, air: Air, tbox: Iterable[str] = (), *, relayed: bool = False) -> None:
        """`tbox` are the T-box's addresses and networks; without them its end is guessed (`decode.ends`).

        With `relayed` a relay reads the TCP conversations: of them only attempts that never reach it are told here, and
        bursts of those that the kernel carries.
        """
        self._air = air
        self._relayed = relayed
        self._ends = Ends(tbox)
        # The fragments of what the T-box sent and of what it was sent are not put together.
        self._readers = (Reader(), Reader())
        self._streams = Streams()
        self._talks: dict[Stream, _Talking] = {}
        self._datagrams: OrderedDict[Flow, _Datagrams] = OrderedDict()
        self._asked: OrderedDict[_Asked, int] = OrderedDict()
        self._texts = PartsSms()

    def receive(self, unit: Packet | Sms, wall: int | None) -> Heard:
        """One packet or short message; the verdict is the last one that fell."""
        if isinstance(unit, Sms):
            return self._short(unit, wall)
        outgoing = self._relayed and unit.outgoing
        step = self._readers[outgoing].read(unit)
        if not isinstance(step, Datagram):
            return Heard(Verdict())
        self._count("packets", 1)
        self._count("bytes", len(unit.data))
        if step.transport == "tcp" and self._relayed:
            return self._beside(step, wall, outgoing=outgoing)
        if step.transport == "tcp":
            return self._streamed(self._streams.receive(step), wall)
        if step.transport == "udp":
            return self._datagram(step, wall, outgoing=outgoing)
        return Heard(Verdict())

    def tick(self, now: int, wall: int | None) -> tuple[Event, ...]:
        """What time alone brings about."""
        for reader in self._readers:
            reader.tick(now)
        self._age(now)
        return self._streamed(self._streams.tick(now), wall).events

    def finish(self, now: int, wall: int | None) -> tuple[Event, ...]:
        """The end of a recording: what is held back is read."""
        return self._streamed(self._streams.close(now), wall).events

    def _placed(self, datagram: Datagram, *, outgoing: bool) -> tuple[Placed, Heard | None]:
        """Who is who; and all that is heard of a packet that did not come the way that its addresses say."""
        source, target = Endpoint(datagram.src, datagram.sport), Endpoint(datagram.dst, datagram.dport)
        if not self._relayed:
            return self._ends.place(datagram.transport, source, target), None
        placed = self._ends.place(datagram.transport, source, target, target if outgoing else source)
        if outgoing:  # this machine's own word to everybody on the T-box's network is no word of the T-box's
            return placed, Heard(Verdict()) if placed.direction is Direction.UP else None
        return placed, self._air.forged(placed.flow, datagram.at) if placed.direction is Direction.DOWN else None

    def _beside(self, datagram: Datagram, wall: int | None, *, outgoing: bool) -> Heard:
        """A segment of a conversation that the relay carries, or that it never gets to see."""
        placed, odd = self._placed(datagram, outgoing=outgoing)
        if odd is not None:
            return odd
        if datagram.flags & (SYN | ACK) == SYN:
            return self._air.attempted(placed.flow, datagram.at, wall, inbound=placed.direction is Direction.DOWN)
        if placed.direction is Direction.DOWN and datagram.payload:
            talk = self._air.talk(placed.flow)
            if talk is not None and talk.speaks == "tls":
                self._air.burst(placed.flow, datagram.at, len(datagram.payload))
        return Heard(Verdict())

    # ------------------------------------------------------------------ streams

    def _streamed(self, happened: Iterable[StreamEvent], wall: int | None) -> Heard:
        verdict, events = Verdict(), list[Event]()
        for each in happened:
            heard = self._event(each, wall)
            verdict = heard.verdict if heard.events or heard.verdict != Verdict() else verdict
            events += heard.events
        return Heard(verdict, tuple(events))

    def _event(self, event: StreamEvent, wall: int | None) -> Heard:
        if isinstance(event, Opened):
            return self._opened(event, wall)
        talking = self._talks.get(event.stream)
        if talking is None:
            return Heard(Verdict())
        match event:
            case Data(at, _, forward, data):
                way = _way(talking, forward=forward)
                heard = [self._air.carried(talking.flow, at, way, len(data))]
                heard += self._said(talking, at, wall, talking.conversation.feed(_side(way, forward=forward), data))
                return _joined(heard)
            case Gap(at, _, forward, _size):
                way = _way(talking, forward=forward)
                talking.whole[way] = False
                self._count("holes", 1)
                return _joined(self._said(talking, at, wall, talking.conversation.lost(_side(way, forward=forward))))
            case Conflict(at, _, forward, offset, kept, refused):
                what = f"at byte {offset}"
                if _way(talking, forward=forward) is Direction.DOWN:
                    what += f": {kept[:16].hex()} and {refused[:16].hex()}"
                return Heard(Verdict(), self._air.odd(talking.flow, at, what))
            case Closed(at):
                return self._closed(talking, event.stream, at, wall)

    def _opened(self, event: Opened, wall: int | None) -> Heard:
        initiator, responder = event.stream.initiator, event.stream.responder
        sure = event.how == "syn"
        placed = self._ends.place("tcp", initiator, responder, initiator if sure else None)
        talking = _Talking(placed.flow, placed.direction, whole=sure)
        self._talks[event.stream] = talking
        while len(self._talks) > MOST_FLOWS:
            self._air.closed(self._talks.pop(next(iter(self._talks))).flow)
        inbound = sure and placed.direction is Direction.DOWN
        heard = self._air.opened(placed.flow, event.at, wall, inbound=inbound)
        talking.conversation.dialect = self._dialect(placed.flow)
        return heard

    def _dialect(self, flow: Flow) -> str:
        talk = self._air.talk(flow)
        return "" if talk is None or talk.remote is None else talk.remote.speaks

    def _closed(self, talking: _Talking, stream: Stream, at: int, wall: int | None) -> Heard:
        heard: list[Heard] = []
        for way in (Direction.UP, Direction.DOWN):
            heard += self._said(talking, at, wall, talking.conversation.close(way), ended=True)
        self._talks.pop(stream, None)
        self._air.closed(talking.flow)
        return _joined(heard)

    def _said(
        self, talking: _Talking, at: int, wall: int | None, said: Iterable[Said], *, ended: bool = False
    ) -> list[Heard]:
        heard: list[Heard] = []
        speaks = talking.conversation.speaks
        talk = self._air.talk(talking.flow)
        if speaks and talk is not None and talk.speaks != speaks:
            heard.append(self._air.learned(talking.flow, at, wall, {"speaks": speaks}))
        for side, span in said:
            way = side if talking.forward is not Direction.UNKNOWN else Direction.UNKNOWN
            if span.pdu is not None:
                heard += self._unit(talking, at, wall, way, span)
            elif span.reason in {ENCRYPTED, OPAQUE} or speaks in FREE:
                if way is Direction.DOWN:
                    self._air.burst(talking.flow, at, len(span.raw))
            elif way is Direction.DOWN and talking.whole[way] and not ended and span.reason not in PASSING:
                heard.append(self._air.malformed(talking.flow, at, speaks, span.reason))
        return heard

    def _unit(self, talking: _Talking, at: int, wall: int | None, way: Direction, span: Span) -> list[Heard]:
        pdu = span.pdu
        if pdu is None:
            return []
        heard = []
        talking.whole[way] = True
        facts = facts_of(pdu)
        if facts:
            heard.append(self._air.learned(talking.flow, at, wall, facts))
        if pdu.protocol == "dns":
            heard.append(self._names(talking.flow, pdu, way, at))
        heard.append(self._air.message(self._message(talking.flow, at, way, pdu, span.raw), wall))
        whole = talking.parts.take(pdu) if pdu.protocol == "jt808" else None
        if whole is not None:
            heard.append(self._air.message(self._message(talking.flow, at, way, whole, span.raw), wall))
        return heard

    def _message(self, flow: Flow, at: int, way: Direction, pdu: Pdu, raw: bytes) -> CloudMessage:
        talk = self._air.talk(flow)
        host, country = ("", "") if talk is None else (talk.host, talk.country)
        endpoint = "" if talk is None or talk.remote is None else talk.remote.id
        return CloudMessage(at, way, flow, pdu, raw, host, country, endpoint)

    # ------------------------------------------------------------------ datagrams and short messages

    def _datagram(self, datagram: Datagram, wall: int | None, *, outgoing: bool) -> Heard:
        placed, odd = self._placed(datagram, outgoing=outgoing)
        if odd is not None:
            return odd
        flow, at = placed.flow, datagram.at
        self._age(at)
        heard = []
        talking = self._datagrams.get(flow)
        if talking is None or self._air.talk(flow) is None:
            if talking is None and len(self._datagrams) >= MOST_FLOWS:
                self._air.closed(self._datagrams.popitem(last=False)[0])
            talking = self._datagrams[flow] = _Datagrams(at)
            heard.append(self._air.opened(flow, at, wall, inbound=placed.direction is Direction.DOWN))
        talking.last = at
        self._datagrams.move_to_end(flow)
        parts = talking.parts
        heard.append(self._air.carried(flow, at, placed.direction, len(datagram.payload)))
        for span in spans_of(datagram, self._dialect(flow)):
            if span.pdu is None:
                heard += self._unread(flow, at, wall, placed.direction, span)
                continue
            heard += self._speaks(flow, at, wall, span.pdu.protocol)
            if span.pdu.protocol == "dns" and not (self._relayed and datagram.tunnel):
                heard.append(self._names(flow, span.pdu, placed.direction, at))
            whole = parts.take(span.pdu) if span.pdu.protocol == "jt808" else None
            for pdu in (span.pdu, whole) if whole is not None else (span.pdu,):
                heard.append(self._air.message(self._message(flow, at, placed.direction, pdu, span.raw), wall))
        return _joined(heard)

    def _age(self, now: int) -> None:
        """End the conversations over UDP in which nothing was said for a while."""
        while self._datagrams:
            flow, talking = next(iter(self._datagrams.items()))
            if now - talking.last < IDLE_NS:
                return
            del self._datagrams[flow]
            self._air.closed(flow)

    def _unread(self, flow: Flow, at: int, wall: int | None, way: Direction, span: Span) -> list[Heard]:
        """A datagram, or a piece of one, that is no unit of anything: doubt where another language was agreed on."""
        talk = self._air.talk(flow)
        if not span.raw or talk is None:
            return []
        if talk.speaks in {"", UNKNOWN}:
            if way is Direction.DOWN:
                self._air.burst(flow, at, len(span.raw))
            return self._speaks(flow, at, wall, UNKNOWN)
        return [self._air.malformed(flow, at, talk.speaks, span.reason)] if way is Direction.DOWN else []

    def _speaks(self, flow: Flow, at: int, wall: int | None, protocol: str) -> list[Heard]:
        talk = self._air.talk(flow)
        if talk is None or talk.speaks == protocol:
            return []
        return [self._air.learned(flow, at, wall, {"speaks": protocol})]

    def _names(self, flow: Flow, pdu: Pdu, way: Direction, at: int) -> Heard:
        """The addresses that a DNS answer towards the T-box gives to the name that it asked for, of whom it asked."""
        asked = _asked(flow, pdu)
        if not pdu.fields.get("response"):
            if way is not Direction.DOWN:
                self._asked[asked] = at
                self._asked.move_to_end(asked)
                if len(self._asked) > MOST_ASKED:
                    self._asked.popitem(last=False)
            return Heard(Verdict())
        if way is Direction.UP:
            return Heard(Verdict())
        when = self._asked.pop(asked, None)
        if when is None or at - when > ASKED_NS:
            self._count("answers that nobody asked for", 1)
            return Heard(Verdict())
        events = [event for name, address in answers_of(pdu) for event in self._air.named(name, address, at, flow)]
        return Heard(Verdict(), tuple(events))

    def _short(self, unit: Sms, wall: int | None) -> Heard:
        way = Direction.UP if unit.outgoing else Direction.DOWN
        self._count("short messages", 1)
        number, pdus = short_units(unit, way, self._texts)
        flow = Flow("sms", _SIM, Endpoint(number))
        if self._air.talk(flow) is None:
            self._air.opened(flow, unit.at, wall)
        raw = unit.pdu or unit.data or unit.text.encode("utf-8", "surrogatepass")
        return _joined([self._air.message(CloudMessage(unit.at, way, flow, pdu, raw), wall) for pdu in pdus])

    def _count(self, what: str, by: int) -> None:
        self._air.counts[what] = self._air.counts.get(what, 0) + by


def spans_of(datagram: Datagram, dialect: str = "") -> list[Span]:
    """The units of one UDP datagram; `dialect` is what it is agreed to speak."""
    payload, ports = datagram.payload, {datagram.sport, datagram.dport}
    if ports & {_DNS, _MDNS}:
        return [Span(payload, dns.read(payload), "no DNS message")]
    if _NTP in ports:
        return [Span(payload, ntp.read(payload), "no NTP packet")]
    if _DOIP in ports:
        return doip.read_datagram(payload)
    if payload[:1] in {b"\x7e", b"\xe7"}:
        framer = jt808_stream.Framer(taxi=dialect == "jt905")
        return framer.feed(payload) + framer.close()
    if payload[:2] in {b"##", b"$$"}:
        return [Span(payload, gb32960.read(payload), "no GB/T 32960 packet")]
    return [Span(payload, None, "not recognised")]


def _asked(flow: Flow, pdu: Pdu) -> _Asked:
    questions = several(pdu.fields.get("questions"))
    asked = tuple((str(each.get("name", "")).lower(), each.get("type"), each.get("class")) for each in questions)
    return flow, pdu.fields.get("id"), asked


def answers_of(pdu: Pdu) -> list[tuple[str, str]]:
    """Name asked for and address given, of a DNS answer: those that the name leads to, over its aliases.

    What else stands in an answer gives nobody a name, or one server's answer could rename all others.
    """
    fields = pdu.fields
    names = [str(each.get("name", "")).lower() for each in several(fields.get("questions"))]
    answers = several(fields.get("answers"))
    found = []
    for asked in dict.fromkeys(name for name in names if name):
        owners = {asked}
        for answer in [*answers, *answers]:  # twice, for aliases that stand behind what they lead to
            if answer.get("type") == "CNAME" and str(answer.get("name", "")).lower() in owners:
                owners.add(str(answer.get("target", "")).lower())
        for answer in answers:
            address = answer.get("address")
            if isinstance(address, str) and str(answer.get("name", "")).lower() in owners:
                found.append((asked, address))
    return found


def short_units(unit: Sms, way: Direction, parts: PartsSms) -> tuple[str, list[Pdu]]:
    """Whom a short message is from or to, and what it holds: frames of JT/T 808 if there are any, else itself."""
    read = sms.heard(unit)
    if not isinstance(read, Pdu):
        unread = Pdu("sms", "unreadable short message", None, way, {"data": unit.pdu.hex()}, None, (read.reason,))
        return unit.number, [unread]
    number = unit.number or str(read.fields.get("address") or "")
    whole = parts.add(unit.at, read) if unit.pdu else None
    if whole is None and read.fields.get("total", 1) not in {0, 1, None}:
        return number, []
    read = whole or read
    text, data = str(read.fields.get("text") or ""), str(read.fields.get("data") or "")
    frames = [frame for each in (text, data) if each for frame in jt808_text.in_text(each)]
    found = [pdu for frame in frames if (pdu := jt808.read(frame)) is not None]
    return number, found or [read]


def _way(talking: _Talking, *, forward: bool) -> Direction:
    opposite = {Direction.UP: Direction.DOWN, Direction.DOWN: Direction.UP, Direction.UNKNOWN: Direction.UNKNOWN}
    return talking.forward if forward else opposite[talking.forward]


def _side(way: Direction, *, forward: bool) -> Direction:
    """A conversation has two directions also where nothing tells which of them is up: its initiator is the client."""
    return way if way is not Direction.UNKNOWN else Direction.UP if forward else Direction.DOWN


def _joined(heard: Iterable[Heard]) -> Heard:
    verdict, events = Verdict(), list[Event]()
    for each in heard:
        verdict = each.verdict
        events += each.events
    return Heard(verdict, tuple(events))
