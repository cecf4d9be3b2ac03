"""`busgate net`: the gate of the T-box's IP and cellular side, in line or only listening."""

from __future__ import annotations

from pathlib import Path

import click

from busgate.cli.networks import networks
from busgate.cli.until_stopped import UntilStopped
from busgate.cli.witness_option import witness_option, witnesses_of
from busgate.model import BusgateError, Mode
from busgate.report.words import printable
from busgate.service import load
from busgate.settings import Air, Broker, Hold, Settings
from busgate.trust.keys import is_test_key, load_signer


@click.command(
    epilog="""\b
Examples:
  busgate net --config /etc/busgate/busgate.yaml
  busgate net --interface eth1 --uplink wwan0 --address 192.168.8.0/24 --profile demo-ebus \\
      --policy policy.yaml.signed --operator operator.key.vkey --key device.key --log busgate-log
  busgate net --interface eth1 --address 192.168.8.0/24 … (without --uplink: it only listens)

\b
In line the kernel drops what the policy does not name (nft list table inet busgate), and a relay judges the rest. The
kernel's part stays when this ends: what has to be judged then stops. busgate net --clear takes it away.
docs/network.md tells the wiring, the policy's `network` section and what an opaque connection means.

\b
Exit codes: 0 stopped as asked (SIGTERM, Ctrl-C); 2 it could not start.""",
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; each option below stands above it.")
@click.option("--interface", metavar="NAME", help="The network interface towards the T-box (eth1).")
@click.option("--uplink", metavar="NAME", help="The one towards the world (wwan0); without it nothing is stopped.")
@click.option("--address", "addresses", multiple=True, metavar="NETWORK", help="The T-box's own addresses.")
@click.option("--countries", multiple=True, type=click.Path(), metavar="FILE", help="A table of countries (MMDB).")
@click.option("--hold", type=click.Path(), metavar="FOLDER", help="Where what waits for the operator is kept.")
@click.option("--profile", help="Vehicle profile: a folder or a shipped name.")
@click.option("--policy", help="The operator's signed policy.")
@click.option("--operator", metavar="VKEY", help="The operator's public key (text or file).")
@click.option("--key", help="The device's private key.")
@click.option("--log", help="Folder of the signed log.")
@click.option("--grant", "grants", multiple=True, help="A signed maintenance grant.")
@click.option("--device", default=None, help="The vehicle's name in log and topics. Default: the key's name.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default=None,
              help="Default: the policy's own mode, else enforce.")  # fmt: skip
@click.option("--mqtt", metavar="URL", help="Publish to this broker, e.g. mqtts://soc.example:8883.")
@witness_option
@click.option("--keeper", metavar="PATH", help="Socket of a `busgate keep`, which may serve `busgate run` as well.")
@click.option("--clear", is_flag=True, help="Take the kernel's fence away, and with it all that it let pass.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    config: Path | None,
    interface: str | None,
    uplink: str | None,
    addresses: tuple[str, ...],
    countries: tuple[str, ...],
    hold: str | None,
    mqtt: str | None,
    witnesses: tuple[str, ...],
    mode: str | None,
    clear: bool,
    **given: object,
) -> None:
    """Be the gate between the T-box and the world, until stopped.

    Everything is loaded and checked before an interface is touched; with anything wrong, nothing passes.
    """

    def settings() -> Settings:
        written = load.settings(config) if config is not None else Settings()
        broker = written.broker
        if mqtt is not None:
            broker = Broker(url=mqtt) if broker is None else broker.model_copy(update={"url": mqtt})
        if witnesses and broker is not None:
            broker = broker.model_copy(update={"witnesses": witnesses})
        chosen = None if mode is None else Mode(mode)
        return written.over(broker=broker, mode=chosen, network=air(written.network), **given)

    def air(written: Air | None) -> Air | None:
        if written is None and interface is None:
            return None
        wanted = written or Air(tbox=str(interface))
        said = {"tbox": interface, "uplink": uplink, "addresses": addresses, "countries": countries}
        if hold is not None:
            said["hold"] = Hold(folder=hold, marks=hold)  # type: ignore[assignment]  # a settings model among texts
        return wanted.model_copy(update={name: value for name, value in said.items() if value not in (None, ())})

    if clear:
        if config is not None:
            load.settings(config)
        _clear()
        return
    first = settings()
    _check(first)
    witnesses_of(witnesses, None if first.broker is None else first.broker.url)
    from busgate.service import net

    net.run(first, settings, UntilStopped(), lambda line: click.echo(f"busgate: {printable(line, 4000)}", err=True))


def _check(settings: Settings) -> None:
    """Raise BusgateError for the first thing that nobody has said."""
    if settings.network is None:
        raise BusgateError(
            "nobody said what the T-box's network interface is. Next: give --interface, or write `network:` into the "
            "settings file and give that with --config (docs/network.md)"
        )
    networks(settings.network.addresses)
    settings.needed("profile", "policy", "operator", "log")
    if settings.keeper is None or settings.device is None:
        settings.needed("key")
    if settings.key is not None and settings.keeper is None and is_test_key(load_signer(Path(settings.key)).verifier):
        raise BusgateError(f"{settings.key} is the published test key. Next: busgate keys new NAME --out device.key")


def _clear() -> None:
    from busgate.bridge.firewall import remove

    remove()
    click.echo("the fence is gone: the kernel forwards between T-box and uplink as it did before, or not at all")
