"""`busgate explain`: why a verdict fell, in a sentence or three, from the log and from nothing else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from busgate.record.entry import EntryError, decode
from busgate.record.evidence import open_evidence
from busgate.record.finding import Report
from busgate.record.found import Evidence, EvidenceError
from busgate.record.verify import examine
from busgate.report.alert import next_step, sentence, severity, severity_word, why
from busgate.report.fields import text
from busgate.report.words import Language, Words, printable
from busgate.trust.keys import load_verifier

_LONGEST = 4000
_WHY = Words("why", "waarom")
_FIRST = Words("do first", "doe eerst")
_STATE = Words("the vehicle then", "het voertuig toen")
_FACTS = {
    "speed": Words("speed", "snelheid"),
    "park_brake": Words("park brake set", "parkeerrem aan"),
    "ignition": Words("ignition on", "contact aan"),
    "charging": Words("charging", "aan het laden"),
    "doors_open": Words("doors open", "deuren open"),
}
_YES, _NO = Words("yes", "ja"), Words("no", "nee")
_FRAME = Words("the frame", "het frame")
_PROVEN = Words(
    "This is record {index}, proven: it is in the log that was signed at size {size}, root {root}.",
    "Dit is regel {index}, bewezen: hij staat in het logboek dat bij {size} regels is ondertekend, wortel {root}.",
)
_NOT_PROVEN = Words(
    "This is record {index}, NOT PROVEN: {fault}.",
    "Dit is regel {index}, NIET BEWEZEN: {fault}.",
)
_ELSEWHERE = Words(
    "Elsewhere this log is not as it was signed: {fault}.",
    "Elders is dit logboek niet zoals het is ondertekend: {fault}.",
)
_OWN_KEY = Words(
    "The key came with the log; give the device's own with --vkey to know who signed.",
    "De sleutel kwam met het logboek mee; geef die van het apparaat met --vkey om te weten wie ondertekende.",
)
_TEST_KEY = Words(
    "It is signed with the published test key, which proves nothing about who wrote it.",
    "Het is ondertekend met de openbare testsleutel; dat bewijst niet wie het schreef.",
)
_UNSIGNED = Words("no signature covers it", "geen handtekening dekt hem")


@click.command(
    epilog="""\b
Examples:
  busgate explain 17 --log busgate-log
  busgate explain 17 --log incident.zip --vkey bus-0421.key.vkey --lang nl

\b
Exit codes: 0 explained and proven; 1 explained, but the record is not proven;
2 there is no such record, or no log."""
)
@click.argument("index", type=click.IntRange(min=0))
@click.option("--log", "log", type=click.Path(path_type=Path), default=Path("busgate-log"), show_default=True,
              help="Folder of the log, or a bundle; of several logs in a folder, the newest.")  # fmt: skip
@click.option("--vkey", metavar="FILE|TEXT", help="The device's public key, from its owner and not from the log.")
@click.option("--lang", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="Language.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer and the record as JSON.")
def command(*, index: int, log: Path, vkey: str | None, lang: Language, as_json: bool) -> None:
    """Say what record INDEX of a log is about, why the verdict fell, and whether the record is proven."""
    key = load_verifier(vkey) if vkey is not None else None
    with open_evidence(log) as logs:
        evidence = logs[-1]
        entry = _entry(evidence, index)
        report = examine(evidence, key)
    proven = index < report.proven
    if as_json:
        told = {"sentence": sentence(entry, lang), "why": why(entry, lang), "next": next_step(entry, lang)}
        click.echo(
            json.dumps({"index": index, "proven": proven, **told, "entry": entry, "log": report.plain}, indent=2)
        )
    else:
        lines = [*_explained(entry, lang), *_standing(index, report, lang)]
        click.echo("\n".join(printable(line, _LONGEST) for line in lines))
    if not proven:
        raise SystemExit(1)


def _entry(evidence: Evidence, index: int) -> dict[str, Any]:
    size = 0
    for row in evidence.rows():
        if row.index == index:
            return _decoded(row.raw, index, evidence.name)
        size = max(size, row.index + 1)
    held = f"it has records 0 to {size - 1}" if size else "it is empty"
    raise EvidenceError(f"{evidence.name} has no record {index}: {held}. Next: choose one of those")


def _decoded(raw: bytes, index: int, log: str) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = decode(raw)
    except EntryError as fault:
        raise EvidenceError(f"record {index} cannot be read: {fault}. Next: busgate verify {log}") from None
    return entry


def _explained(entry: dict[str, Any], lang: Language) -> list[str]:
    lines = [f"{text(entry, 'wall')}  {severity_word(severity(entry), lang).upper()}  {sentence(entry, lang)}".strip()]
    facts = (
        (_WHY, why(entry, lang)),
        (_STATE, _state(entry, lang)),
        (_FRAME, text(entry, "frame")),
        (_FIRST, next_step(entry, lang)),
    )
    return lines + [f"  {label.in_(lang)}: {fact}" for label, fact in facts if fact]


def _standing(index: int, report: Report, lang: Language) -> list[str]:
    root = base64.b64encode(report.root).decode()
    fault = _UNSIGNED.in_(lang) if report.fault is None else report.fault.message
    if index >= report.proven:
        return [_NOT_PROVEN.in_(lang).format(index=index, fault=fault)]
    lines = [_PROVEN.in_(lang).format(index=index, size=report.size, root=root)]
    if report.fault is not None:
        lines.append(_ELSEWHERE.in_(lang).format(fault=fault))
    if report.test_key:
        lines.append(_TEST_KEY.in_(lang))
    elif not report.given:
        lines.append(_OWN_KEY.in_(lang))
    return lines


def _state(entry: dict[str, Any], lang: Language) -> str:
    """What was known of the vehicle, in words."""
    state = entry.get("state")
    if not isinstance(state, dict):
        return ""
    return ", ".join(f"{_FACTS[name].in_(lang)} {_fact(state[name], lang)}" for name in _FACTS if name in state)


def _fact(value: object, lang: Language) -> str:
    if isinstance(value, bool):
        return (_YES if value else _NO).in_(lang)
    return f"{value:.1f} km/h" if isinstance(value, (int, float)) else str(value)
