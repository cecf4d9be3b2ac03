"""The SOC without its sockets: messages in, happenings out.

Law: time is data, and any bytes on any topic give a value. What a head proves is kept before it is cosigned, and it is
cosigned before it is shown; a log in contradiction is never cosigned again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, assert_never

from busgate.record.entry import EntryError, decode
from busgate.report import topics
from busgate.report.bundle import NotABundle
from busgate.report.bundle import decode as read_bundle
from busgate.report.messages import State, read_early_copy, read_state
from busgate.report.topics import Channel, Topic
from busgate.report.witness import CONFLICT
from busgate.trust.note import Cosigner
from busgate_soc.archive import Archive, ArchiveError
from busgate_soc.case import Case
from busgate_soc.happenings import (
    Alarm,
    Asked,
    Early,
    Fault,
    Happening,
    Log,
    Presence,
    Record,
    Reply,
    Strange,
    Verified,
)
from busgate_soc.keyring import Basis, Keyring
from busgate_soc.ledger import Behind, Contradiction, Incomplete, Keys, Mismatch, Outcome, Proven, Refused
from busgate_soc.succession import unfollowed

_MAX_EARLY: Final = 1000
_MAX_CHECKPOINT: Final = 1 << 16


class Collector:
    """Every log that this SOC follows."""

    def __init__(self, keyring: Keyring, archive: Archive, cosigner: Cosigner | None = None) -> None:
        """Goes on from what the archive has; raises ArchiveError when that does not hold together."""
        self._keyring = keyring
        self._archive = archive
        self._cosigner = cosigner
        self._cases: dict[Log, Case] = {}
        self._states: dict[str, State] = {}
        for kept in archive.logs():
            case = self._case(Log(kept.device, kept.incarnation))
            if kept.head is not None and not case.ledger.restore(kept.records, kept.head):
                raise ArchiveError(
                    f"what was kept of {kept.device} no longer leads to its signed head: it was altered here. "
                    "Next: keep the folder as evidence, and watch with another one"
                )
            case.ledger.contradiction = kept.contradiction

    @property
    def sizes(self) -> dict[Log, tuple[int, int]]:
        """Proven and wanted size of each log."""
        return {log: (case.ledger.proven, case.wanted) for log, case in self._cases.items()}

    @property
    def unconfirmed(self) -> int:
        """How many early copies no proven record has confirmed."""
        return sum(len(case.early) for case in self._cases.values())

    @property
    def online(self) -> tuple[Log, ...]:
        """The logs that devices now online are writing."""
        return tuple(Log(device, state.incarnation) for device, state in self._states.items() if state.online)

    def receive(self, name: str, payload: bytes, now: float) -> Iterator[Happening]:
        """One message; `now` is in POSIX seconds."""
        topic = topics.parse(name)
        if topic is None:
            yield Strange(name, "no topic of ours")
            return
        match topic.channel:
            case Channel.ENTRIES:
                yield from self._entries(name, topic, payload, now)
            case Channel.CHECKPOINT:
                yield from self._checkpoint(name, topic, payload, now)
            case Channel.ALERT:
                yield from self._alert(name, topic, payload)
            case Channel.STATE:
                yield from self._state(name, topic, payload, now)
            case Channel.COSIGNATURE | Channel.POLICY:
                yield Strange(name, "it goes the other way")
            case _:
                assert_never(topic.channel)

    def tick(self, now: float) -> Iterator[Happening]:
        """Ask for what has been missing for too long."""
        for case in self._cases.values():
            if self._listens(case) and case.ask(now):
                yield Asked(case.log, case.ledger.size, case.wanted)
                yield self._conflict(case, case.ledger.size)

    def _listens(self, case: Case) -> bool:
        """Whether there is any use in asking: the device is not known to be away, nor to write another log now."""
        state = self._states.get(case.log.device)
        there = state is None or (state.online and state.incarnation == case.log.incarnation)
        return there and case.ledger.contradiction is None

    # ------------------------------------------------------------ one channel each

    def _entries(self, name: str, topic: Topic, payload: bytes, now: float) -> Iterator[Happening]:
        bundle = read_bundle(payload)
        if isinstance(bundle, NotABundle):
            yield Strange(name, bundle.reason)
            return
        case = self._case(Log(topic.device, topic.incarnation))
        differs = case.ledger.take(bundle)
        if differs is not None and case.news(f"foreign {differs}"):
            yield Fault(case.log, Alarm.FOREIGN_RECORD, {"index": str(differs)})
        outcome = case.ledger.retry(self._keys(topic.device))
        if outcome is not None:
            yield from self._judged(case, outcome, now)
        case.schedule(now)

    def _checkpoint(self, name: str, topic: Topic, payload: bytes, now: float) -> Iterator[Happening]:
        if len(payload) > _MAX_CHECKPOINT:
            yield Strange(name, f"a checkpoint of {len(payload)} bytes")
            return
        case = self._case(Log(topic.device, topic.incarnation))
        yield from self._judged(case, case.ledger.offer(payload, self._keys(topic.device)), now)
        case.schedule(now)

    def _alert(self, name: str, topic: Topic, payload: bytes) -> Iterator[Happening]:
        copy = read_early_copy(payload)
        if copy is None or topics.parse(topics.ROOT + f"/{topic.device}/up/{copy.incarnation}/entries") is None:
            yield Strange(name, "no early copy of a record")
            return
        case = self._case(Log(topic.device, copy.incarnation))
        if copy.index >= case.ledger.proven and copy.index not in case.early and len(case.early) < _MAX_EARLY:
            case.early[copy.index] = copy.entry
            yield Early(case.log, copy.index, copy.entry)

    def _state(self, name: str, topic: Topic, payload: bytes, now: float) -> Iterator[Happening]:
        state = read_state(payload)
        if state is None or topics.parse(topics.ROOT + f"/{topic.device}/up/{state.incarnation}/entries") is None:
            yield Strange(name, "no state of a device")
            return
        known = self._states.get(topic.device)
        if known is not None and (state.boot, state.session) < (known.boot, known.session):
            return
        self._states[topic.device] = state
        if known is None or (known.online, known.incarnation) != (state.online, state.incarnation):
            yield Presence(topic.device, state.online, state.incarnation, state.size)
        case = self._case(Log(topic.device, state.incarnation))
        case.announced = max(case.announced, state.size) if state.online else case.announced
        case.schedule(now)

    # ------------------------------------------------------------ what a head was worth

    def _judged(self, case: Case, outcome: Outcome, now: float) -> Iterator[Happening]:
        match outcome:
            case Proven():
                yield from self._proven(case, outcome, now)
            case Incomplete():
                return
            case Behind():
                yield self._conflict(case, case.ledger.proven)
            case Refused():
                if case.news(outcome.reason):
                    yield Fault(case.log, Alarm.REFUSED, {"reason": outcome.reason})
            case Mismatch():
                yield from self._mismatch(case, outcome)
            case Contradiction():
                yield from self._contradicted(case, outcome, now)
            case _:
                assert_never(outcome)

    def _proven(self, case: Case, proven: Proven, now: float) -> Iterator[Happening]:
        news = case.news("head") or bool(proven.records)
        case.mismatches = 0
        if news:
            self._archive.keep(*case.log, proven.first, proven.records, proven.head)
        other = self._keyring.used(case.log.device, proven.trusted)
        if other:
            if case.news(f"shared {other}"):
                yield Fault(case.log, Alarm.SHARED_KEY, {"other": other})
        elif proven.trusted.basis is Basis.CAME_WITH_LOG:
            self._archive.remember(case.log.device, proven.trusted.key.public)
        cosigns = self._cosigner is not None and not other and case.ledger.contradiction is None
        if cosigns:
            yield Reply(topics.cosignature(*case.log), self._cosignature(proven.text, now))
        if not news:
            return
        yield from self._follows(case, proven)
        records = []
        for index, raw in enumerate(proven.records, proven.first):
            entry, early = _read(raw), case.early.pop(index, None)
            if early is not None and early != entry:
                yield Fault(case.log, Alarm.FALSE_EARLY_COPY, {"index": str(index)})
                early = None
            records.append(Record(index, entry, early is not None))
        head = proven.head
        yield Verified(case.log, head.size, head.root, proven.trusted.basis, cosigns, tuple(records))

    def _mismatch(self, case: Case, mismatch: Mismatch) -> Iterator[Happening]:
        """Records may have been altered on the way: they are asked for again once; then a person must look."""
        case.mismatches += 1
        if (mismatch.diverges or case.mismatches > 1) and case.news(f"diverges {case.ledger.proven}"):
            yield Fault(case.log, Alarm.DIVERGES, {"size": str(mismatch.size)})
        case.announced = max(case.announced, mismatch.size)
        if case.mismatches <= 1:
            yield self._conflict(case, case.ledger.proven)

    def _contradicted(self, case: Case, found: Contradiction, now: float) -> Iterator[Happening]:
        if found.proven is not None:
            yield from self._proven(case, found.proven, now)
        if case.news("contradiction"):
            self._archive.keep_contradiction(*case.log, found)
            yield Fault(case.log, Alarm.CONTRADICTION, {"size": str(found.size)})

    def _follows(self, case: Case, proven: Proven) -> Iterator[Happening]:
        """A first record tells which log it follows: compare it with what we have of this device."""
        if proven.first != 0 or not proven.records:
            return
        others = (other.ledger for other in self._cases.values() if other.log.device == case.log.device)
        before = [ledger for ledger in others if ledger.incarnation != case.log.incarnation and ledger.proven]
        named = (_read(proven.records[0]) or {}).get("prev")
        if before and (reason := unfollowed(before[-1], named, proven.trusted)):
            yield Fault(case.log, Alarm.NEW_LOG, {"reason": reason})

    # ------------------------------------------------------------ small things

    def _case(self, log: Log) -> Case:
        case = self._cases.get(log)
        if case is None:
            case = self._cases[log] = Case(log)
        return case

    def _keys(self, device: str) -> Keys:
        return lambda origin, signatures, opening: self._keyring.key_for(device, origin, signatures, opening)

    def _conflict(self, case: Case, size: int) -> Reply:
        return Reply(topics.cosignature(*case.log), f"{CONFLICT} {size}\n".encode())

    def _cosignature(self, text: str, now: float) -> bytes:
        return b"" if self._cosigner is None else self._cosigner.line(text, int(now)).encode()


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = decode(raw)
    except EntryError:
        return None
    return entry
