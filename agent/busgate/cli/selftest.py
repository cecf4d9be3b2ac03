"""`busgate selftest`: is this gate spliced in as it should be?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from busgate.bridge.ear import Ear, listen
from busgate.bridge.links import IpLinks
from busgate.model import BusgateError
from busgate.profile import Profile
from busgate.service import load, selftest
from busgate.service.hold import Hold
from busgate.service.layers import leftover
from busgate.service.rehearsal import rehearse
from busgate.service.selftest import Check, State
from busgate.settings import Settings


@click.group(
    epilog="""\b
Examples:
  busgate selftest can --config /etc/busgate/busgate.yaml
  busgate selftest can --tbox can1 --vehicle can0 --profile demo-ebus --seconds 20"""
)
def command() -> None:
    """Check the installation on this vehicle."""


@command.command(
    epilog="""\b
Examples:
  busgate selftest can --config /etc/busgate/busgate.yaml
  busgate selftest can --tbox can1 --vehicle can0 --profile demo-ebus
  busgate selftest can --tbox can1 --vehicle can0 --bitrate
  busgate selftest can --config /etc/busgate/busgate.yaml --denied

\b
The vehicle's wires are only listened to, with the gate stopped or running. --bitrate takes an interface down and
sets it anew, listen-only: stop the gate first. --denied sends commands that the policy denies, on virtual wires made
for that, through the installed policy: nothing of it reaches the vehicle.

\b
Exit codes: 0 all is well, or was skipped; 1 a check failed; 2 it could not be done as asked."""
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; the options stand above it.")
@click.option("--tbox", metavar="INTERFACE", help="What is thought to be the T-box's side: can1.")
@click.option("--vehicle", metavar="INTERFACE", help="What is thought to be the vehicle's side: can0.")
@click.option("--profile", help="Vehicle profile: whose addresses are whose.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="How long to listen."
)
@click.option("--bitrate", "guess", is_flag=True, help="Find the bitrate, listen-only. Needs root and a controller.")
@click.option("--denied", is_flag=True, help="Try denied commands on isolated wires. Needs root and --config.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def can(  # noqa: PLR0913 - an option each
    *,
    config: Path | None,
    tbox: str | None,
    vehicle: str | None,
    profile: str | None,
    seconds: float,
    guess: bool,
    denied: bool,
    as_json: bool,
) -> None:
    """Listen on both sides: which is the T-box's, what bitrate, how full, which errors, and what is let across."""
    settings = (load.settings(config) if config is not None else Settings()).over(
        tbox=tbox, vehicle=vehicle, profile=profile
    )
    settings.needed("tbox", "vehicle")
    if denied:
        settings.needed("profile", "policy", "operator")
    names = _interface(str(settings.tbox)), _interface(str(settings.vehicle))
    if names[0] == names[1]:
        raise BusgateError(f"{names[0]} is given for both sides; the T-box and the vehicle have an interface each")
    known = None if settings.profile is None else load.vehicle(settings.profile).profile
    checks: list[Check] = []
    if not as_json:
        click.echo(f"listening on {names[0]} and {names[1]} for {seconds:g} s; nothing is sent on them")
    for check in _checks(names, known, seconds, guess=guess):
        checks.append(check)
        if not as_json:
            click.echo(_line(check))
    for check in rehearse(settings) if denied else ():
        checks.append(check)
        if not as_json:
            click.echo(_line(check))
    if as_json:
        click.echo(json.dumps([check._asdict() for check in checks], indent=2))
    if any(check.state is State.FAILED for check in checks):
        raise SystemExit(1)


def _checks(names: tuple[str, str], profile: Profile | None, seconds: float, *, guess: bool) -> Iterator[Check]:
    links = IpLinks()
    if guess:
        with Hold(*(f"socketcan:{name}" for name in names)):  # no gate works on a wire that is taken down
            for name in names:
                yield selftest.bitrate(links, name, _heard)
    heard = selftest.heard_on(links, names, seconds)
    for name in names:
        yield from selftest.health(heard[name])
    yield selftest.side_finder(heard[names[0]], heard[names[1]], profile, names[0], echoes=_echoes(names))


def _echoes(names: tuple[str, str]) -> bool:
    """Whether the kernel forwards with an echo, so that each wire seems to say what the other one does."""
    try:
        return any(job.foreign for job in leftover(*names))
    except BusgateError:
        return False


def _heard(name: str) -> tuple[int, int]:
    """Frames and error frames within a second and a half."""
    ear = Ear.on(name, hardware=True)
    try:
        listen([ear], 1.5)
        return len(ear.heard), ear.lost["error_frames"]
    finally:
        ear.close()


def _interface(given: str) -> str:
    name = given.removeprefix("socketcan:")
    if ":" in name:
        raise BusgateError(f"{given} is no SocketCAN interface; the self-test is for those. Next: --tbox can1")
    return name


def _line(check: Check) -> str:
    line = f"{check.state.upper():<8} {check.name:<24} {check.seen}"
    return line + (f"\n{'':33} Next: {check.next}" if check.next else "")
