"""`busgate panel`: the key switch and the bypass relay on the machine's GPIO pins."""

from __future__ import annotations

from pathlib import Path

import click

from busgate.bridge.gpio import PinContact, PinDrive
from busgate.cli.until_stopped import UntilStopped
from busgate.model import BusgateError
from busgate.service import load
from busgate.service.override import Switch
from busgate.service.panel import Panel, work
from busgate.service.supervised import Supervised
from busgate.settings import DEFAULT


@click.command(
    epilog="""\b
Examples:
  busgate panel --config /etc/busgate/busgate.yaml

\b
With `key_switch` in the settings, the key turns the local override, also with no gate running. With `bypass`, a pin is
pulsed while the gate works. Wiring: docs/wiring.md.

\b
Exit codes: 0 stopped as asked; 2 it could not start."""
)
@click.option("--config", type=click.Path(path_type=Path), default=DEFAULT, show_default=True, help="Settings file.")
def command(*, config: Path) -> None:
    """Follow the operator's key switch, and hold the bypass relay while the gate works."""
    settings = load.settings(config)
    if settings.key_switch is None and settings.bypass is None:
        raise BusgateError(f"{config} names neither key_switch nor bypass, so there is no panel. Next: docs/wiring.md")
    settings.needed("log")
    folder = Path(str(settings.switch or settings.log))
    if not folder.is_dir():
        raise BusgateError(f"there is no folder {folder} for the switch. Next: start the gate once, or make it")
    wanted = settings.key_switch
    key = None if wanted is None else PinContact(wanted.chip, wanted.line)
    relay = None if settings.bypass is None else PinDrive(settings.bypass.chip, settings.bypass.line)
    closed = wanted is not None and wanted.cut == "closed"
    panel = Panel(Switch(folder), key, relay, cut_when_closed=closed)
    supervised = Supervised()
    click.echo(f"busgate: panel with {' and '.join(_parts(key, relay))}", err=True)
    supervised.ready()
    try:
        work(
            panel,
            settings.panel,
            UntilStopped(),
            supervised.works,
            lambda line: click.echo(f"busgate: {line}", err=True),
        )
    finally:
        for line in (key, relay):
            if line is not None:
                line.close()


def _parts(key: object, relay: object) -> list[str]:
    return [name for name, part in (("key switch", key), ("bypass relay", relay)) if part is not None]
