"""Every remote function that a signed log or a replay report tells of: the facts of the disclosure report.

Law: an entry that lacks fields, or has them of another kind, is read as far as it goes; nothing raises on its content.
Rows are bounded (5,000 functions); what is beyond is counted. What is listed was seen; what is not listed may exist.

Entries read: `alert` with `alert.count`; `function` (what was used how often, of all interfaces, ordinary service too;
the last one of each function in each boot counts); `grant.start` and `grant.end` (by which approval a message passed).
An alert about its sender's conduct names no function of its own unless its message is known by nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from busgate.bridge.countries import Countries
from busgate.model import Act, Endpoint, Reason
from busgate.report.fields import Entry, arguments, part, text, whole
from busgate.service.inventory_entries import (
    ABOUT_SENDERS,
    CLOUD,
    DIAGNOSTIC,
    code,
    codes,
    dated,
    end_of,
    of_alert,
    of_function,
    severity,
)
from busgate.service.remote_function import Identity, Interface, Remote, RemoteFunction, later

MOST = 5000


@dataclass(slots=True)
class Source:
    """Where entries came from, and whether that is as it was signed (None: it bears no signature)."""

    name: str
    origin: str = ""
    records: int = 0
    root: str = ""
    verified: bool | None = None
    fault: str = ""
    test_key: bool = False

    def row(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "name": self.name,
            "origin": self.origin,
            "records": self.records,
            "root": self.root,
            "verified": self.verified,
            "fault": self.fault,
            "test_key": self.test_key,
        }


@dataclass(slots=True)
class Conduct:
    """Messages that were noticed for how they were sent."""

    rule: str
    name: str
    count: int = 0


@dataclass(slots=True)
class _Episode:
    """An alert that counts on."""

    row: RemoteFunction | Conduct
    counted: int
    first: int
    wall: str | None
    action: str


@dataclass(slots=True)
class Inventory:
    """What was seen. `seconds` is how long the recordings are together, by the device's own clock."""

    tables: Countries | None = None
    functions: dict[Identity, RemoteFunction] = field(default_factory=dict)
    conduct: dict[tuple[str, str], Conduct] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    seconds: float = 0.0
    first: str | None = None
    last: str | None = None
    left_out: int = 0

    def add_log(self, source: Source, entries: Iterable[tuple[int, Entry]]) -> None:
        """Take in a log's entries by index."""
        self.sources.append(source)
        reading = _Reading(self, source)
        for index, entry in entries:
            source.records += 1
            reading.take(index, entry)
        self.seconds += reading.seconds()
        reading.finish()
        self._settle()

    def add_replay(self, name: str, report: Mapping[str, Any]) -> None:
        """Take in a report as `busgate replay --report json` prints it."""
        source = Source(name, origin=text(part(report, "log"), "origin"))
        self.sources.append(source)
        reading = _Reading(self, source)
        for kind, key in (("alert", "alerts"), ("function", "functions")):
            rows = report.get(key)
            for entry in rows if isinstance(rows, list) else ():
                if isinstance(entry, Mapping):
                    source.records += 1
                    reading.take(whole(entry, "index") or 0, {**entry, "type": kind, "wall": text(entry, "time")})
        seconds = report.get("seconds")
        self.seconds += float(seconds) if isinstance(seconds, (int, float)) else 0.0
        for edge in ("start", "end"):
            self.widen(dated(text(report, edge)))
        reading.finish()
        self._settle()

    def widen(self, wall: str | None) -> None:
        """Note a moment of the recordings."""
        if wall is not None:
            self.first = wall if self.first is None else min(self.first, wall)
            self.last = wall if self.last is None else max(self.last, wall)

    def row_of(self, identity: Identity) -> RemoteFunction | None:
        """The row of a function, a new one where it is the first time; None where there are too many."""
        row = self.functions.get(identity)
        if row is None and len(self.functions) >= MOST:
            self.left_out += 1
            return None
        if row is None:
            row = self.functions[identity] = RemoteFunction(identity)
        return row

    def noticed(self, rule: str, name: str) -> Conduct | None:
        """The row of a message's conduct."""
        if (rule, name) not in self.conduct and len(self.conduct) >= MOST:
            return None
        return self.conduct.setdefault((rule, name), Conduct(rule, name))

    def _settle(self) -> None:
        """Drop what is known only beside: an alert about a sender, or about a command that has an entry of its own."""
        sure = {(row.identity.interface is Interface.CAN, row.identity.name): row for row in self._rows() if row.sure}
        for row in self._rows():
            known = sure.get((row.identity.interface is Interface.CAN, row.identity.name))
            if not row.sure and known is not None:
                del self.functions[row.identity]
                known.severity = max(known.severity, row.severity)
                for example in row.examples:
                    known.told_in("", example)

    def _rows(self) -> list[RemoteFunction]:
        return list(self.functions.values())


