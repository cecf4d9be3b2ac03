"""`busgate verify`: whether a log is what its device signed, and the first record that is not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import click

from busgate.record.evidence import open_evidence, write_bundle
from busgate.record.finding import Report, records
from busgate.record.verify import verify
from busgate.report.words import printable


@click.command(
    epilog="""\b
Examples:
  busgate verify busgate-log
  busgate verify busgate-log --vkey bus-0421.key.vkey
  busgate verify busgate-log --vkey bus-0421.key.vkey --bundle incident.zip
  busgate verify incident.zip --vkey 'bus-0421+4f2a9c10+AT…' --json

\b
Exit codes: 0 verified; 1 not verified; 2 there is no log, or an option is wrong.""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--vkey", metavar="FILE|TEXT", help="The device's public key, from its owner and not from the log.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Once verified, write the log into this one file.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(*, path: Path, vkey: str | None, bundle: Path | None, as_json: bool) -> None:
    """Check a log or a bundle, and name the first bad record.

    PATH is the folder of a log, or a bundle made of one. Nothing in it is changed.
    """
    result = verify(path, vkey=vkey)
    if as_json:
        click.echo(json.dumps({"verified": result.ok, "logs": [r.plain for r in result.reports]}, indent=2))
    else:
        click.echo("\n\n".join(_told(report) for report in result.reports))
    if not result.ok:
        if bundle is not None:
            click.echo(f"busgate: {bundle} was not written, since the log is not verified", err=True)
        raise SystemExit(1)
    if bundle is not None:
        with open_evidence(path) as logs:
            write_bundle(logs[-1], bundle)
        click.echo(f"busgate: wrote {bundle}, the log {result.reports[-1].origin}", err=True)


def _told(report: Report) -> str:
    lines = [f"{report.name}: {'verified' if report.ok else 'NOT VERIFIED'}"]
    if report.fault is not None:
        lines += [f"  {report.fault.message}.", f"  Next: {report.fault.next}.", ""]
    if report.checkpoints:
        lines.append(f"  origin       {report.origin}")
        lines.append(f"  signed       {records(report.size)}, by {_checkpoints(report.checkpoints)}")
        lines.append(f"  root         {base64.b64encode(report.root).decode()}")
    if report.fault is not None and report.checkpoints:
        lines.append(f"  proven       {_proven(report.proven)}")
    if report.key is not None:
        lines.append(f"  key          {report.key.text}")
        lines += [f"               {line}" for line in _about_key(report)]
    return "\n".join(printable(line, 4000) for line in lines)


def _checkpoints(count: int) -> str:
    return "1 checkpoint" if count == 1 else f"{count} checkpoints"


def _proven(count: int) -> str:
    return "no record" if count == 0 else "record 0" if count == 1 else f"records 0 to {count - 1}"


def _about_key(report: Report) -> list[str]:
    if report.test_key:
        return ["This is the published test key, which everybody has: it proves nothing about who wrote the log."]
    if report.given:
        return ["This is the key you gave."]
    return [
        "This key came with the log, so it only shows that the log fits together, not who wrote it.",
        "Next: get the device's key from its owner and give it with --vkey.",
    ]
