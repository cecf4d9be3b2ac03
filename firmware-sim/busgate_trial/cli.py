"""`busgate-sim`: the simulated bus on a desk, alone or with the gate in line.

Law: a user's mistake is one line with the next step. Exit codes: 0 done; 1 done, and something is not as its labels
say; 2 it could not be done as asked.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from busgate.model import Alert, BusgateError, Mode, Side
from busgate_sim.body import BusBody
from busgate_sim.ecu.sensed import Sensed
from busgate_sim.scenario import Scenario, find, library
from busgate_sim.splice import Closed, Open
from busgate_sim.stage import Stage
from busgate_trial import gate as gates
from busgate_trial.desks import attack
from busgate_trial.desks import cloud as cloud_desk
from busgate_trial.fleet.cli import fleet
from busgate_trial.pace import MEMORY, Around, Passes, paced, where
from busgate_trial.score import Rates, Score, rates, score_with_effect
from busgate_trial.show import show as play
from busgate_trial.tape import record as write_tape
from busgate_trial.tape import shortened
from busgate_trial.week import week
from busgate_trial.wheel import drive

EVERY_SECONDS = 5
"""How often `run` tells what the bus does."""

SEED = click.option("--seed", default=0, show_default=True, help="Another seed is another day of the same scenario.")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  busgate-sim list
  busgate-sim run remote-stop-driving
  busgate-sim run remote-stop-driving --no-gate
  busgate-sim run remote-stop-driving --wire vcan --gate-outside
  busgate-sim show remote-stop-driving
  busgate-sim score remote-stop-driving flood
  busgate-sim record remote-stop-driving --out recordings
  busgate-sim fleet --buses 20 --campaign remote-stop
  busgate-sim week --days 1 --hours 1
  busgate-sim cloud; busgate-sim run service-driving --cloud 127.0.0.1:8808
  busgate-sim attack --wire vcan drive.stop
  busgate-sim drive

Exit codes: 0 done; 1 something is not as its labels say; 2 it could not be done as asked.""",
)
def group() -> None:
    """Play a simulated electric bus, its T-box and what is done to it; with the gate in line or without."""


group.add_command(fleet)
group.add_command(week)
group.add_command(cloud_desk)
group.add_command(attack)
group.add_command(drive)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """Name the scenarios of the library.

    Example: busgate-sim list --json
    """
    found = library()
    if as_json:
        click.echo(json.dumps([_plain(each) for each in found.values()], indent=2))
        return
    for name, each in found.items():
        click.echo(f"{name:<24} {each.kind:<8} {each.title}")


def _plain(scenario: Scenario) -> dict[str, Any]:
    return {
        "scenario": scenario.scenario,
        "title": scenario.title,
        "kind": scenario.kind,
        "start": scenario.start,
        "lasts": scenario.lasts,
        "acts": [act.does for act in scenario.acts],
        "effect": scenario.effect,
    }


@group.command()
@click.argument("scenario")
@click.option("--gate/--no-gate", "gated", default=True, help="With the gate in line (enforce mode), or without it.")
@click.option(
    "--wire",
    default="memory",
    show_default=True,
    help="Where the frames go: memory, vcan, udp_multicast, or a T-box's and a vehicle's wire as interface:channel,"
    "interface:channel. Other programs can listen and speak there.",
)
@click.option("--gate-outside", is_flag=True, help="Join the two wires by nothing: another program is the gate there.")
@click.option("--speed", type=click.FloatRange(min=0.01), help="Seconds a second. Default: 1 on wires, else as fast.")
@click.option("--cloud", metavar="HOST:PORT", help="Dial this platform (busgate-sim cloud), and obey what it orders.")
@click.option("--cloud-cert", type=click.Path(path_type=Path), help="Trust this certificate (PEM), and speak TLS.")
@SEED
def run(  # noqa: PLR0913 - an option each
    *,
    scenario: str,
    gated: bool,
    wire: str,
    gate_outside: bool,
    speed: float | None,
    cloud: str | None,
    cloud_cert: Path | None,
    seed: int,
) -> None:
    """Play one scenario and tell what the bus does, second by second, and what the gate says.

    SCENARIO is a name of the library or a .yaml file. Example: busgate-sim run remote-stop-driving --no-gate
    """
    told = find(scenario)
    around = Around(wire, speed, where(cloud, cloud_cert))
    if gate_outside and wire == MEMORY:
        raise BusgateError("a gate outside needs wires that it can reach: add --wire vcan, or --wire udp_multicast")
    gate = (
        gates.Gate(gates.vehicle(), told.policy, told.grants, mode=Mode.ENFORCE) if gated and not gate_outside else None
    )
    stage = Stage(told, BusBody(told.start), Closed() if gate_outside else gate or Open(), seed=seed)
    if gate is not None:
        gate.cause = lambda: stage.cause
    joined = "the gate is outside" if gate_outside else "with the gate" if gated else "without a gate"
    click.echo(f"{told.title} ({joined})")
    with paced(stage, around) as passes:
        _play(told, stage, gate, passes)
    crossed, stopped = stage.splice.crossed[Side.TBOX], stage.splice.stopped[Side.TBOX]
    if not gate_outside:
        click.echo(f"T-box frames: {crossed} crossed to the vehicle, {stopped} did not")


def _play(told: Scenario, stage: Stage, gate: gates.Gate | None, passes: Passes) -> None:
    shown = 0
    for second in range(1, int(told.lasts) + 1):
        passes(1.0)
        _tell_acts(told, second)
        if gate is not None:
            _tell_alerts(gate.told[shown:], second)
            shown = len(gate.told)
        if second % EVERY_SECONDS == 0:
            click.echo(_told(stage.sensed, second))


