"""`busgate learn`: an allowlist proposed from what the T-box sends in ordinary service."""

from __future__ import annotations

from pathlib import Path

import click

from busgate.bridge.channels import ALL, SideMap
from busgate.cli.until_stopped import UntilStopped
from busgate.model import BusgateError
from busgate.service import learn, load


@click.command(
    epilog="""\b
Examples:
  busgate learn day1.log day2.log --profile demo-ebus --tbox can1 --vehicle can0 -o proposed.yaml
  busgate learn --hours 24 --profile demo-ebus --tbox socketcan:can1 --vehicle socketcan:can0 -o proposed.yaml

\b
Next: read the proposal and change it, then
  busgate policy check proposed.yaml --profile demo-ebus
  busgate policy sign proposed.yaml --key operator.key
and run it in monitor mode; `busgate blocked` then says what enforce would have blocked.

\b
Live learning forwards every frame in both directions: it is for a vehicle that has no gate yet, not in place of one.

\b
It refuses where a gate works, where one has left rules in the kernel, and where the installed override is on.

\b
Exit codes: 0 proposed; 1 no frame of the T-box was seen, so there is nothing to propose; 2 it could not be done as
asked."""
)
@click.argument("traces", type=click.Path(path_type=Path), nargs=-1)
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="Learn on live wires for so long.")
@click.option("--profile", default="generic-j1939", show_default=True, help="Vehicle profile: folder or shipped name.")
@click.option("--tbox", multiple=True, metavar="CHANNEL", help="The T-box's channel; live its interface:channel.")
@click.option("--vehicle", multiple=True, metavar="CHANNEL", help="The vehicle's channel; live its interface:channel.")
@click.option("--tap", multiple=True, metavar="CHANNEL", help="One that both share; live it is only listened to.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the proposal goes. Default: the screen.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
def command(  # noqa: PLR0913 - an option each
    *,
    traces: tuple[Path, ...],
    hours: float | None,
    profile: str,
    tbox: tuple[str, ...],
    vehicle: tuple[str, ...],
    tap: tuple[str, ...],
    out: Path | None,
    force: bool,
) -> None:
    """Propose a policy from recordings, or from what is on live wires.

    What reaches the drive or the battery is written down as refused unless you say otherwise.
    """
    if bool(traces) == (hours is not None):
        raise BusgateError("learn from what? Next: name recordings, or give --hours and the live wires, not both")
    if out is not None and out.exists() and not force:
        raise BusgateError(
            f"{out} is there already, and somebody may have worked on it. Next: --force, or another name"
        )
    described = load.vehicle(profile)
    if hours is None:
        pupil, warnings = learn.from_traces(
            traces, SideMap(tbox, vehicle, tap or (() if tbox or vehicle else (ALL,))), described
        )
        for warning in warnings:
            click.echo(f"busgate: {warning}", err=True)
    else:
        if out is None:
            raise BusgateError("hours of learning need a file to be kept in. Next: add -o proposed.yaml")
        wires = learn.Wires(_one("--tbox", tbox), _one("--vehicle", vehicle), _one("--tap", tap))
        if wires.tap is None and not (wires.tbox and wires.vehicle):
            raise BusgateError(
                "which wires? Next: --tbox socketcan:can1 --vehicle socketcan:can0, or --tap socketcan:can0"
            )
        pupil = learn.in_line(
            wires,
            described,
            hours=hours,
            out=out,
            going=UntilStopped(),
            say=lambda line: click.echo(f"busgate: {line}", err=True),
        )
    if not pupil.lessons.frames:
        click.echo(
            "busgate: no frame of the T-box was seen, so there is nothing to propose. Next: check --tbox and --vehicle "
            "(or --tap and the profile's addresses)",
            err=True,
        )
        raise SystemExit(1)
    text = pupil.proposal()
    if out is None:
        click.echo(text, nl=False)
        return
    learn.save(out, text)
    kinds = len(pupil.lessons.by_key)
    click.echo(
        f"proposed: {out} ({kinds} kinds of messages in {pupil.lessons.frames} frames of the T-box). "
        f"Next: read it, then busgate policy check {out} --profile {profile}",
        err=True,
    )


def _one(option: str, given: tuple[str, ...]) -> str | None:
    if len(given) > 1:
        raise BusgateError(f"{option} is given {len(given)} times; live, each side is one wire")
    return given[0] if given else None
