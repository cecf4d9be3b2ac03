"""`busgate rules`: a policy in its two layers, and how often each rule let a frame cross."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from busgate.bridge import cangw
from busgate.judge.floor import Floor, KernelRule, compiled
from busgate.model import BusgateError, Mode
from busgate.service import load
from busgate.service.hold import Hold, told
from busgate.service.layers import Layers, interfaces, leftover
from busgate.settings import Settings

Row = Mapping[str, object]


@click.command(
    epilog="""\b
Examples:
  busgate rules --config /etc/busgate/busgate.yaml
  busgate rules --profile demo-ebus --policy policy.yaml --unsigned
  busgate rules --profile demo-ebus --policy policy.yaml.signed --operator operator.key.vkey \\
      --tbox socketcan:can1 --vehicle socketcan:can0
  busgate rules --clear --tbox socketcan:can1 --vehicle socketcan:can0

\b
Looking takes no right. The counts are the kernel's, and those of the gate that runs there now.
Exit codes: 0 shown, or cleared; 2 it could not be done as asked: --clear while a gate runs, too."""
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; each option below stands above it.")
@click.option("--profile", help="Vehicle profile: a folder or a shipped name.")
@click.option("--policy", help="The operator's policy.")
@click.option("--operator", metavar="VKEY", help="The operator's public key (text or file).")
@click.option("--unsigned", is_flag=True, help="Take a policy that bears no signature.")
@click.option("--tbox", metavar="INTERFACE", help="The T-box's side, to show what was counted there.")
@click.option("--vehicle", metavar="INTERFACE", help="The vehicle's side.")
@click.option("--clear", is_flag=True, help="Have the kernel forward nothing between the two; telemetry stops, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, config: Path | None, unsigned: bool, clear: bool, as_json: bool, **given: str | None) -> None:
    """Show which rule the kernel keeps and which the agent.

    What the kernel keeps crosses with the agent dead; all else then stops.
    """
    settings = (load.settings(config) if config is not None else Settings()).over(**given)
    names = _names(settings)
    if clear:
        if names is None:
            raise BusgateError("clear between which? Next: add --tbox socketcan:can1 --vehicle socketcan:can0")
        with Hold(str(settings.tbox), str(settings.vehicle)):
            if leftover(*names):
                cangw.replace(*names, [])
        click.echo(f"the kernel forwards nothing between {names[0]} and {names[1]}")
        return
    if settings.profile is None or settings.policy is None:
        raise BusgateError("which rules? Next: add --config, or --profile and --policy (busgate rules --help)")
    described = load.vehicle(settings.profile)
    adopted = load.policy(Path(settings.policy), operator=settings.operator, unsigned=unsigned)
    floor = compiled(adopted.policy, described.profile, described.database)
    layers = None if names is None else Layers(*names, floor)
    running = None if names is None else told(names[0])
    rows = _rows(floor, {} if layers is None else _counted(layers), running)
    telemetry = None if layers is None else _telemetry(layers)
    if as_json:
        mode = None if running is None else running.get("mode")
        click.echo(json.dumps({"rules": rows, "telemetry_forwarded": telemetry, "mode": mode}, indent=2))
        return
    _show(rows)
    if layers is not None:
        jobs = len(layers.jobs(Mode.ENFORCE))
        click.echo(f"telemetry: {telemetry} frames by the kernel ({jobs} jobs when the gate runs in enforce mode)")
        if running is None:
            click.echo("no gate runs there now: what the agent keeps does not cross, and is not counted")


def _rows(floor: Floor, counted: Mapping[tuple[int, int], int], running: Mapping[str, object] | None) -> list[Row]:
    rows: list[Row] = []
    for rule in floor.kernel:
        widest = floor.widest(rule)
        rows.append(
            {"rule": rule.rule, "where": "kernel", "can_id": f"{rule.can_id:08X}", "mask": f"{rule.mask:08X}",
             "forwarded": counted.get((widest.can_id, widest.mask)), "blocked": None, "why": _within(rule, widest)}
        )  # fmt: skip
    judged = running.get("rules") if running else None
    for kept in floor.agent:
        counts = judged.get(kept.rule, {}) if isinstance(judged, dict) else None
        rows.append(
            {"rule": kept.rule, "where": "agent", "can_id": "", "mask": "", "why": kept.why,
             "forwarded": None if counts is None else counts.get("pass", 0),
             "blocked": None if counts is None else counts.get("block", 0)}
        )  # fmt: skip
    return rows


def _within(rule: KernelRule, widest: KernelRule) -> str:
    """Why a rule's count is not its own: a wider one takes its frames along, so that none is sent twice."""
    if (rule.can_id, rule.mask) == (widest.can_id, widest.mask):
        return ""
    return f"counted with rule {widest.rule}, which takes these frames, too"


def _counted(layers: Layers) -> dict[tuple[int, int], int]:
    try:
        return layers.counted()
    except cangw.NoGatewayError:
        return {}


def _telemetry(layers: Layers) -> int:
    try:
        return layers.telemetry()
    except cangw.NoGatewayError:
        return 0


def _names(settings: Settings) -> tuple[str, str] | None:
    if settings.tbox is None and settings.vehicle is None:
        return None
    names = interfaces(settings.tbox or "", settings.vehicle or "")
    if names is None:
        raise BusgateError("both sides are needed, as in --tbox socketcan:can1 --vehicle socketcan:can0")
    return names


def _show(rows: Sequence[Row]) -> None:
    for row in rows:
        counts = "" if row["forwarded"] is None else f"  {row['forwarded']} forwarded"
        counts += f", {row['blocked']} blocked" if row["blocked"] else ""
        why = f"  ({row['why']})" if row["why"] else ""
        if row["where"] == "kernel":
            click.echo(f"{row['rule']:<20} kernel  {row['can_id']}/{row['mask']}{counts}{why}")
        else:
            click.echo(f"{row['rule']:<20} agent   {row['why']}{counts}")
