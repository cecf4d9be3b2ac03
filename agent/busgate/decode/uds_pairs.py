"""Which 11-bit identifier answers which: declared by a profile, or learned from the traffic itself.

Law: doubt means no. A pair is learned only from an answer that exactly one waiting request can have caused; an
answer that several could have caused belongs to none of them, and the next one may tell. Declared pairs always win.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from busgate.decode.uds import Reading
from busgate.decode.uds_names import RESPONSE_PENDING
from busgate.model import DiagnosticKind

Id = TypeVar("Id", bound=Hashable)

MOST_EVIDENCE = 8
"""How often a pair must be contradicted, at most, before another takes its place."""


@dataclass(slots=True)
class _Waiting(Generic[Id]):
    """A request that may still be answered."""

    at: int
    request_id: Id
    reading: Reading


@dataclass(slots=True)
class _Pair(Generic[Id]):
    """A learned pair and how much speaks for it."""

    request_id: Id
    evidence: int = 1


class Pairs(Generic[Id]):
    """Pairs of request and response identifiers.

    `declared` maps response to request identifiers; `functional` are the identifiers that reach every ECU, so that
    anyone may answer them. A request waits for `window_ns` and, from each NRC 78 on, as long again. Memory is bounded
    by `max_ids` identifiers each way.
    """

    def __init__(
        self,
        declared: Mapping[Id, Id] | None = None,
        functional: Iterable[Id] = (),
        *,
        window_ns: int = 5_000_000_000,
        max_ids: int = 256,
    ) -> None:
        self._declared = dict(declared or {})
        self._declared_requests = frozenset(self._declared.values())
        self._functional = frozenset(functional)
        self._window_ns = window_ns
        self._max_ids = max_ids
        self._waiting: dict[Id, _Waiting[Id]] = {}
        self._learned: dict[Id, _Pair[Id]] = {}

    def request(self, at: int, request_id: Id, reading: Reading) -> None:
        """A request was seen; it takes the place of an earlier one on the same identifier."""
        self._waiting.pop(request_id, None)
        if len(self._waiting) >= self._max_ids:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[request_id] = _Waiting(at, request_id, reading)

    def answer(self, at: int, response_id: Id, reading: Reading) -> Id | None:
        """Which request identifier an answer belongs to; None while nobody can tell.

        An ECU that is known is named by its own identifier even where it answers a functional request; one that is
        not is named by the functional identifier it answers.
        """
        matching = [w for w in self._waiting.values() if w.request_id != response_id and self._matches(w, at, reading)]
        request_id = self._declared.get(response_id)
        if request_id is None:
            request_id = self._learn(response_id, matching)
        for waiting in matching:
            if waiting.request_id == request_id:
                self._settle(waiting, at, reading)
        return request_id

    def _learn(self, response_id: Id, matching: list[_Waiting[Id]]) -> Id | None:
        pair = self._learned.get(response_id)
        to_all = [w.request_id for w in matching if w.request_id in self._functional]
        to_one = [w.request_id for w in matching if self._may_pair(w.request_id)]
        if pair is not None:
            if pair.request_id in to_one:
                pair.evidence = min(pair.evidence + 1, MOST_EVIDENCE)
            elif len(to_one) == 1 and not to_all:
                pair.evidence -= 1
            if pair.evidence:
                return pair.request_id
            del self._learned[response_id]
        if to_all:
            return to_all[0] if not to_one and len(to_all) == 1 else None
        free = [each for each in to_one if all(known.request_id != each for known in self._learned.values())]
        candidates = free or to_one
        if len(candidates) != 1:
            return None
        if len(self._learned) >= self._max_ids:
            del self._learned[next(iter(self._learned))]
        self._learned[response_id] = _Pair(candidates[0])
        return candidates[0]

    def _may_pair(self, request_id: Id) -> bool:
        return request_id not in self._functional and request_id not in self._declared_requests

    def _matches(self, waiting: _Waiting[Id], at: int, reading: Reading) -> bool:
        return 0 <= at - waiting.at <= self._window_ns and _echoes(waiting.reading, reading)

    def _settle(self, waiting: _Waiting[Id], at: int, reading: Reading) -> None:
        if reading.nrc == RESPONSE_PENDING:
            waiting.at = at
        elif waiting.request_id not in self._functional:
            del self._waiting[waiting.request_id]


def _echoes(request: Reading, answer: Reading) -> bool:
    """Whether an answer can be to a request: same service, and every parameter that answers repeat is the same."""
    if request.request_sid != answer.request_sid:
        return False
    if answer.kind is DiagnosticKind.NEGATIVE:
        return True
    if answer.subfunction is not None and answer.subfunction != request.subfunction:
        return False
    if answer.routine is not None and answer.routine != request.routine:
        return False
    if answer.dids and request.dids and answer.dids[0] not in request.dids:
        return False
    return answer.details.get("block") == request.details.get("block")
