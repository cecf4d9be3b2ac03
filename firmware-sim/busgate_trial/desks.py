"""The consoles: the maker's platform, and an attacker's on the T-box's wire.

Law: a user's mistake is one line, and the console goes on.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from busgate.model import BusgateError
from busgate_sim.cloud.downloads import Downloads
from busgate_sim.cloud.server import main as serve
from busgate_sim.fingers import ACTS, Fingers
from busgate_sim.live import wires


@click.command(
    epilog="""\b
Examples:
  busgate-sim cloud                                      (a second terminal: the bus)
  busgate-sim run service-driving --wire vcan --cloud 127.0.0.1:8808

On the console: list, told, VEHICLE ORDER argument=value, quit.
"""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8808, show_default=True, help="For vehicles; 0 for any free one.")
@click.option("--tls", is_flag=True, help="With a certificate made for this start.")
@click.option("--certificate-out", type=click.Path(path_type=Path), help="Write that certificate (PEM) there.")
@click.option("--updates-port", type=int, help="Serve updates over HTTP there; 0 for any free port.")
def cloud(*, host: str, port: int, tls: bool, certificate_out: Path | None, updates_port: int | None) -> None:
    """Be the maker's platform for JT/T 808 and GB/T 32960, with a console to order vehicles about."""
    words = ["--host", host, "--port", str(port)]
    words += ["--tls"] if tls else []
    words += ["--certificate-out", str(certificate_out)] if certificate_out else []
    with ExitStack() as opened:
        if updates_port is not None:
            try:
                served = opened.enter_context(Downloads(host, updates_port))
            except (OSError, OverflowError) as fault:
                raise BusgateError(f"no updates can be served on {host}:{updates_port}: {fault}") from None
            click.echo(f"updates on http://{host}:{served.port}/HVAC/1.5.0.bin and the like")
        code = serve(words)
    if code:
        sys.exit(2)


@click.command(
    epilog="""\b
Examples:
  busgate-sim attack --wire vcan 'drive.stop'
  busgate-sim attack --wire socketcan:can1 'tsc1 torque=0 sa=0x17' 'diagnose target=BMS requests="1003 unlock"'
  busgate-sim attack --wire vcan                         (type acts, one a line)
"""
)
@click.option("--wire", required=True, help="The T-box's wire as interface:channel, or a short name as for run.")
@click.argument("acts", nargs=-1)
def attack(*, wire: str, acts: tuple[str, ...]) -> None:
    """Say on the T-box's wire what a T-box in the wrong hands could say. For your own bench only."""
    named = wires(wire)[0] if ":" not in wire or "," in wire else wire
    with Fingers(named) as fingers:
        if not acts:
            click.echo(f"acts: {', '.join(ACTS)}; name=value for their arguments; Ctrl-D ends", err=True)
        wrong = 0
        for line in acts or sys.stdin:
            if line.strip():
                wrong += not _one(fingers, line)
    if acts and wrong:
        sys.exit(2)


def _one(fingers: Fingers, line: str) -> bool:
    before = fingers.said
    try:
        answers = fingers.act(shlex.split(line))
    except (BusgateError, ValueError) as fault:
        click.echo(f"busgate-sim: {fault}", err=True)
        return False
    answered = f", answered {' '.join(answers)}" if answers else ""
    click.echo(f"{line.strip()}: {fingers.said - before} frames{answered}")
    return True
