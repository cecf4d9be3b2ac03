"""`busgate rules`: a policy in its two layers, and what the kernel has counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from busgate.bridge import cangw
from busgate.judge.floor import compiled
from busgate.model import BusgateError, Mode
from busgate.service import load
from busgate.service.hold import Hold
from busgate.service.layers import Layers, hindrance, interfaces


@click.command(
    epilog="""\b
Examples:
  busgate rules --profile demo-ebus --policy policy.yaml --unsigned
  busgate rules --profile demo-ebus --policy policy.yaml.signed --operator operator.key.vkey \\
      --tbox socketcan:can1 --vehicle socketcan:can0
  busgate rules --clear --tbox socketcan:can1 --vehicle socketcan:can0

\b
Exit codes: 0 shown, or cleared; 2 it could not be done as asked."""
)
@click.option("--profile", help="Vehicle profile: a folder or a shipped name.")
@click.option("--policy", type=click.Path(path_type=Path), help="The operator's policy.")
@click.option("--operator", metavar="VKEY", help="The operator's public key (text or file).")
@click.option("--unsigned", is_flag=True, help="Take a policy that bears no signature.")
@click.option("--tbox", metavar="INTERFACE", help="The T-box's side, to show what the kernel has counted.")
@click.option("--vehicle", metavar="INTERFACE", help="The vehicle's side.")
@click.option("--clear", is_flag=True, help="Have the kernel forward nothing between the two; telemetry stops, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913 - an option each
    *,
    profile: str | None,
    policy: Path | None,
    operator: str | None,
    unsigned: bool,
    tbox: str | None,
    vehicle: str | None,
    clear: bool,
    as_json: bool,
) -> None:
    """Show which rule the kernel keeps and which the agent.

    What the kernel keeps crosses with the agent dead; all else then stops.
    """
    names = _names(tbox, vehicle)
    if clear:
        if names is None:
            raise BusgateError("clear between which? Next: add --tbox socketcan:can1 --vehicle socketcan:can0")
        with Hold(str(tbox), str(vehicle)):
            cangw.replace(*names, [])
        click.echo(f"the kernel forwards nothing between {names[0]} and {names[1]}")
        return
    if profile is None or policy is None:
        raise BusgateError("which rules? Next: add --profile and --policy (busgate rules --help)")
    described = load.vehicle(profile)
    adopted = load.policy(policy, operator=operator, unsigned=unsigned)
    floor = compiled(adopted.policy, described.profile, described.database)
    layers = None if names is None else Layers(*names, floor)
    counted = {} if layers is None else layers.counted()
    rows = [
        {"rule": rule.rule, "where": "kernel", "can_id": f"{rule.can_id:08X}", "mask": f"{rule.mask:08X}",
         "forwarded": counted.get((rule.can_id, rule.mask)), "why": ""}
        for rule in floor.kernel
    ]  # fmt: skip
    rows += [
        {"rule": kept.rule, "where": "agent", "can_id": "", "mask": "", "forwarded": None, "why": kept.why}
        for kept in floor.agent
    ]
    if as_json:
        telemetry = None if layers is None else layers.telemetry()
        click.echo(json.dumps({"rules": rows, "telemetry_forwarded": telemetry}, indent=2))
        return
    _show(rows)
    if layers is not None:
        jobs = len(layers.jobs(Mode.ENFORCE))
        click.echo(
            f"telemetry: {layers.telemetry()} frames by the kernel ({jobs} jobs when the gate runs in enforce mode)"
        )


def _names(tbox: str | None, vehicle: str | None) -> tuple[str, str] | None:
    if tbox is None and vehicle is None:
        return None
    names = interfaces(tbox or "", vehicle or "")
    if names is None:
        raise BusgateError("both sides are needed, as in --tbox socketcan:can1 --vehicle socketcan:can0")
    if (why := hindrance(tbox or "", vehicle or "")) is not None:
        raise BusgateError(f"the kernel cannot forward there: {why}")
    return names


def _show(rows: Sequence[Mapping[str, object]]) -> None:
    for row in rows:
        if row["where"] == "kernel":
            forwarded = "" if row["forwarded"] is None else f"  {row['forwarded']} forwarded"
            click.echo(f"{row['rule']:<20} kernel  {row['can_id']}/{row['mask']}{forwarded}")
        else:
            click.echo(f"{row['rule']:<20} agent   {row['why']}")
