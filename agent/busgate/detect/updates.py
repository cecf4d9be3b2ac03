"""Software on its way into the vehicle: the order, the download and the writing, joined into one record.

Law: each of the three begins a record by itself, and joins the one that is open if it comes within `TOGETHER_NS` of its
last sign of life. A record always ends: when the control unit's session ends, in silence, or when there are too many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from busgate.model import DiagnosticSession, Party, Side, UpdateSession, Value

TOGETHER_NS = 1_800_000_000_000
"""How long a download may wait for the ignition before its writing counts as another update: 30 min."""

MOST = 16
NO_APPROVAL = "none"

Snapshot = Callable[[int], Mapping[str, Value]]


class Origin(NamedTuple):
    """Who sent something of an update, and by whose approval; empty without one."""

    source: str
    approval: str = ""


@dataclass(slots=True)
class _Open:
    began: int
    last: int
    state: Mapping[str, Value]
    ordered_by: str = ""
    source: str = ""
    url: str = ""
    loaded: dict[str, int] = field(default_factory=dict)
    sha256: str = ""
    target: Party = field(default_factory=lambda: Party("", None))
    written: int = 0
    before: str = ""
    after: str = ""
    approval: str = NO_APPROVAL
    writing: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether neither an order nor a download is known of it."""
        return not self.ordered_by and not self.loaded


class Updates:
    """The updates of one vehicle that are under way."""

    def __init__(self, snapshot: Snapshot) -> None:
        """`snapshot` tells the vehicle's situation at a time."""
        self._snapshot = snapshot
        self._open: list[_Open] = []
        self._approved: dict[Party, tuple[int, str]] = {}

    def approved(self, at: int, by: str, target: Party) -> None:
        """A grant let the target be written."""
        self._approved = {unit: since for unit, since in self._approved.items() if at - since[0] <= TOGETHER_NS}
        self._approved[target] = at, by
        for update in self._open:
            if update.target == target and at - update.last <= TOGETHER_NS:
                update.approval = by

    def ordered(self, at: int, what: str, origin: Origin) -> tuple[UpdateSession, ...]:
        """Somebody told the T-box to load software; the same order again is no other update."""
        update, told = self._joined(at, lambda each: each.ordered_by == what or each.is_empty, origin.approval)
        update.ordered_by = what
        update.source = update.source or origin.source
        return told(at)

    def loaded(self, at: int, url: str, origin: Origin, size: int, sha256: str) -> tuple[UpdateSession, ...]:
        """So many bytes of a download have come so far; `sha256` is empty until it is whole."""
        update, told = self._joined(
            at, lambda each: url in each.loaded or (not each.loaded and not each.writing), origin.approval
        )
        update.url, update.source = url, origin.source
        update.loaded[url] = size
        update.sha256 = sha256 or update.sha256
        return told(at)

    def piece(self, at: int, url: str, origin: Origin, size: int) -> tuple[UpdateSession, ...]:
        """So many bytes more of software that comes in messages."""
        before = next((each.loaded[url] for each in reversed(self._open) if url in each.loaded), 0)
        return self.loaded(at, url, origin, before + size, "")

    def diagnosed(self, session: DiagnosticSession) -> tuple[UpdateSession, ...]:
        """A diagnostic session of the T-box began, went on or ended."""
        if not session.programming or session.side is Side.VEHICLE:
            return ()
        at = session.at
        since, grant = self._approved.get(session.target, (at, ""))
        approval = grant if at - since <= TOGETHER_NS else ""
        update, told = self._joined(at, lambda each: not each.writing or each.target == session.target, approval)
        update.writing, update.target = True, session.target
        update.written = max(update.written, session.transferred)
        update.before = session.software.get("before", "") or update.before
        update.after = session.software.get("after", "") or update.after
        begun = told(at)
        return (*begun, *self._ended(update, at, session.ended_by or "the session ended")) if _over(session) else begun

    def tick(self, now: int) -> tuple[UpdateSession, ...]:
        """End what fell silent by `now`."""
        quiet = [update for update in self._open if now - update.last > TOGETHER_NS]
        return tuple(event for update in quiet for event in self._ended(update, now, "silence"))

    def finish(self, now: int) -> tuple[UpdateSession, ...]:
        """The end of a recording: what is open is told as it stands."""
        return tuple(event for update in tuple(self._open) for event in self._ended(update, now, "end of recording"))

    def _joined(
        self, at: int, fits: Callable[[_Open], bool], approval: str
    ) -> tuple[_Open, Callable[[int], tuple[UpdateSession, ...]]]:
        """The update that this belongs to, and what is to be told once that is written into it."""
        for update in reversed(self._open):
            if at - update.last <= TOGETHER_NS and fits(update):
                update.last = max(update.last, at)
                update.approval = approval or update.approval
                return update, lambda _: ()
        given_up = self._ended(self._open[0], at, "too many at once") if len(self._open) >= MOST else ()
        update = _Open(at, at, dict(self._snapshot(at)), approval=approval or NO_APPROVAL)
        self._open.append(update)
        return update, lambda now: (*given_up, _event(update, now, "start"))

    def _ended(self, update: _Open, at: int, by: str) -> tuple[UpdateSession, ...]:
        self._open.remove(update)
        return (_event(update, at, "end", by),)


def _over(session: DiagnosticSession) -> bool:
    return session.stage == "end"


def _event(update: _Open, at: int, stage: str, by: str = "") -> UpdateSession:
    return UpdateSession(
        at=at,
        stage=stage,
        began=update.began,
        ordered_by=update.ordered_by,
        source=update.source,
        url=update.url,
        bytes=sum(update.loaded.values()),
        sha256=update.sha256,
        target=update.target,
        written=update.written,
        before=update.before,
        after=update.after,
        state=update.state,
        approval=update.approval,
        ended_by=by,
    )
