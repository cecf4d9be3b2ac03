"""The relay's judge: each conversation of the T-box taken through the gate, piece by piece; what waits is kept.

Law: as everywhere, what is not allowed does not pass, and what the T-box says itself is never cut. What is held is on
disk before anything is withheld; where it cannot be kept, it is refused. A hold ends by the operator's mark alone, and
what the operator releases is judged once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from busgate.bridge.hold import Holding, Spool, Unheld
from busgate.bridge.hold_marks import Decision, Mark
from busgate.bridge.inspector import Admission, End, Release
from busgate.bridge.port import BridgeError
from busgate.decode.conversation import other
from busgate.decode.http_heads import Response, has_body, values
from busgate.gateway import Gateway
from busgate.gateway.answers import refusal
from busgate.gateway.inline import Inline, Piece, Turn
from busgate.model import Action, CloudMessage, Direction, Event, Flow, Held, Pdu, Reason, Verdict

Tell = Callable[[Iterable[Event], int], None]

PATIENCE_NS = 1_000_000_000
"""How long the first bytes may leave open what is spoken, and bytes of the T-box's be held back by a decoder."""

LOOKS_EVERY_NS = 500_000_000
"""How often marks of the operator's and the policy's word on open conversations are looked at."""

_PARTIAL = 206
"""RFC 9110, 15.3.7."""

PARTS_NS = 86_400_000_000_000
"""How long what came in parts (HTTP ranges) from one endpoint counts as one download: 24 h."""


@dataclass(slots=True)
class _Waiting:
    """A message that waits for the operator; the conversation goes on beside it."""

    name: str
    raw: bytes
    answer: bytes
    about: Held
    messages: tuple[CloudMessage, ...]


@dataclass(slots=True)
class _Download:
    """A stream that waits: all that comes down from here on is on disk."""

    holding: Holding
    about: Held
    messages: tuple[CloudMessage, ...]
    whole: bool = False


@dataclass(slots=True)
class _Parts:
    """What one endpoint has given in parts since `since`."""

    since: int
    size: int = 0


@dataclass(slots=True)
class _Open:
    """One conversation at work."""

    inline: Inline
    since: int
    touched: int
    waiting: list[_Waiting] = field(default_factory=list)
    download: _Download | None = None
    received: int = 0
    """Bytes of the body that is passing."""
    partial: bool = False
    """Whether that body says that it is a part of something."""
    over: bool = False
    """Whether it has to end: a piece of it that it does not survive without was refused."""
    encrypted: set[Direction] = field(default_factory=set)
    spliced: bool = False
    carried: tuple[int, int] = (0, 0)
    """Bytes that the kernel has carried, up and down, as far as they are counted."""


