"""`busgate replay`: a recorded trace through the gate, and a report of what it found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from busgate.bridge.channels import ALL, SideMap
from busgate.cli.networks import networks
from busgate.cli.replay_report import as_junit, as_text
from busgate.cli.witness_option import witness_option, witnesses_of
from busgate.detect.alerts import written
from busgate.judge.situation import Situation
from busgate.model import Action, BusgateError, Frame, Mode, Outcome, Severity, Unit
from busgate.service import load
from busgate.service.expect import Outcome as Expectation
from busgate.service.expect import Seen, in_junit, in_text, judged, load_expectations
from busgate.service.replay import Job, Result, replay
from busgate.trust.keys import load_signer

SEVERITIES = [severity.name.lower() for severity in Severity]


@click.command(
    epilog="""\b
Examples:
  busgate replay day.log --profile demo-ebus --policy policy.yaml --unsigned --tbox can1 --vehicle can0
  busgate replay one-wire.asc --tap --report json
  busgate replay day.blf --tbox 1 --vehicle 0 --mode enforce --out busgate-log --fail-on critical

\b
Sides: every channel named gets a side; a channel without one is left out and counted. With no side given, every
channel is a tap: one wire on which both sides speak, so who sent a frame is only claimed by its source address.

\b
Exit codes: 0 replayed; 1 replayed, and --fail-on was reached or an
expectation failed; 2 it could not be replayed.""",
)
@click.argument("trace", type=click.Path(path_type=Path), required=False)
@click.option(
    "--profile", default="generic-j1939", show_default=True, help="Vehicle profile: a folder or a shipped name."
)
@click.option(
    "--policy", type=click.Path(path_type=Path), help="The operator's policy; without one nothing is allowed."
)
@click.option("--unsigned", is_flag=True, help="Take a policy or grant that bears no signature.")
@click.option("--operator", metavar="VKEY", help="The operator's public key (text or file) that signed the policy.")
@click.option("--grant", "grants", type=click.Path(path_type=Path), multiple=True, help="A maintenance grant.")
@click.option("--pcap", type=click.Path(path_type=Path), help="The T-box's IP traffic of the same time (pcap, pcapng).")
@click.option("--tbox-address", "addresses", multiple=True, metavar="NETWORK",
              help="The T-box's own IP addresses; without them its end is guessed.")  # fmt: skip
@click.option("--countries", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="A table of countries and networks (MMDB).")  # fmt: skip
@click.option("--tbox", multiple=True, metavar="CHANNEL", help="A channel on the T-box's side ('all' for every one).")
@click.option("--vehicle", multiple=True, metavar="CHANNEL", help="A channel on the vehicle's side.")
@click.option(
    "--tap", multiple=True, metavar="[CHANNEL]", is_flag=False, flag_value=ALL, help="A channel that both sides share."
)
@click.option(
    "--mode", type=click.Choice([mode.value for mode in Mode]), default=None,
    help="What the gate does with its verdicts. Default: the policy's own mode, else monitor.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="Folder to keep the signed log in; else it is not kept.")
@click.option(
    "--key", type=click.Path(path_type=Path), help="Device key that signs the log; else a published test key."
)
@click.option("--device", default="replay", show_default=True, help="The vehicle's name in log and topics.")
@click.option("--mqtt", metavar="URL", help="Publish to this broker, e.g. mqtt://localhost:1883.")
@witness_option
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, help="1.0 plays in real time; 0 does not wait.")
@click.option("--report", "style", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice(["never", *SEVERITIES]), default="never", show_default=True,
              help="Exit with 1 when an alert is at least this severe.")  # fmt: skip
@click.option("--expect", type=click.Path(path_type=Path), help="File of what has to be found, blocked and passed; "
              "with --report junit, each is a case.")  # fmt: skip
def command(  # noqa: PLR0913 - one parameter an option
    *,
    trace: Path | None,
    profile: str,
    policy: Path | None,
    unsigned: bool,
    operator: str | None,
    grants: tuple[Path, ...],
    pcap: Path | None,
    addresses: tuple[str, ...],
    countries: tuple[Path, ...],
    tbox: tuple[str, ...],
    vehicle: tuple[str, ...],
    tap: tuple[str, ...],
    mode: str | None,
    out: Path | None,
    key: Path | None,
    device: str,
    mqtt: str | None,
    witnesses: tuple[str, ...],
    speed: float,
    style: str,
    fail_on: str,
    expect: Path | None,
) -> None:
    """Run a recorded trace through the gate and report its verdicts.

    TRACE is any recording python-can reads (.log .asc .blf .trc .mf4, each also .gz) or a pcap/pcapng file. With --pcap
    beside it, messages over the air are joined to the frames that they led to; alone, --pcap replays the air side.
    """
    if trace is None and pcap is not None and not tap:
        trace, pcap, tap = pcap, None, (ALL,)  # the air side alone
    trace, tap = _untangled(trace, tap)
    networks(addresses)
    adopted = load.policy(policy, operator=operator, unsigned=unsigned) if policy is not None else None
    expected = None if expect is None else load_expectations(expect)
    seen: list[Seen] = []
    job = Job(
        trace=trace,
        sides=SideMap(tbox, vehicle, tap),
        vehicle=load.vehicle(profile),
        mode=_mode(mode, adopted),
        policy=adopted,
        grants=tuple(load.grant(path, operator=operator, unsigned=unsigned) for path in grants),
        pcap=pcap,
        addresses=addresses,
        countries=countries,
        out=out,
        signer=load_signer(key) if key is not None else None,
        device=device,
        speed=speed,
        mqtt=mqtt,
        witnesses=witnesses_of(witnesses, mqtt),
        watcher=None if expected is None or not expected.about_frames else lambda *each: seen.extend(_seen(*each)),
    )
    result = replay(job)
    outcomes = [] if expected is None else judged(expected, result.findings.alert_rows(), seen)
    click.echo(_rendered(style, result, outcomes))
    if result.delivered is False:
        missing = (
            "not everything was cosigned by a witness" if witnesses else f"the broker at {mqtt} did not take it all"
        )
        click.echo(f"busgate: {missing} in time; the log has everything", err=True)
    if fail_on != "never" and any(alert.severity >= Severity[fail_on.upper()] for _, alert in result.findings.alerts):
        raise SystemExit(1)
    if any(outcome.fault for outcome in outcomes):
        raise SystemExit(1)


def _seen(unit: Unit, outcome: Outcome, _: Situation) -> Iterator[Seen]:
    """A frame with its verdict; in a replay its channel is its side."""
    if isinstance(unit, Frame):
        yield Seen(unit.side.value, written(unit), outcome.verdict.action is Action.PASS)


def _rendered(style: str, result: Result, outcomes: list[Expectation]) -> str:
    match style:
        case "json":
            told = {"expectations": [each._asdict() for each in outcomes]} if outcomes else {}
            return json.dumps(result.report | told, indent=2)
        case "junit" if outcomes:
            return in_junit(outcomes, f"busgate replay {result.report['trace']}", result.report["seconds"])
        case "junit":
            return as_junit(result.report)
        case _ if outcomes:
            return f"{as_text(result.report)}\n\n{len(outcomes)} expectations:\n{in_text(outcomes)}"
        case _:
            return as_text(result.report)


def _untangled(trace: Path | None, tap: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """`--tap FILE` reads as a channel's name: if that is a file and no other trace was given, the trace is meant."""
    if trace is not None:
        return trace, tap
    if tap and Path(tap[-1]).exists():
        return Path(tap[-1]), (*tap[:-1], ALL)
    raise BusgateError("no trace was given. Next: busgate replay TRACE …, for example a candump .log file")


def _mode(asked: str | None, adopted: load.Adopted | None) -> Mode:
    if asked is not None:
        return Mode(asked)
    own = adopted.policy.mode if adopted is not None else None
    return Mode(own) if own is not None else Mode.MONITOR
