"""`busgate run`: the gate between two live CAN interfaces, with a signed policy and a key of the device's own."""

from __future__ import annotations

from pathlib import Path

import click

from busgate.cli.until_stopped import UntilStopped
from busgate.cli.witness_option import witness_option, witnesses_of
from busgate.model import BusgateError, Mode
from busgate.service import gate, load
from busgate.settings import Broker, Settings
from busgate.trust.keys import is_test_key, load_signer


@click.command(
    epilog="""\b
Examples:
  busgate keys new operator --out operator.key
  busgate keys new bus-0421 --out device.key
  busgate policy sign policy.yaml --key operator.key
  busgate run --tbox socketcan:can1 --vehicle socketcan:can0 --profile demo-ebus \\
      --policy policy.yaml.signed --operator operator.key.vkey --key device.key --log busgate-log
  busgate run --config /etc/busgate/busgate.yaml

\b
A policy or grant that is refused stops the start, and the log says so: nothing is forwarded by an older one.
SIGHUP reads the settings again: the policy at once, another mode when the vehicle stands still. After a restart, too,
another mode than before waits for that.

\b
Exit codes: 0 stopped as asked (SIGTERM, Ctrl-C); 2 it could not start.""",
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; each option below stands above it.")
@click.option("--tbox", metavar="INTERFACE", help="The T-box's side, as interface:channel (socketcan:can1).")
@click.option("--vehicle", metavar="INTERFACE", help="The vehicle's side (socketcan:can0).")
@click.option("--profile", help="Vehicle profile: a folder or a shipped name.")
@click.option("--policy", help="The operator's signed policy.")
@click.option("--operator", metavar="VKEY", help="The operator's public key (text or file).")
@click.option("--key", help="The device's private key.")
@click.option("--log", help="Folder of the signed log.")
@click.option("--grant", "grants", multiple=True, help="A signed maintenance grant.")
@click.option("--device", default=None, help="The vehicle's name in log and topics. Default: the key's name.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=None,
    help="Default: the policy's own mode, else enforce.",
)
@click.option("--mqtt", metavar="URL", help="Publish to this broker, e.g. mqtts://soc.example:8883.")
@witness_option
@click.option(
    "--kernel/--no-kernel",
    "kernel",
    default=None,
    help="Have the kernel forward what needs no verdict, also with the agent dead. Default: where it can.",
)
@click.option("--keeper", metavar="PATH", help="Socket of a `busgate keep`. Default: one is started.")
def command(
    *, config: Path | None, mqtt: str | None, witnesses: tuple[str, ...], mode: str | None, **given: object
) -> None:
    """Be the gate between the T-box's and the vehicle's CAN interface, until stopped.

    Everything is loaded and checked before an interface is touched; with anything wrong, nothing is forwarded.
    """

    def settings() -> Settings:
        written = load.settings(config) if config is not None else Settings()
        broker = written.broker
        if mqtt is not None:
            broker = Broker(url=mqtt) if broker is None else broker.model_copy(update={"url": mqtt})
        if witnesses and broker is not None:
            broker = broker.model_copy(update={"witnesses": witnesses})
        chosen = None if mode is None else Mode(mode)
        return written.over(broker=broker, mode=chosen, **given)

    first = settings()
    first.needed("tbox", "vehicle")

    def check() -> None:
        first.needed("profile", "policy", "operator", "log")
        if first.keeper is None or first.device is None:
            first.needed("key")
        if first.key is not None and first.keeper is None and is_test_key(load_signer(Path(first.key)).verifier):
            raise BusgateError(f"{first.key} is the published test key. Next: busgate keys new NAME --out device.key")
        witnesses_of(witnesses, None if first.broker is None else first.broker.url)

    gate.run(first, settings, UntilStopped(), lambda line: click.echo(f"busgate: {line}", err=True), check)
