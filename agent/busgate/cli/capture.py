"""`busgate capture`: listen to an interface, say what is heard, and keep it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from busgate.cli.networks import networks
from busgate.cli.until_stopped import UntilStopped
from busgate.model import Event, Severity, Traffic
from busgate.record.entry import told
from busgate.report.alert import sentence, severity
from busgate.service import load
from busgate.service.findings import moment


@click.command(
    epilog="""\b
Examples:
  busgate capture eth1 --address 192.168.8.0/24
  busgate capture wwan0 --seconds 600 --evidence evidence --report json > heard.jsonl
  busgate replay --pcap evidence/FILE.pcapng --tbox-address 192.168.8.0/24   (the same from a file)

\b
Nothing is sent, and nothing is stopped. It takes the right CAP_NET_RAW (root). A T-box with a modem of its own shows
nothing on an interface of this machine: docs/network.md tells from where its traffic can be seen.

\b
Exit codes: 0 done; 2 it could not be done as asked.""",
)
@click.argument("interface")
@click.option("--address", "addresses", multiple=True, metavar="NETWORK", help="The T-box's own addresses.")
@click.option("--profile", default="generic-j1939", show_default=True, help="Vehicle profile.")
@click.option("--policy", type=click.Path(path_type=Path), help="The operator's policy: what it would stop is told.")
@click.option("--unsigned", is_flag=True, help="Take a policy that bears no signature.")
@click.option("--operator", metavar="VKEY", help="The operator's public key that signed the policy.")
@click.option("--countries", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="MMDB tables.")
@click.option("--evidence", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep what is heard as pcapng.")
@click.option("--megabytes", default=256, show_default=True, help="How much of it is kept.")
@click.option("--seconds", type=click.FloatRange(min=0), default=0.0, help="How long; 0 until stopped.")
@click.option("--report", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Tell also what does not matter (severity info).")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    interface: str,
    addresses: tuple[str, ...],
    profile: str,
    policy: Path | None,
    unsigned: bool,
    operator: str | None,
    countries: tuple[Path, ...],
    evidence: Path | None,
    megabytes: int,
    seconds: float,
    style: str,
    everything: bool,
) -> None:
    """Listen to what the T-box says to the world on INTERFACE, and say what is heard, each event in a line."""
    from busgate.service.listen import Wish, listen

    networks(addresses)
    adopted = load.policy(policy, operator=operator, unsigned=unsigned) if policy is not None else None
    wish = Wish(interface, load.vehicle(profile), adopted, addresses, countries, evidence, megabytes, seconds)

    def tell(event: Event) -> None:
        entry: dict[str, Any] = {"type": told(event).type, **told(event).fields}
        if isinstance(event, Traffic) or (not everything and severity(entry) <= Severity.INFO):
            return
        if style == "json":
            click.echo(json.dumps({"time": moment(event.at), **entry}))
        else:
            click.echo(f"{moment(event.at)[11:23]}  {severity(entry).name.lower():<8} {sentence(entry)}")

    def begins() -> None:
        click.echo(f"busgate: listening to {interface}; Ctrl-C ends", err=True)

    heard = listen(wish, UntilStopped(), tell, begins)
    lost = ", ".join(f"{name} {count}" for name, count in heard.lost.items() if count) or "nothing lost"
    counts = ", ".join(f"{name} {count}" for name, count in sorted(heard.counts.items())) or "nothing read"
    click.echo(f"busgate: {heard.packets} packets, {heard.size} bytes, {lost}; {counts}", err=True)
