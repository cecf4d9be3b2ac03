"""`busgate blocked`: what a gate stopped, or in monitor mode would have stopped, from its log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from busgate.record.entry import EntryError, decode
from busgate.record.evidence import open_evidence
from busgate.record.found import Evidence, EvidenceError
from busgate.report.words import printable
from busgate.service.remote_function import later

_LONGEST = 4000
_SAME = ("action", "name", "reason", "allow_rule", "rule")
_TOLD = (*_SAME, "source", "target", "severity", "detail", "frame")
_STOPPED = {"block": "blocked", "would_block": "would have been blocked"}


@click.command(
    epilog="""\b
Examples:
  busgate blocked --log busgate-log
  busgate blocked --log incident.zip --json

\b
Exit codes: 0 nothing was or would have been blocked; 1 something; 2 there is no log."""
)
@click.option("--log", "log", type=click.Path(path_type=Path), default=Path("busgate-log"), show_default=True,
              help="Folder of the log, or a bundle; of several logs in a folder, the newest.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, log: Path, as_json: bool) -> None:
    """Say what was blocked, or in monitor mode would have been: each kind once, the most frequent first.

    Run this over a week of monitor mode before you write enforce. Whether the log is true says `busgate verify`.
    """
    with open_evidence(log) as logs:
        rows = _rows(logs[-1])
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo("\n".join(printable(line, _LONGEST) for line in _told(rows)))
    if rows:
        raise SystemExit(1)


class _Episode(NamedTuple):
    """An alert that counts on: its row, how many it stood for so far, when it began (ns and wall time)."""

    row: dict[str, Any]
    counted: int
    first: int
    wall: str | None


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    """What was stopped, one row a kind of command, reason and rule."""
    kinds: dict[tuple[str, ...], dict[str, Any]] = {}
    episodes: dict[tuple[object, object], _Episode] = {}
    for entry in _entries(evidence):
        if entry["type"] == "alert" and entry["action"] in _STOPPED:
            key = (*(str(entry[field]) for field in _SAME), json.dumps(entry["target"], sort_keys=True))
            row = kinds.setdefault(key, {name: entry[name] for name in _TOLD} | {"count": 0, "first": entry["wall"]})
            row["count"] += 1
            row["last"] = entry["wall"]
            row.setdefault("records", []).append(entry["seq"])
            episodes[entry["cause"], entry["at"]] = _Episode(row, 1, int(entry["at"]), entry["wall"])
        elif entry["type"] == "alert.count" and (known := episodes.get((entry["cause"], entry["first"]))) is not None:
            known.row["count"] += entry["count"] - known.counted
            last = later(known.wall, int(entry["last"]) - known.first)
            if last is not None:  # a recording that counts from its own start has no wall clock
                known.row["last"] = max(known.row["last"] or last, last)
            episodes[entry["cause"], entry["first"]] = known._replace(counted=entry["count"])
    return sorted(kinds.values(), key=lambda row: -int(row["count"]))


def _entries(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for row in evidence.rows():
        try:
            yield decode(row.raw)
        except EntryError as fault:
            raise EvidenceError(
                f"record {row.index} cannot be read: {fault}. Next: busgate verify {evidence.name}"
            ) from None


def _told(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "nothing was blocked, and in monitor mode nothing would have been"
        return
    for action, words in _STOPPED.items():
        of_it = [row for row in rows if row["action"] == action]
        if not of_it:
            continue
        yield f"{sum(row['count'] for row in of_it)} messages of {len(of_it)} kinds {words}:"
        for row in of_it:
            what = f"{row['name']} to {_who(row['target'])}, e.g. {row['frame']}"
            yield f"  {row['count']:>6} x {row['severity']:<8} {what}"
            rule = f" (rule {row['allow_rule']})" if row["allow_rule"] else ""
            yield f"           {row['reason']}{rule}" + (f": {row['detail']}" if row["detail"] else "")
            when = f"{row['first']} to {row['last']}" if row["first"] else "no clock was known"
            yield f"           {when}, first in record {row['records'][0]}"


def _who(party: dict[str, Any]) -> str:
    address = party.get("address")
    if address is None:
        return party.get("name") or "unknown"
    return f"{party.get('name')} (0x{address:02X})" if party.get("name") else f"0x{address:02X}"
