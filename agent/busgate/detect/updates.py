"""Software on its way into the vehicle: the order, the download and the writing, joined into one record.

Law: each of the three begins a record by itself, and joins the one that is open if it comes within `TOGETHER_NS` of its
last sign of life. A record always ends: when the control unit's session ends, or in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from busgate.model import DiagnosticSession, Party, Side, UpdateSession, Value

TOGETHER_NS = 1_800_000_000_000
"""How long a download may wait for the ignition before its writing counts as another update: 30 min."""

MOST = 16
NO_APPROVAL = "none"

Snapshot = Callable[[int], Mapping[str, Value]]


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


class Updates:
    """The updates of one vehicle that are under way."""

    def __init__(self, snapshot: Snapshot) -> None:
        """`snapshot` tells the vehicle's situation at a time."""
        self._snapshot = snapshot
        self._open: list[_Open] = []
        self._approval: tuple[int, str] | None = None

    def approved(self, at: int, by: str) -> None:
        """A grant let something of an update pass."""
        self._approval = at, by
        for update in self._open:
            if at - update.last <= TOGETHER_NS:
                update.approval = by

    def ordered(self, at: int, what: str, source: str) -> tuple[UpdateSession, ...]:
        """Somebody told the T-box to load software."""
        update, news = self._joined(at, lambda each: not each.ordered_by and not each.loaded)
        update.ordered_by = what
        update.source = update.source or source
        return self._started(update, at, news=news)

    def loaded(self, at: int, url: str, source: str, size: int, sha256: str) -> tuple[UpdateSession, ...]:
        """So many bytes of a download have come so far; `sha256` is empty until it is whole."""
        update, news = self._joined(at, lambda each: url in each.loaded or (not each.loaded and not each.writing))
        update.url, update.source = url, source
        update.loaded[url] = size
        update.sha256 = sha256 or update.sha256
        return self._started(update, at, news=news)

    def diagnosed(self, session: DiagnosticSession) -> tuple[UpdateSession, ...]:
        """A diagnostic session of the T-box began, went on or ended."""
        if not session.programming or session.side is Side.VEHICLE:
            return ()
        at = session.at
        update, news = self._joined(at, lambda each: not each.writing or each.target == session.target)
        update.writing, update.target = True, session.target
        update.written = max(update.written, session.transferred)
        update.before = session.software.get("before", "") or update.before
        update.after = session.software.get("after", "") or update.after
        told = self._started(update, at, news=news)
        return (*told, *self._ended(update, at, session.ended_by or "the session ended")) if _over(session) else told

    def tick(self, now: int) -> tuple[UpdateSession, ...]:
        """End what fell silent by `now`."""
        quiet = [update for update in self._open if now - update.last > TOGETHER_NS]
        return tuple(event for update in quiet for event in self._ended(update, now, "silence"))

    def finish(self, now: int) -> tuple[UpdateSession, ...]:
        """The end of a recording: what is open is told as it stands."""
        return tuple(event for update in tuple(self._open) for event in self._ended(update, now, "end of recording"))

    def _joined(self, at: int, fits: Callable[[_Open], bool]) -> tuple[_Open, bool]:
        """The update that this belongs to, and whether it is a new one."""
        for update in reversed(self._open):
            if at - update.last <= TOGETHER_NS and fits(update):
                update.last = max(update.last, at)
                return update, False
        if len(self._open) >= MOST:
            self._open.pop(0)
        update = _Open(at, at, dict(self._snapshot(at)))
        if self._approval is not None and at - self._approval[0] <= TOGETHER_NS:
            update.approval = self._approval[1]
        self._open.append(update)
        return update, True

    def _started(self, update: _Open, at: int, *, news: bool) -> tuple[UpdateSession, ...]:
        return (_event(update, at, "start"),) if news else ()

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
