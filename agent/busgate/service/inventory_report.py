"""The disclosure report as plain values, whole or for the public: what JSON prints, and what page and text are made of.

Law: the public form is built from a list of fields that may be shown, never by taking away from the whole one. What
remains of free text passes `inventory_public.scrubbed`. It names days, not moments; remote ends only by country, and by
name where the vendor declared that name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from busgate.detect.rules import RULES
from busgate.model import Reason
from busgate.report.words import ACTIONS
from busgate.service.declaration import Comparison, Declaration, DeclaredFunction, Departure, Deviation, compare
from busgate.service.inventory import Inventory
from busgate.service.inventory_public import hosts_of, named_by, scrubbed
from busgate.service.remote_function import Interface, Kind, RemoteFunction

FORM = "busgate-inventory/1"
_ORDER = (Kind.CONTROL, Kind.UPDATE, Kind.CONFIGURATION, Kind.DIAGNOSTICS, Kind.TRAFFIC)
_REASONS = frozenset(Reason)
_OPEN = ("interface", "kind", "subsystem", "act", "direction", "count", "provenance", "severity")


def report_of(inventory: Inventory, declaration: Declaration | None, *, made: str, public: bool) -> dict[str, Any]:
    """The report; `made` is when, RFC 3339."""
    rows = sorted(inventory.functions.values(), key=_place)
    compared = Comparison({}, (), ()) if declaration is None else compare(declaration, rows)
    hosts = frozenset() if declaration is None else hosts_of(declaration)
    numbers = {row.identity: number for number, row in enumerate(rows)}
    shown = [_row(row, hosts) if public else row.row() for row in rows]
    for number, (row, plain) in enumerate(zip(rows, shown, strict=True)):
        plain["granted"] = bool(row.grants)
        index = compared.covered.get(number)
        plain["declared"] = (
            None if index is None or declaration is None else _title(declaration.functions[index], hosts, public)
        )
        plain["findings"] = list(dict.fromkeys(each.kind.value for each in compared.departures if each.seen is row))
    return {
        "form": FORM,
        "made": made[:10] if public else made,
        "public": public,
        "period": {edge: _when(wall, public) for edge, wall in (("first", inventory.first), ("last", inventory.last))},
        "seconds": round(inventory.seconds) if public else round(inventory.seconds, 3),
        "interfaces": {each.value: sum(row.identity.interface is each for row in rows) for each in Interface},
        "left_out": inventory.left_out,
        "sources": [_source(source.row(), public) for source in inventory.sources],
        "declaration": None if declaration is None else _declaration(declaration, hosts, public),
        "functions": shown,
        "conduct": [
            {"rule": each.rule, "name": scrubbed(each.name, hosts) if public else each.name, "count": each.count}
            for each in inventory.conduct.values()
            if not public or each.rule in RULES
        ],
        "findings": [_finding(each, numbers, hosts, public) for each in compared.departures],
        "not_observed": [_declared(each, hosts, public) for each in compared.not_observed],
    }


def undeclared(report: Mapping[str, Any]) -> int:
    """How many functions were seen and not declared."""
    return sum(each["finding"] == Deviation.FUNCTION.value for each in report["findings"])


def _place(row: RemoteFunction) -> tuple[Any, ...]:
    name = row.identity
    return (list(Interface).index(name.interface), _ORDER.index(row.kind), -row.severity, *name[1:])


def _row(row: RemoteFunction, hosts: frozenset[str]) -> dict[str, Any]:
    """A function as the public may see it."""
    whole = row.row()
    remotes: Counter[tuple[str, str]] = Counter()
    for remote, count in row.remotes.items():
        country = remote.country if re.fullmatch(r"[A-Z]{2}", remote.country) else ""
        remotes[named_by(hosts, remote.host), country] += count
    return {name: whole[name] for name in _OPEN} | {
        "provenance": [each for each in whole["provenance"] if each in {"physical", "claimed"}],
        "name": scrubbed(whole["name"], hosts),
        "protocol": scrubbed(whole["protocol"], hosts),
        "codes": [code for code in whole["codes"] if re.fullmatch(r"0x[0-9A-Fa-f]{1,8}", code)],
        "target": scrubbed(whole["target"], hosts),
        "remotes": [
            {"host": host, "country": country, "count": count} for (host, country), count in remotes.most_common()
        ],
        "countries": sorted({country for _, country in remotes if country}),
        "first": _when(row.first, public=True),
        "last": _when(row.last, public=True),
        "verdicts": {name: count for name, count in whole["verdicts"].items() if name in ACTIONS},
        "reasons": {name: count for name, count in whole["reasons"].items() if name in _REASONS},
    }


def _when(wall: str | None, public: bool) -> str | None:
    return wall[:10] if wall is not None and public else wall


def _source(row: Mapping[str, Any], public: bool) -> dict[str, Any]:
    return {name: row[name] for name in ("records", "root", "verified", "test_key")} if public else dict(row)


def _declaration(declaration: Declaration, hosts: frozenset[str], public: bool) -> dict[str, Any]:
    texts = {"declaration": declaration.declaration, "vendor": declaration.vendor, "vehicle": declaration.vehicle}
    shown = {name: scrubbed(text, hosts) for name, text in texts.items()} if public else texts
    return shown | {
        "version": declaration.version,
        "date": declaration.date.isoformat(),
        "functions": len(declaration.functions),
    }


def _title(declared: DeclaredFunction, hosts: frozenset[str], public: bool) -> str:
    return scrubbed(declared.title, hosts) if public else declared.title


def _declared(each: DeclaredFunction, hosts: frozenset[str], public: bool) -> dict[str, Any]:
    plain = {
        "title": each.title,
        "protocol": each.protocol,
        "target": each.target,
        "purpose": each.purpose,
    }
    ends: Sequence[str] = each.endpoints
    if public:
        plain = {name: scrubbed(text, hosts) for name, text in plain.items()}
        ends = [
            host for end in ends if (host := named_by(hosts, end.rpartition(":")[0] or end) or named_by(hosts, end))
        ]
    return plain | {
        "interface": [interface.value for interface in each.interface],
        "subsystem": None if each.subsystem is None else each.subsystem.value,
        "act": [act.value for act in each.act],
        "endpoints": list(ends),
        "countries": list(each.countries),
    }


def _finding(each: Departure, numbers: Mapping[Any, int], hosts: frozenset[str], public: bool) -> dict[str, Any]:
    """One deviation; `function` is its row's number, `detail` where it came from or what a near match differs in."""
    detail = "" if public and each.kind is Deviation.ENDPOINT else each.detail
    name = each.seen.identity.name
    return {
        "finding": each.kind.value,
        "function": numbers[each.seen.identity],
        "interface": each.seen.identity.interface.value,
        "name": scrubbed(name, hosts) if public else name,
        "detail": scrubbed(detail, hosts) if public else detail,
    }
