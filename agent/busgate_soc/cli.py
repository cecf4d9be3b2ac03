"""The SOC's command line: `busgate-soc watch`.

Law: a user's mistake is one line that says what is wrong and what to do next. Exit codes: 0 all that came was in order;
1 something did not verify, or what was awaited did not come; 2 it could not be done as asked; 3 no broker.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from busgate.model import BusgateError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  busgate-soc watch --mqtt mqtt://localhost --vkey bus-0421.vkey
  busgate-soc watch --mqtt mqtts://soc@broker.example --all --vkey keys/a.vkey --vkey keys/b.vkey \\
      --key soc.key --state /var/lib/busgate-soc --lang nl

\b
Exit codes: 0 all that came was in order; 1 something did not verify, or what was
awaited did not come; 2 it could not be done as asked; 3 no broker.""",
)
@click.version_option(package_name="busgate")
def group() -> None:
    """Receive, verify and acknowledge what the gates in the buses report."""


@group.command(
    epilog="""\b
Examples:
  busgate-soc watch --mqtt mqtt://localhost --device bus-0421 --vkey device.key.vkey
  busgate-soc watch --mqtt mqtt://localhost --once --json        (catch up, then stop)
  busgate-soc watch --mqtt mqtt://localhost?v=5 --until-size 200 --seconds 60

\b
Without --vkey a log is checked by the key that it brings itself. That shows that
nothing in it was changed, not who wrote it, and every line says so."""
)
@click.option("--mqtt", "url", required=True, metavar="URL", help="mqtt[s]://[user:password@]host[:port][?v=5]")
@click.option("--device", metavar="ID", help="Watch one device.")
@click.option("--all", "everything", is_flag=True, help="Watch all devices (the default).")
@click.option("--vkey", "vkeys", multiple=True, metavar="FILE|TEXT", help="A device's public key; may be repeated.")
@click.option("--key", "key", type=click.Path(path_type=Path), help="This SOC's private key: cosign what verifies.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Folder to keep what was proven; a restart goes on from it."
)
@click.option(
    "--lang", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="Language of the alerts."
)
@click.option("--once", is_flag=True, help="Stop when every device that is online is verified to its last record.")
@click.option("--until-size", type=click.IntRange(min=1), metavar="N", help="Stop when a log is verified at size N.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after so long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--ca", type=click.Path(exists=True), help="PEM file of the CA that signed the broker's certificate.")
@click.option("--cert", type=click.Path(exists=True), help="PEM certificate to show to the broker.")
@click.option("--cert-key", type=click.Path(exists=True), help="PEM key of that certificate.")
def watch(**options: Any) -> None:
    """Verify every log that arrives, cosign it, and print the alerts in it.

    Each alert says when, which vehicle, how bad, what happened and what was done about it, why, and what to do first;
    and whether it is verified, at which size and root.
    """
    if options["device"] and options["everything"]:
        raise click.UsageError("give --device or --all, not both")
    sys.exit(_watch(options))


def _watch(options: dict[str, Any]) -> int:
    from rich.console import Console

    from busgate.report.broker import Connection, Tls, parse_address
    from busgate.trust.keys import load_signer, load_verifier
    from busgate.trust.note import Cosigner
    from busgate_soc.archive import Archive
    from busgate_soc.collector import Collector
    from busgate_soc.keyring import Keyring
    from busgate_soc.screen import Screen
    from busgate_soc.watch import NO_BROKER, Until, Watch

    address = parse_address(options["url"])
    given = [load_verifier(vkey) for vkey in options["vkeys"]]
    signer = load_signer(options["key"]) if options["key"] else None
    archive = Archive(options["state"])
    try:
        cosigner = None if signer is None else Cosigner(signer.name, signer.key)
        collector = Collector(Keyring(given, archive.remembered()), archive, cosigner)
        screen = Screen(Console(highlight=False), options["lang"], as_json=options["as_json"])
        tls = Tls(options["ca"], options["cert"], options["cert_key"])
        connection = Connection(address, f"busgate-soc-{secrets.token_hex(6)}", tls=tls)
        run = Watch(connection, options["device"], collector, screen, options["lang"])
        _stop_on_signals(run)
        code = run.run(Until(options["until_size"], options["once"], options["seconds"]))
    finally:
        archive.close()
    if code == NO_BROKER:
        click.echo(
            f"busgate-soc: {run.trouble}. Next: check the address, and that the broker runs and lets you in", err=True
        )
    return code


def _stop_on_signals(run: Any) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        run.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def main() -> None:
    """Run the command line."""
    try:
        group(prog_name="busgate-soc")
    except BusgateError as fault:
        click.echo(f"busgate-soc: {fault}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does: that is its right, and no news.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
