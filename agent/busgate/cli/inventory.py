"""`busgate inventory`: the disclosure report: what was seen that acts from afar, beside what the vendor declares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from busgate.bridge.countries import Countries
from busgate.cli.inventory_text import as_text
from busgate.model import BusgateError
from busgate.record.entry import EntryError, decode
from busgate.record.evidence import open_evidence
from busgate.record.finding import Report
from busgate.record.found import Evidence, EvidenceError
from busgate.record.verify import verify
from busgate.report.words import Language
from busgate.service.declaration import Declaration, load_text
from busgate.service.inventory import Inventory, Source
from busgate.service.inventory_page import page
from busgate.service.inventory_report import report_of, undeclared
from busgate.trust.keys import load_verifier
from busgate.trust.note import Verifier

_LARGEST = 1 << 30


@click.command(
    epilog="""\b
Examples:
  busgate inventory busgate-log
  busgate inventory busgate-log --declaration vendor.yaml --report html --lang nl -o report.html
  busgate inventory busgate-log --declaration vendor.yaml --public --report html -o public.html
  busgate inventory day.json --countries GeoLite2-Country.mmdb --report json

\b
Exit codes: 0 told, and nothing undeclared was found; 1 told, and a function was seen that is not declared,
or a log is not as it was signed; 2 it could not be done as asked."""
)
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1)
@click.option("--declaration", type=click.Path(path_type=Path), help="What the vendor declares (docs/inventory.md).")
@click.option("--countries", type=click.Path(path_type=Path), multiple=True,
              help="A table of countries (MMDB), for endpoints whose country the log does not say.")  # fmt: skip
@click.option("--vkey", metavar="FILE|TEXT", help="The device's public key, from its owner and not from the log.")
@click.option("--report", "style", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("--lang", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="Language.")
@click.option("--public", is_flag=True, help="Without VIN, SIM and telephone numbers, addresses, places.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the report goes. Default: the screen.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
def command(  # noqa: PLR0913 - an option each
    *,
    sources: tuple[Path, ...],
    declaration: Path | None,
    countries: tuple[Path, ...],
    vkey: str | None,
    style: str,
    lang: Language,
    public: bool,
    out: Path | None,
    force: bool,
) -> None:
    """List every remote function that was seen, and compare it with what the vendor declares.

    SOURCES are logs (a folder or a bundle) and reports of `busgate replay --report json`; default: busgate-log.
    """
    if out is not None and out.exists() and not force:
        raise BusgateError(f"{out} is there already. Next: --force, or another name")
    key = load_verifier(vkey) if vkey is not None else None
    declared = None if declaration is None else _declared(declaration)
    inventory = Inventory(tables=Countries.open(*countries) if countries else None)
    for source in sources or (Path("busgate-log"),):
        _add(inventory, source, key)
    made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    report = report_of(inventory, declared, made=made, public=public)
    told = _rendered(report, style, lang)
    if out is None:
        click.echo(told)
    else:
        out.write_text(f"{told}\n" if not told.endswith("\n") else told, encoding="utf-8")
    if undeclared(report) or any(source.verified is False for source in inventory.sources):
        raise SystemExit(1)


def _rendered(report: dict[str, Any], style: str, lang: Language) -> str:
    match style:
        case "json":
            return json.dumps(report, indent=2)
        case "html":
            return page(report, lang)
        case _:
            return as_text(report, lang)


def _declared(path: Path) -> Declaration:
    try:
        return load_text(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError:
        raise BusgateError(f"{path}: this is no text in UTF-8. Next: name the declaration's YAML file") from None


def _add(inventory: Inventory, path: Path, key: Verifier | None) -> None:
    """A log where it is one, else a replay report."""
    if path.is_dir() or not path.exists() or path.suffix == ".zip":
        checked = verify(path, vkey=key).reports
        with open_evidence(path) as logs:
            for evidence, report in zip(logs, checked, strict=True):
                inventory.add_log(_source(evidence, report), _entries(evidence))
        return
    inventory.add_replay(path.name, _replay(path))


def _source(evidence: Evidence, report: Report) -> Source:
    told = report.plain
    fault = "" if report.fault is None else f"{report.fault.message}. Next: {report.fault.next}"
    return Source(Path(evidence.name).name, report.origin, 0, told["root"], report.ok, fault, report.test_key)


def _entries(evidence: Evidence) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in evidence.rows():
        try:
            yield row.index, decode(row.raw)
        except EntryError as fault:
            raise EvidenceError(
                f"record {row.index} cannot be read: {fault}. Next: busgate verify {evidence.name}"
            ) from None


def _replay(path: Path) -> dict[str, Any]:
    wrong = f"{path} is neither a log nor a replay report. Next: busgate replay TRACE --report json > {path.stem}.json"
    if path.stat().st_size > _LARGEST:
        raise BusgateError(wrong)
    try:
        report = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise BusgateError(wrong) from None
    if not isinstance(report, dict) or not isinstance(report.get("alerts"), list):
        raise BusgateError(wrong)
    return report