class Inspection:
    """The conversations of one T-box in the relay. Nothing here blocks but writing what is held."""

    def __init__(self, gateway: Gateway, tell: Tell, *, spool: Spool | None = None, splice: bool = True) -> None:
        """`tell` writes events to the log; without a `spool` what would wait is refused."""
        self._gateway = gateway
        self._air = gateway.air
        self._tell = tell
        self._spool = spool
        self._splice = splice
        self.before: Callable[[], None] = _nothing
        """Called before a new conversation is judged: a DNS answer that explains it may just have come."""
        self._open: dict[Flow, _Open] = {}
        self._parts: dict[str, _Parts] = {}
        self._looked = 0

    # ------------------------------------------------------------------ what the relay asks

    def opened(self, flow: Flow, now: int) -> Admission:
        """The T-box wants to reach somebody."""
        self.before()
        network = self._gateway.network
        answers = network is not None and network.answer == "refuse"
        talk = _Open(Inline(self._air, flow, answers=answers), now, now)
        heard = talk.inline.opened(now, self._wall(now))
        self._say(heard.events, now)
        if talk.inline.enforced and heard.verdict.action is Action.BLOCK:
            self._air.closed(flow)
            return Admission.REFUSE
        self._open[flow] = talk
        return Admission.PASS

    def chunk(self, flow: Flow, direction: Direction, data: bytes, now: int) -> Release:
        """Bytes of one direction."""
        talk = self._open[flow]
        talk.touched = now
        wall = self._wall(now)
        inline = talk.inline
        turn = inline.chunk(direction, data, now, wall) if data else inline.ended(direction, now, wall)
        release = self._released(talk, direction, turn, now)
        if not data and direction is Direction.DOWN and talk.download is not None:
            self._complete(talk, talk.download, now, whole=talk.download.whole)
            release = Release(close=True) if talk.over else release
        return self._spliced(talk, direction, release) if data else release

    def goes_on(self, flow: Flow, up: int, down: int, now: int) -> bool:
        """Whether what the kernel carries may go on: by its volume, its grant, the policy as it is now."""
        talk = self._open[flow]
        before, talk.carried = talk.carried, (up, down)
        may = True
        for way, size in ((Direction.UP, up - before[0]), (Direction.DOWN, down - before[1])):
            if size > 0:
                heard = self._air.carried(flow, now, way, size)
                self._say(heard.events, now)
                may = may and heard.verdict.action is Action.PASS
        return (may and self._may_go_on(flow, now)) or not talk.inline.enforced

    def due(self, now: int) -> Iterator[tuple[Flow, Direction, Release]]:
        """What the operator has decided by now, what waited too long to be recognised, what may not go on."""
        if now - self._looked < LOOKS_EVERY_NS:
            return
        self._looked = now
        for flow, talk in list(self._open.items()):
            yield from ((flow, way, release) for way, release in self._ripe(flow, talk, now))

    def next_deadline(self) -> int | None:
        """When `due` is to be asked."""
        return self._looked + LOOKS_EVERY_NS if self._open else None

    def ended(self, flow: Flow, now: int, why: End) -> None:
        """A conversation is over; what waits in it has nowhere to go any more."""
        talk = self._open.pop(flow, None)
        self._air.closed(flow)
        if talk is None:
            return
        for waiting in talk.waiting:
            self._ended(waiting.about, "lost", Mark(Decision.REFUSE, "", f"the conversation is over ({why})", 0), now)
        if talk.download is not None:
            talk.download.holding.finish(whole=talk.download.whole)
            reason = f"the conversation is over ({why})"
            self._ended(talk.download.about, "lost", Mark(Decision.REFUSE, "", reason, 0), now)

    # ------------------------------------------------------------------ pieces

    def _released(self, talk: _Open, direction: Direction, turn: Turn, now: int) -> Release:
        self._say(turn.events, now)
        forward: dict[Direction, bytearray] = {Direction.UP: bytearray(), Direction.DOWN: bytearray()}
        for piece in turn.pieces:
            if piece.pdu is None and piece.verdict.action is Action.PASS and turn.pieces:
                talk.encrypted |= {piece.direction} if talk.inline.conversation.speaks == "tls" else set()
            forward[piece.direction] += self._passing(talk, piece, now)
            forward[Direction.UP] += piece.answer
        if turn.end or talk.over:  # what ends a conversation is not delivered first
            return Release(close=True)
        back = bytes(forward[other(direction)])
        held = self._holds(talk, now) if direction is Direction.DOWN else None
        return Release(bytes(forward[direction]), back, hold_until=held, pause=self._is_full(talk))

    def _passing(self, talk: _Open, piece: Piece, now: int) -> bytes:
        """What of a piece may go on now."""
        if piece.direction is not Direction.DOWN:
            return piece.raw
        if talk.download is not None:
            self._keep(talk, talk.download, piece, now)
            return b""
        held = piece.verdict.reason is Reason.HELD
        if talk.over or (piece.verdict.action is Action.BLOCK and not held):
            return b""
        if held:
            return self._hold(talk, piece, now)
        if self._is_large(talk, piece, now):
            verdict = Verdict(Action.BLOCK, Reason.HELD, "", "a large download")
            return self._hold(talk, piece._replace(verdict=verdict), now)
        return piece.raw

    def _is_large(self, talk: _Open, piece: Piece, now: int) -> bool:
        """Whether a download is, or turns out to be, larger than what may pass without the operator."""
        network = self._gateway.network
        most = None if network is None or network.hold is None else network.hold.downloads
        if most is None or talk.inline.conversation.speaks != "http" or not talk.inline.enforced:
            return False
        head = None if piece.pdu is None else piece.pdu.body
        if isinstance(head, Response):
            talk.received = 0
            ranges = values(head.headers, "content-range")
            talk.partial = head.status == _PARTIAL or bool(ranges)
            length = head.content_length or 0
            numbers = [int(each) for each in re.findall(r"[0-9]{1,18}", " ".join(ranges))]
            loaded = self._in_parts(talk, 0, now) if talk.partial else 0
            return has_body(head) and max(loaded + length, *numbers, 0) > most
        talk.received += len(piece.raw)
        loaded = self._in_parts(talk, len(piece.raw), now) if talk.partial else 0
        return max(loaded, talk.received) > most

    def _in_parts(self, talk: _Open, size: int, now: int) -> int:
        """How much the endpoint has given in parts lately, with so many bytes more."""
        remote = talk.inline.remote
        who = talk.inline.party if remote is None else remote.id
        parts = self._parts.get(who)
        if parts is None or now - parts.since > PARTS_NS:
            parts = self._parts[who] = _Parts(now)
        parts.size += size
        return parts.size

    # ------------------------------------------------------------------ what waits

    def _hold(self, talk: _Open, piece: Piece, now: int) -> bytes:
        """Keep a message, or a stream from here on; the bytes that may pass instead (none, as a rule)."""
        about = _about(talk, piece, now)
        begun = Unheld("there is no folder to hold anything in") if self._spool is None else self._begin(about, now)
        kept = begun if isinstance(begun, Unheld) else begun.write(piece.raw)
        streams = talk.inline.conversation.speaks == "http"
        if not isinstance(begun, Unheld) and kept is None and not streams:
            kept = _finished(begun)
        if isinstance(begun, Unheld) or kept is not None:
            self._refused(talk, about, _reason(kept), now)
            if self._spool is not None and isinstance(begun, Holding):
                self._spool.lost(begun.name, _reason(kept))
            return b""
        about = _named(about, begun.name)
        self._say((about,), now)
        if streams:
            talk.download = _Download(begun, about, piece.messages)
            self._seen(talk, talk.download, piece.pdu, now)
        else:
            talk.waiting.append(_Waiting(begun.name, piece.raw, self._refusal(piece), about, piece.messages))
        return b""

    def _refused(self, talk: _Open, about: Held, why: str, now: int) -> None:
        """What should wait and cannot is not let through; where nothing goes on without it, that is the end."""
        self._ended(about, "refused", Mark(Decision.REFUSE, "busgate", why, 0), now)
        talk.over = talk.over or not talk.inline.cuttable

    def _refusal(self, piece: Piece) -> bytes:
        """What the cloud is told should the operator refuse, if the policy wants it told anything."""
        network = self._gateway.network
        if network is None or network.answer != "refuse" or piece.pdu is None:
            return b""
        return refusal(piece.pdu, piece.raw)

    def _begin(self, about: Held, now: int) -> Holding | Unheld:
        wall = self._wall(now)
        told = {"name": about.name, "source": about.source}
        return Unheld("") if self._spool is None else self._spool.begin(told, now if wall is None else wall)

    def _keep(self, talk: _Open, download: _Download, piece: Piece, now: int) -> None:
        """More of a download; what comes behind one that nobody has decided upon was not asked for."""
        kept = Unheld("more came behind it") if download.whole else download.holding.write(piece.raw)
        if kept is not None:
            talk.download = None
            self._refused(talk, download.about, _reason(kept), now)
            return
        download.messages += piece.messages
        self._seen(talk, download, piece.pdu, now)

    def _seen(self, talk: _Open, download: _Download, pdu: Pdu | None, now: int) -> None:
        """See whether this unit is the last of a download."""
        if pdu is not None and "complete" in pdu.fields:
            self._complete(talk, download, now, whole=pdu.fields["complete"] is True)
        elif pdu is not None and isinstance(pdu.body, Response) and not has_body(pdu.body):
            self._complete(talk, download, now, whole=True)

    def _complete(self, talk: _Open, download: _Download, now: int, *, whole: bool) -> None:
        """No more of a download comes; one that is not all there is no download."""
        if download.whole:
            return
        kept = _finished(download.holding, whole=whole)
        if kept is None:
            download.whole = True
            return
        talk.download = None
        self._refused(talk, download.about, _reason(kept), now)

    @staticmethod
    def _is_full(talk: _Open) -> bool:
        """Whether nothing more is to be read before the operator has decided."""
        return talk.download is not None and talk.download.whole

    @staticmethod
    def _holds(talk: _Open, now: int) -> int | None:
        return now + LOOKS_EVERY_NS if talk.waiting or talk.download is not None else None

    def _ripe(self, flow: Flow, talk: _Open, now: int) -> Iterator[tuple[Direction, Release]]:
        if talk.spliced:
            return
        if not self._may_go_on(flow, now) and talk.inline.enforced:
            yield Direction.DOWN, Release(close=True)
            return
        yield from self._impatient(talk, now)
        for waiting in list(talk.waiting):
            mark = None if self._spool is None else self._spool.decision(waiting.name)
            if mark is not None:
                talk.waiting.remove(waiting)
                yield self._decided(talk, waiting, mark, now)
        download = talk.download
        if download is not None and download.whole and self._spool is not None:
            mark = self._spool.decision(download.holding.name)
            if mark is not None:
                talk.download = None
                yield Direction.DOWN, self._downloaded(talk, download, mark, now)

    def _may_go_on(self, flow: Flow, now: int) -> bool:
        """The policy's word on a conversation as it is now: a grant may have ended, a policy may be another."""
        heard = self._air.learned(flow, now, self._wall(now), {})
        self._say(heard.events, now)
        return heard.verdict.action is Action.PASS

    def _impatient(self, talk: _Open, now: int) -> Iterator[tuple[Direction, Release]]:
        """Bytes that wait for more, for longer than anybody should: an unknown language, a piece of the T-box's."""
        conversation = talk.inline.conversation
        if now - talk.touched < PATIENCE_NS:
            return
        if not conversation.speaks and (conversation.held(Direction.UP) or conversation.held(Direction.DOWN)):
            turn = talk.inline.undecided(now, self._wall(now))
            yield Direction.DOWN, self._released(talk, Direction.DOWN, turn, now)
        elif conversation.held(Direction.UP):
            turn = talk.inline.impatient(Direction.UP, now, self._wall(now))
            yield Direction.UP, self._released(talk, Direction.UP, turn, now)

    def _decided(self, talk: _Open, waiting: _Waiting, mark: Mark, now: int) -> tuple[Direction, Release]:
        mark = self._again(talk, waiting.messages, mark, now)
        released = mark.decision is Decision.RELEASE
        self._ended(waiting.about, "released" if released else "refused", mark, now)
        held = self._holds(talk, now)
        if released:
            self._say(talk.inline.released(waiting.messages, now, mark.by), now)
            return Direction.DOWN, Release(waiting.raw, hold_until=held)
        return Direction.DOWN, Release(b"", waiting.answer, hold_until=held)

    def _again(self, talk: _Open, messages: Iterable[CloudMessage], mark: Mark, now: int) -> Mark:
        """The operator's word, unless the policy, the mode or the vehicle have become others meanwhile."""
        if mark.decision is not Decision.RELEASE:
            return mark
        verdict = talk.inline.again(messages, now, self._wall(now))
        if verdict.action is Action.PASS:
            return mark
        return Mark(Decision.REFUSE, "busgate", verdict.detail or verdict.reason.value, 0)

    def _downloaded(self, talk: _Open, download: _Download, mark: Mark, now: int) -> Release:
        mark = self._again(talk, download.messages, mark, now)
        if mark.decision is not Decision.RELEASE or self._spool is None:
            self._ended(download.about, "refused", mark, now)
            return Release(close=True)
        try:
            payload = self._spool.payload(download.holding.name)
        except BridgeError as fault:
            self._ended(download.about, "lost", mark._replace(reason=str(fault)), now)
            return Release(close=True)
        self._ended(download.about, "released", mark, now)
        self._say(talk.inline.released(download.messages, now, mark.by), now)
        return Release(more=payload)

    def _ended(self, about: Held, stage: str, mark: Mark, now: int) -> None:
        ended = Held(now, stage, about.item, about.name, about.source, about.bytes, about.sha256, mark.by, mark.reason)
        self._say((ended,), now)
        if stage == "lost" and self._spool is not None:
            self._spool.lost(about.item, mark.reason)

    # ------------------------------------------------------------------ the rest

    def _spliced(self, talk: _Open, direction: Direction, release: Release) -> Release:
        """Once both ends only say what nobody can read, the kernel may carry it: nothing more is learned from it."""
        conversation = talk.inline.conversation
        ready = talk.encrypted >= {Direction.UP, Direction.DOWN}
        if not self._splice or not ready or release.close or talk.waiting or talk.download is not None:
            return release
        talk.spliced = True
        ways = (Direction.UP, Direction.DOWN)
        rest = {way: b"".join(said.span.raw for said in conversation.lost(way)) for way in ways}
        return release._replace(
            forward=release.forward + rest[direction], back=release.back + rest[other(direction)], splice=True
        )

    def _say(self, events: Iterable[Event], now: int) -> None:
        told = tuple(events)
        if told:
            self._tell(told, now)

    def _wall(self, now: int) -> int | None:
        return self._gateway.wall(now)


def _nothing() -> None:
    return


def _about(talk: _Open, piece: Piece, now: int) -> Held:
    fields = {} if piece.pdu is None else piece.pdu.fields
    name = str(fields.get("url") or (piece.pdu.name if piece.pdu is not None else "download"))
    return Held(now, "held", "", name, talk.inline.party, len(piece.raw), "")


def _named(about: Held, item: str) -> Held:
    return Held(about.at, about.stage, item, about.name, about.source, about.bytes, about.sha256)


def _finished(holding: Holding, *, whole: bool = True) -> Unheld | None:
    """Finish what came; why it cannot be released, if it cannot."""
    kept = holding.finish(whole=whole)
    if isinstance(kept, Unheld) or kept.whole:
        return kept if isinstance(kept, Unheld) else None
    return Unheld("it could not be kept whole" if whole else "it broke off before its end")


def _reason(kept: Unheld | None) -> str:
    return "it could not be kept" if kept is None or not kept.reason else kept.reason
