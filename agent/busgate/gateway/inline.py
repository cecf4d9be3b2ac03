"""One TCP conversation in the relay: every piece of it judged before it goes on.

Law: pieces come out in the order of their stream, and a message is let through, cut out or held whole. What the T-box
says itself is never cut. A conversation that may not be held is ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from busgate.decode.conversation import ENCRYPTED, FREE, OPAQUE, Conversation, Said, facts_of
from busgate.decode.http_bodies import PASSING
from busgate.decode.jt808_parts import Reassembler as Parts808
from busgate.gateway.air import Air, Heard
from busgate.gateway.answers import refusal
from busgate.gateway.radio import MOST_SPLIT, MOST_SPLIT_OCTETS, answers_of
from busgate.judge.network import Remote
from busgate.model import Action, CloudMessage, Direction, Event, Flow, Mode, Pdu, Reason, Span, Verdict

UNCUTTABLE = frozenset({"http", "tls", "dns-tcp"})
"""Languages whose conversations do not survive without a piece of them: where one is refused, they end."""

_PASSES = Verdict(Action.PASS, Reason.ENDPOINT_SERVICE)
_UP = Verdict(Action.PASS, Reason.TBOX_TO_CLOUD)


class Piece(NamedTuple):
    """Some bytes of a conversation with what is to become of them; `answer` goes back to whoever sent a cut message.

    `messages` are what they were judged as: themselves, and what they are the last part of.
    """

    direction: Direction
    raw: bytes
    verdict: Verdict
    pdu: Pdu | None = None
    answer: bytes = b""
    messages: tuple[CloudMessage, ...] = ()


class Turn(NamedTuple):
    """What came of some bytes: pieces in order, what happened, and whether the conversation has to end."""

    pieces: tuple[Piece, ...]
    events: tuple[Event, ...]
    end: bool = False


class Inline:
    """The judgement of one conversation."""

    def __init__(self, air: Air, flow: Flow, *, answers: bool) -> None:
        """`answers` is whether what is cut out is answered with the protocol's refusal."""
        self.conversation = Conversation(Direction.UP, (flow.remote.port,))
        self._air = air
        self._flow = flow
        self._answers = answers
        self._parts = Parts808(messages=MOST_SPLIT, octets=MOST_SPLIT_OCTETS)

    def opened(self, at: int, wall: int | None) -> Heard:
        """The T-box opens it."""
        heard = self._air.opened(self._flow, at, wall)
        self.conversation.dialect = "" if self.remote is None else self.remote.speaks
        return heard

    def chunk(self, direction: Direction, data: bytes, at: int, wall: int | None) -> Turn:
        """The next bytes of a direction."""
        carried = self._air.carried(self._flow, at, direction, len(data))
        turn = self._turn(self.conversation.feed(direction, data), at, wall)
        return turn._replace(
            events=carried.events + turn.events,
            end=turn.end or (self.enforced and carried.verdict.action is Action.BLOCK),
        )

    def ended(self, direction: Direction, at: int, wall: int | None) -> Turn:
        """A direction has ended: what was held back of it."""
        return self._turn(self.conversation.close(direction), at, wall)

    def undecided(self, at: int, wall: int | None) -> Turn:
        """Nobody recognised the first bytes in time: they pass as what they are, unknown."""
        return self._turn(self.conversation.give_up(), at, wall)

    def impatient(self, direction: Direction, at: int, wall: int | None) -> Turn:
        """Bytes of a direction have waited long enough for the rest of a message: they go on as they are."""
        return self._turn(self.conversation.lost(direction), at, wall)

    def again(self, messages: Iterable[CloudMessage], at: int, wall: int | None) -> Verdict:
        """Messages that have waited: whether the policy, the mode and the vehicle as they are now let them go on."""
        for each in messages if self.enforced else ():
            verdict = self._air.again(self._message(at, each.direction, each.pdu, each.data), wall)
            if verdict.action is Action.BLOCK and verdict.reason is not Reason.HELD:
                return verdict
        return _PASSES

    def released(self, messages: Iterable[CloudMessage], at: int, by: str) -> tuple[Event, ...]:
        """Messages that have waited go on by somebody's word: what is told of them now."""
        moved = (self._message(at, each.direction, each.pdu, each.data) for each in messages)
        return tuple(event for each in moved for event in self._air.released(each, by))

    @property
    def remote(self) -> Remote | None:
        """The endpoint of the policy that it is with."""
        talk = self._air.talk(self._flow)
        return None if talk is None else talk.remote

    @property
    def party(self) -> str:
        """The other end, as people know it."""
        talk = self._air.talk(self._flow)
        return str(self._flow.remote) if talk is None or not talk.host else f"{talk.host} ({self._flow.remote})"

    @property
    def cuttable(self) -> bool:
        """Whether it survives without one of its pieces."""
        return self.conversation.speaks not in UNCUTTABLE

    @property
    def enforced(self) -> bool:
        """Whether verdicts take effect."""
        return self._air.mode in {Mode.ENFORCE, Mode.LOCAL}

    def _turn(self, said: Iterable[Said], at: int, wall: int | None) -> Turn:
        pieces, events = list[Piece](), list[Event]()
        end = self._learn({"speaks": self.conversation.speaks}, at, wall, events) if self._is_news() else False
        for way, span in said:
            if span.pdu is not None and (facts := facts_of(span.pdu)):
                end = self._learn(facts, at, wall, events) or end
            piece = self._piece(way, span, at, wall, events)
            pieces.append(piece)
            end = end or self._breaks(piece, torn=self.conversation.torn)
        return Turn(tuple(pieces), tuple(events), end)

    def _breaks(self, piece: Piece, *, torn: bool) -> bool:
        """Whether what is refused takes its conversation along; so does that whose beginning is through (`torn`)."""
        refused = piece.verdict.action is Action.BLOCK and piece.verdict.reason is not Reason.HELD
        return refused and (not self.cuttable or (torn and piece.pdu is not None))

    def _is_news(self) -> bool:
        talk = self._air.talk(self._flow)
        return talk is not None and bool(self.conversation.speaks) and talk.speaks != self.conversation.speaks

    def _learn(self, facts: dict[str, str], at: int, wall: int | None, events: list[Event]) -> bool:
        heard = self._air.learned(self._flow, at, wall, facts)
        events += heard.events
        return self.enforced and heard.verdict.action is Action.BLOCK

    def _piece(self, way: Direction, span: Span, at: int, wall: int | None, events: list[Event]) -> Piece:
        if span.pdu is None:
            return Piece(way, span.raw, self._unread(way, span, at, events))
        if span.pdu.protocol == "dns" and way is Direction.DOWN:
            for name, address in answers_of(span.pdu):
                events += self._air.named(name, address, at, self._flow)
        message = self._message(at, way, span.pdu, span.raw)
        messages: tuple[CloudMessage, ...] = (message,)
        verdict = self._judged(message, wall, events)
        whole = self._parts.take(span.pdu) if span.pdu.protocol == "jt808" else None
        if whole is not None:
            # Without its last part a split message is none: what is refused of the whole is refused of that.
            messages += (replace(message, pdu=whole),)
            of_whole = self._judged(messages[-1], wall, events)
            verdict = verdict if verdict.action is Action.BLOCK else of_whole
        cut = verdict.action is Action.BLOCK and verdict.reason is not Reason.HELD
        answer = refusal(span.pdu, span.raw) if cut and self._answers else b""
        return Piece(way, span.raw, verdict, span.pdu, answer, messages)

    def _message(self, at: int, way: Direction, pdu: Pdu, raw: bytes) -> CloudMessage:
        talk = self._air.talk(self._flow)
        host, country = ("", "") if talk is None else (talk.host, talk.country)
        endpoint = "" if talk is None or talk.remote is None else talk.remote.id
        return CloudMessage(at, way, self._flow, pdu, raw, host, country, endpoint)

    def _judged(self, message: CloudMessage, wall: int | None, events: list[Event]) -> Verdict:
        heard = self._air.message(message, wall)
        events += heard.events
        return heard.verdict if self.enforced else _PASSES

    def _unread(self, way: Direction, span: Span, at: int, events: list[Event]) -> Verdict:
        """Bytes that are no message: what is opaque or a body passes with its conversation, anything else is doubt."""
        if way is not Direction.DOWN:
            return _UP
        if span.reason in {ENCRYPTED, OPAQUE} | PASSING or self.conversation.speaks in FREE:
            if span.reason not in PASSING:
                self._air.burst(self._flow, at, len(span.raw))
            return _PASSES
        heard = self._air.malformed(self._flow, at, self.conversation.speaks, span.reason)
        events += heard.events
        return heard.verdict if self.enforced else _PASSES