@group.command()
@click.argument("scenario")
@click.option("--speed", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds a second.")
@SEED
def show(*, scenario: str, speed: float, seed: int) -> None:
    """Watch a scenario: the bus without the gate and with it, side by side.

    Example: busgate-sim show contactors-driving --speed 4
    """
    told = find(scenario)
    gate = gates.Gate(gates.vehicle(), told.policy, told.grants, mode=Mode.ENFORCE)
    play(told, gate, Console(), speed=speed, seed=seed)


def _tell_acts(scenario: Scenario, second: int) -> None:
    for act in scenario.acts:
        if second - 1 <= act.at < second:
            click.echo(f"  {act.at:5.1f} s  {act.by} -> T-box: {act.does} {dict(act.told) or ''}")


def _tell_alerts(told: list[gates.Told], second: int) -> None:
    for event, _ in told:
        if isinstance(event, Alert):
            what = f"{event.severity.name} {event.rule}: {event.name} {event.action} ({event.reason})"
            click.echo(f"  {second:5.1f} s  gate: {what}")


def _told(now: Sensed, second: int) -> str:
    drive = f"{now.speed:5.1f} km/h  {now.metres:6.0f} m  torque {now.torque:5.1f} %"
    battery = f"battery {now.soc:.1f} % {now.pack_current:6.1f} A {now.contactors.lower()}"
    return f"{second:5d} s  {drive}  {battery}  doors {now.doors[0].lower()}"


@group.command()
@click.argument("scenarios", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@SEED
def score(*, scenarios: tuple[str, ...], as_json: bool, seed: int) -> None:
    """Play scenarios with the gate in line and hold what happened against their labels.

    Without names: the whole library, some minutes. Example: busgate-sim score remote-stop-driving flood --json
    """
    chosen = [find(name) for name in scenarios] if scenarios else list(library().values())
    vehicle = gates.vehicle()
    scores = []
    for scenario in chosen:
        scores.append(score_with_effect(scenario, vehicle, seed=seed))
        if not as_json:
            click.echo(_verdict(scores[-1]))
    if as_json:
        click.echo(json.dumps({"scenarios": list(map(_scored, scores)), "rules": _rules(rates(scores))}, indent=2))
    else:
        _tabled(rates(scores))
        good = sum(each.as_expected for each in scores)
        click.echo(f"{good} of {len(scores)} scenarios are as their labels say")
    if not all(each.as_expected for each in scores):
        sys.exit(1)


def _verdict(score: Score) -> str:
    said = "as labelled" if score.as_expected else "NOT AS LABELLED"
    effect = (
        "" if score.effect is None else f"  effect: {_word(score.effect[0])} without, {_word(score.effect[1])} with"
    )
    false = f"  false: {', '.join(score.false)}" if score.false else ""
    wrong = "".join(f"\n    {act}" for act in score.acts if not act.as_expected)
    return f"{score.scenario:<24} {said}{effect}{false}{wrong}"


def _word(seen: bool) -> str:
    return "seen" if seen else "none"


def _scored(score: Score) -> dict[str, Any]:
    return {
        "scenario": score.scenario,
        "kind": score.kind,
        "as_expected": score.as_expected,
        "acts": [act._asdict() | {"as_expected": act.as_expected} for act in score.acts],
        "false_alerts": list(score.false),
        "telemetry_stopped": score.telemetry_stopped,
        "effect": None if score.effect is None else {"without_gate": score.effect[0], "with_gate": score.effect[1]},
    }


def _rules(found: dict[str, Rates]) -> dict[str, dict[str, Any]]:
    return {rule: each._asdict() | {"precision": each.precision, "recall": each.recall} for rule, each in found.items()}


def _tabled(found: dict[str, Rates]) -> None:
    table = Table("rule", "expected", "found", "false", "precision", "recall")
    for rule, each in found.items():
        shares = ("-" if share is None else f"{share:.2f}" for share in (each.precision, each.recall))
        table.add_row(rule, str(each.expected), str(each.found), str(each.false), *shares)
    Console().print(table)


@group.command()
@click.argument("scenarios", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the recordings.")
@click.option("--seconds", type=click.FloatRange(min=1), help="Only the first so many seconds of each.")
@SEED
def record(*, scenarios: tuple[str, ...], out: Path, seconds: float | None, seed: int) -> None:
    """Write scenarios as candump logs, packets and labels, played without a gate.

    `all` means the whole library. Example: busgate-sim record remote-stop-driving --out recordings
    """
    chosen = list(library().values()) if scenarios == ("all",) else [find(name) for name in scenarios]
    for whole in chosen:
        scenario = whole if seconds is None else shortened(whole, seconds)
        try:
            written = write_tape(scenario, out, seed=seed)
        except OSError as fault:
            raise BusgateError(f"{out} cannot be written: {fault.strerror}. Next: choose another --out") from None
        click.echo(f"wrote {written.trace}, {written.packets.name} and {written.labels.name}")


def main() -> None:
    """Run the command line."""
    try:
        group(prog_name="busgate-sim", standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as fault:
        click.echo(
            f"busgate-sim: {' '.join(fault.format_message().split()).rstrip('.')}. Next: busgate-sim --help", err=True
        )
        sys.exit(2)
    except BusgateError as fault:
        click.echo(f"busgate-sim: {fault}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
