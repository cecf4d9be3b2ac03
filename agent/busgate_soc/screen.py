"""What a person at the SOC reads: a block for an alert, a line for everything else, or JSON for a program.

Law: nothing that came off the wire is printed as it is (`report.words.printable`), and every alert says whether it is
proven. The times are the device's own; order is by index.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, assert_never

from rich.console import Console
from rich.text import Text

from busgate.model import Severity
from busgate.report.alert import next_step, sentence, severity, severity_word, why
from busgate.report.fields import text
from busgate.report.words import Language, Words, printable
from busgate_soc import phrases
from busgate_soc.happenings import Asked, Early, Fault, Happening, Log, Presence, Record, Reply, Strange, Verified
from busgate_soc.rows import rows

_STYLES: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_QUIET: Final = frozenset({"heartbeat", "alert.count"})
_HEAD_SECONDS: Final = 5.0
"""How often at most a head gets a line of its own when it proves nothing to show."""


class Screen:
    """Prints what happens, and counts it for the end. `faults` are the alarms so far."""

    def __init__(self, console: Console, language: Language, *, as_json: bool = False) -> None:
        """`console` decides about colours: none where the output is no terminal."""
        self.faults = 0
        self._console = console
        self._language: Language = language
        self._json = as_json
        self._strange = 0
        self._severities: Counter[Severity] = Counter()
        self._heads: dict[Log, Verified] = {}
        self._head_lines: dict[Log, float] = {}

    def say(self, words: str, style: str = "") -> None:
        """A line of our own, which is no news of a device."""
        if self._json:
            self._row({"event": "note", "sentence": words})
        else:
            self._line(words, style)

    def show(self, happening: Happening, now: float) -> None:
        """Show one happening; `now` is in POSIX seconds."""
        self._count(happening)
        if self._json:
            for row in rows(happening, self._language):
                self._row(row)
        else:
            self._print(happening, now)

    def summary(self, sizes: Mapping[Log, tuple[int, int]], unconfirmed: int) -> None:
        """The last lines: what is proven of each log, and what was counted."""
        if self._json:
            self._row(self._totals(sizes, unconfirmed))
            return
        for log, (proven, wanted) in sizes.items():
            self._line(self._log_line(log, proven, wanted))
        by_severity = sorted(self._severities.items(), reverse=True)
        told = self._words(
            phrases.SUMMARY_COUNTS,
            alerts=self._severities.total(),
            severities=", ".join(f"{count} {severity_word(level, self._language)}" for level, count in by_severity)
            or "-",
            faults=self.faults,
            strange=self._strange,
            early=unconfirmed,
        )
        self._line(told if sizes else phrases.SUMMARY_EMPTY.in_(self._language), "bold red" if self.faults else "bold")

    # ------------------------------------------------------------ for people

    def _print(self, happening: Happening, now: float) -> None:
        match happening:
            case Verified():
                self._verified(happening, now)
            case Early():
                where = self._words(phrases.EARLY, index=happening.index)
                self._block(happening.log, happening.entry, where)
            case Fault():
                told = self._words(phrases.ALARMS[happening.alarm], **happening.facts)
                self._line(f"{happening.log.device}  {told}", "bold red")
            case Presence():
                words = phrases.ONLINE if happening.online else phrases.OFFLINE
                told = self._words(words, incarnation=happening.incarnation, size=happening.size)
                self._line(f"{happening.device}  {told}", "dim")
            case Asked():
                last = max(happening.size, happening.wanted - 1)
                self._line(
                    f"{happening.log.device}  {self._words(phrases.ASKED, size=happening.size, last=last)}", "dim"
                )
            case Strange():
                told = self._words(phrases.STRANGE, topic=happening.topic, reason=happening.reason)
                self._line(told, "yellow")
            case Reply():
                return
            case _:
                assert_never(happening)

    def _verified(self, verified: Verified, now: float) -> None:
        log, proven = verified.log, self._proven(verified)
        shown = [record for record in verified.records if text(record.entry or {}, "type") not in _QUIET]
        for record in shown:
            self._record(log, record, proven)
        if shown or now - self._head_lines.get(log, float("-inf")) >= _HEAD_SECONDS:
            self._head_lines[log] = now
            cosigned = phrases.COSIGNED.in_(self._language) if verified.cosigned else ""
            self._line(f"{log.device}  {proven}{cosigned}", "green")

    def _record(self, log: Log, record: Record, proven: str) -> None:
        where = self._words(phrases.RECORD, index=record.index, proven=proven)
        if record.entry is None:
            self._line(f"{log.device}  {phrases.UNREADABLE.in_(self._language)} ({where})", "yellow")
        elif record.early:
            told = self._words(phrases.CONFIRMED, sentence=sentence(record.entry, self._language))
            self._line(f"{log.device}  {told} ({where})", "green")
        else:
            self._block(log, record.entry, where)

    def _block(self, log: Log, entry: Mapping[str, Any], where: str) -> None:
        """An alert: when, which vehicle, how bad, what, why, what to do first, and how sure that is."""
        language, level = self._language, severity(entry)
        time = text(entry, "wall") or phrases.NO_TIME.in_(language)
        line = Text(f"{time}  {log.device}  ")
        line.append(f" {severity_word(level, language).upper()} ", style=_STYLES[level])
        line.append(f"  {sentence(entry, language)}", style="bold" if level >= Severity.HIGH else "")
        self._console.print(line, soft_wrap=True)
        if reason := why(entry, language):
            self._line(f"    {phrases.WHY.in_(language)}: {reason}")
        if (step := next_step(entry, language)) and level > Severity.INFO:
            self._line(f"    {phrases.FIRST.in_(language)}: {step}")
        self._line(f"    {where}", "dim")

    def _log_line(self, log: Log, proven: int, wanted: int) -> str:
        head = self._heads.get(log)
        if head is not None:
            told = self._proven(head)
        else:
            told = self._words(phrases.SUMMARY_KEPT if proven else phrases.SUMMARY_NONE, proven=proven, wanted=wanted)
        if 0 < proven < wanted:
            told += self._words(phrases.SUMMARY_BEHIND, behind=wanted - proven)
        return f"{log.device} {log.incarnation}: {told}"

    def _proven(self, verified: Verified) -> str:
        return self._words(phrases.PROVEN[verified.basis], size=verified.size, root=verified.root.hex()[:16])

    def _words(self, words: Words, **facts: object) -> str:
        return words.in_(self._language).format(**{name: printable(str(fact)) for name, fact in facts.items()})

    def _line(self, words: str, style: str = "") -> None:
        self._console.print(Text(words, style=style), soft_wrap=True)

    # ------------------------------------------------------------ for programs, and counts

    def _row(self, row: dict[str, Any]) -> None:
        # ASCII only, so that no control character reaches a terminal from here either.
        self._console.out(json.dumps(row), highlight=False)

    def _totals(self, sizes: Mapping[Log, tuple[int, int]], unconfirmed: int) -> dict[str, Any]:
        logs = [
            {"device": log.device, "incarnation": log.incarnation, "proven": proven, "wanted": wanted}
            for log, (proven, wanted) in sizes.items()
        ]
        alerts = {level.name.lower(): count for level, count in self._severities.items()}
        counts = {"alerts": alerts, "alarms": self.faults, "malformed": self._strange, "unconfirmed": unconfirmed}
        return {"event": "summary", "logs": logs, **counts}

    def _count(self, happening: Happening) -> None:
        if isinstance(happening, Fault):
            self.faults += 1
        elif isinstance(happening, Strange):
            self._strange += 1
        elif isinstance(happening, Verified):
            self._heads[happening.log] = happening
            entries = (record.entry for record in happening.records if record.entry is not None)
            self._severities.update(severity(entry) for entry in entries if entry.get("type") == "alert")