class _Reading:
    """One source being read: the episodes that still count, the grants in force, how long each boot lasted."""

    def __init__(self, inventory: Inventory, source: Source) -> None:
        self._inventory, self._source = inventory, source
        self._episodes: dict[tuple[str, str], list[_Episode]] = {}
        self._grants: dict[str, frozenset[str]] = {}
        self._boots: dict[str, tuple[int, int]] = {}
        self._functions: dict[tuple[object, ...], tuple[int, Entry, str | None]] = {}
        self._seen: Counter[Identity] = Counter()

    def take(self, index: int, entry: Entry) -> None:
        wall = dated(text(entry, "wall"))
        self._inventory.widen(wall)
        if (mono := whole(entry, "mono")) is not None:
            boot = text(entry, "boot")
            low, high = self._boots.get(boot, (mono, mono))
            self._boots[boot] = (min(low, mono), max(high, mono))
        match text(entry, "type"):
            case "alert":
                self._alert(index, entry, wall)
            case "alert.count":
                self._count(entry)
            case "function":
                key = (text(entry, "boot"), of_function(entry), end_of(entry))
                self._functions[key] = (index, entry, wall)
            case "grant.start":
                rules = entry.get("rules")
                named = rules if isinstance(rules, (list, tuple)) else ()
                self._grants[text(entry, "grant", "?")] = frozenset(str(rule) for rule in named)
            case "grant.end":
                self._grants.pop(text(entry, "grant", "?"), None)
            case _:
                return

    def seconds(self) -> float:
        return sum(high - low for low, high in self._boots.values()) / 1e9

    def _alert(self, index: int, entry: Entry, wall: str | None) -> None:
        rule, action = text(entry, "rule"), text(entry, "action")
        times = max(1, whole(entry, "count") or 1)
        sender = rule.startswith(ABOUT_SENDERS)
        rows: list[RemoteFunction | Conduct] = []
        if sender and (conduct := self._inventory.noticed(rule, text(entry, "name", "?"))) is not None:
            conduct.count += times
            rows.append(conduct)
        known = not sender or rule.startswith("conduct.")
        if known and (row := self._inventory.row_of(of_alert(entry, rule))) is not None:
            self._told(row, index, entry)
            row.see(wall, action, text(entry, "reason"), times)
            self._seen[row.identity] += times
            row.sure = row.sure or not (sender or rule.startswith(CLOUD))
            row.diagnostic = row.diagnostic or rule.startswith(DIAGNOSTIC)
            row.codes |= codes(entry, rule)
            if text(entry, "reason") == Reason.GRANTED:
                row.grants |= self._granted(text(entry, "allow_rule"))
            rows.append(row)
        key = (text(entry, "cause"), text(entry, "at"))
        first = whole(entry, "at") or 0
        self._episodes[key] = [_Episode(row, times, first, wall, action) for row in rows]

    def _count(self, entry: Entry) -> None:
        total, last = whole(entry, "count") or 0, whole(entry, "last")
        for episode in self._episodes.get((text(entry, "cause"), text(entry, "first")), ()):
            new = max(0, total - episode.counted)
            episode.counted += new
            if isinstance(episode.row, Conduct):
                episode.row.count += new
            else:
                wall = episode.wall if last is None else later(episode.wall, max(0, last - episode.first))
                episode.row.more(new, wall, episode.action)
                self._seen[episode.row.identity] += new

    def finish(self) -> None:
        """The end of the source: what was used, as far as its alerts have not told it already."""
        for index, entry, wall in self._functions.values():
            identity = of_function(entry)
            if identity.interface is Interface.CAN and identity.protocol == "uds" and identity.act is not Act.READ:
                continue  # its alerts tell each identifier apart
            row = self._inventory.row_of(identity)
            if row is not None:
                self._used(row, index, entry, wall)

    def _used(self, row: RemoteFunction, index: int, entry: Entry, wall: str | None) -> None:
        self._told(row, index, entry)
        new = (whole(entry, "count") or 0) - self._seen[row.identity]
        passed, blocked = whole(entry, "passed") or 0, whole(entry, "blocked") or 0
        if self._seen[row.identity]:
            row.more(max(0, new), wall, "")
        else:
            ago = (whole(entry, "first") or 0) - (whole(entry, "at") or 0)
            stopped = "would_block" if entry.get("watched") is True else "block"
            for action, times in (("pass", passed), (stopped, blocked)):
                if times:
                    row.see(later(wall, ago), action, "", times)
            row.moved(wall)
        row.sure = True
        row.diagnostic = row.diagnostic or row.identity.protocol in {"uds", "doip"}
        if number := code(entry.get("code")):
            row.codes.add(number)
        if grant := text(entry, "grant"):
            row.grants.add(grant)
        if row.identity.interface is not Interface.CAN:
            row.came_from(self._remote(entry))

    def _remote(self, entry: Entry) -> Remote:
        address, port = end_of(entry)
        country = text(entry, "country").upper()
        if not country and self._inventory.tables is not None:
            country = self._inventory.tables.country(address)
        return Remote(str(Endpoint(address, port)), text(entry, "host"), country)

    def _told(self, row: RemoteFunction, index: int, entry: Entry) -> None:
        row.severity = max(row.severity, severity(entry))
        if provenance := text(entry, "provenance"):
            row.provenances.add(provenance)
        row.told_in(f"{self._source.name}#{index}", arguments(entry, "en"))

    def _granted(self, rule: str) -> set[str]:
        return {grant for grant, rules in self._grants.items() if rule in rules} or {"?"}
