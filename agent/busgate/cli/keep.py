"""`busgate keep`: the keeper of the signed log and of its way to the SOC, a process beside the gate."""

from __future__ import annotations

import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from busgate.cli.until_stopped import UntilStopped
from busgate.cli.witness_option import witness_option, witnesses_of
from busgate.model import BusgateError
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.report.broker import Tls
from busgate.report.uplink import Uplink
from busgate.service import load
from busgate.service.keeper import Keeper
from busgate.service.outbox import ACK_BYTES
from busgate.service.supervised import Supervised
from busgate.settings import Broker, Settings
from busgate.trust.keys import is_test_key, load_signer

_LOCK_SECONDS = 6.0
_DRAIN_SECONDS = 5.0
_MOST_GATES = 4
"""The gate of the frames and that of the air side, and their successors before the old ones have let go."""
READY = bytes(ACK_BYTES)
"""Said to the gate when the log is open: nothing is durable yet, and somebody listens."""


@click.command(
    epilog="""\b
Examples:
  busgate keep --config /etc/busgate/busgate.yaml

\b
`busgate run` starts one by itself where its settings name no `keeper` socket. As a service of its own the keeper holds
the device's key, and the gate, which reads what the T-box sends, does not.

\b
Exit codes: 0 stopped as asked; 2 it could not start.""",
)
@click.option("--config", type=click.Path(path_type=Path), help="Settings file.")
@click.option("--socket", "path", metavar="PATH", help="Where the gate finds it. Default: `keeper` of the settings.")
@click.option("--fd", type=int, default=None, hidden=True, help="A connected socket: set by `busgate run`.")
@click.option("--key", default=None, help="The device's private key.")
@click.option("--log", "folder", default=None, help="Folder of the signed log.")
@click.option("--device", default=None, help="The vehicle's name in log and topics. Default: the key's name.")
@click.option("--mqtt", metavar="URL", default=None, help="Publish to this broker.")
@click.option("--ca", default=None, hidden=True)
@click.option("--certificate", default=None, hidden=True)
@click.option("--certificate-key", default=None, hidden=True)
@witness_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    config: Path | None,
    path: str | None,
    fd: int | None,
    key: str | None,
    folder: str | None,
    device: str | None,
    mqtt: str | None,
    ca: str | None,
    certificate: str | None,
    certificate_key: str | None,
    witnesses: tuple[str, ...],
) -> None:
    """Keep the signed log of a gate and send it to the SOC, until stopped."""
    settings = (load.settings(config) if config is not None else Settings()).over(
        key=key, log=folder, device=device, keeper=path
    )
    if mqtt is not None:
        broker = Broker(url=mqtt, ca=ca, certificate=certificate, key=certificate_key, witnesses=witnesses)
        settings = settings.over(broker=broker)
    settings.needed("key", "log", *(() if fd is not None else ("keeper",)))
    going: Callable[[], bool] = UntilStopped() if fd is None else UntilStopped.never()
    if fd is not None:  # the gate says when it ends; a stop is meant for both, and this one has a log to finish
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(5)
    try:
        _keep(settings, fd, going)
    except BusgateError as fault:
        if fd is None or isinstance(fault, _AtWorkError):
            raise
        with suppress(OSError), socket.socket(fileno=fd) as wire:
            wire.send(str(fault).encode())  # the gate says it, in one line, and ends
        raise click.exceptions.Exit(2) from None


class _AtWorkError(BusgateError):
    """A fault after the gate was told that all is well."""


def _keep(settings: Settings, fd: int | None, going: Callable[[], bool]) -> None:
    signer = load_signer(Path(str(settings.key)))
    if is_test_key(signer.verifier):
        raise BusgateError(f"{settings.key} is the published test key. Next: busgate keys new NAME --out device.key")
    name = settings.device or signer.name
    now, wall = time.monotonic_ns(), time.time_ns()

    def opened() -> Log:
        return Log.open(
            Path(str(settings.log)),
            signer,
            device=name,
            boot=uuid.uuid4().hex,
            now=now,
            wall_offset=wall - now,
            wq="rtc",
        )

    log = _patiently(opened, going)
    uplink = None
    with ExitStack() as stack:
        stack.callback(log.close)
        uplink = _uplink(settings.broker, name, log)
        keeper = Keeper(log, uplink)
        if uplink is not None:
            stack.callback(uplink.close)
            uplink.start()
        if fd is not None:
            with socket.socket(fileno=fd) as wire:
                try:
                    _serve(keeper, wire, going)
                except StoreError as fault:
                    raise _AtWorkError(str(fault)) from None
        else:
            _listen(keeper, Path(str(settings.keeper)), going)
        if uplink is not None and (keeper.ended or fd is None):
            uplink.drain(_DRAIN_SECONDS)
    if keeper.ended or fd is None:
        click.echo(f"busgate: stopped; log of {log.size} records, root {log.root.hex()}", err=True)
        if uplink is not None:
            _tell_delivery(uplink, log)


def _serve(keeper: Keeper, wire: socket.socket, going: Callable[[], bool]) -> None:
    with suppress(OSError):
        wire.send(READY)
    keeper.serve(wire, going)


def _listen(keeper: Keeper, path: Path, going: Callable[[], bool]) -> None:
    """Serve the gates of one vehicle at a socket that only the owner and the group may write."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            path.chmod(0o660)
        except OSError as fault:
            raise BusgateError(
                f"{path}: no socket can be made there: {fault.strerror}. Next: check the folder"
            ) from None
        listener.listen(_MOST_GATES)
        listener.setblocking(False)
        supervised = Supervised()
        supervised.ready()

        def at_work() -> bool:
            supervised.works(time.monotonic_ns())
            return going()

        click.echo(f"busgate: keeping the log for a gate that comes to {path}", err=True)
        while at_work():
            try:
                if keeper.turn(listener if keeper.gates < _MOST_GATES else None):
                    _welcome(keeper, listener)
            except StoreError as fault:
                click.echo(f"busgate: {fault}", err=True)
        keeper.close()
    path.unlink(missing_ok=True)


def _welcome(keeper: Keeper, listener: socket.socket) -> None:
    with suppress(BlockingIOError):  # whoever waited has left again
        wire, _ = listener.accept()
        with suppress(OSError):
            wire.send(READY)
        keeper.welcome(wire)


def _patiently(opened: Callable[[], Log], going: Callable[[], bool]) -> Log:
    """Open the log; the keeper of a gate that was killed may need some seconds to let go of it."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return opened()
        except StoreError as fault:
            if "another busgate" not in str(fault) or time.monotonic() > deadline or not going():
                raise
            time.sleep(0.2)


def _uplink(broker: Broker | None, name: str, log: Log) -> Uplink | None:
    if broker is None:
        return None
    tls = Tls(broker.ca, broker.certificate, broker.key) if broker.ca or broker.certificate else None
    return Uplink(broker.url, name, log, tls=tls, witnesses=witnesses_of(broker.witnesses, broker.url))


def _tell_delivery(uplink: Uplink, log: Log) -> None:
    if uplink.cosigned >= log.size:
        said = "every record is cosigned by a witness"
    elif uplink.published >= log.size:
        said = "every record is at the broker; that somebody has checked them is not known (--witness)"
    else:
        said = f"{log.size - uplink.published} records are not at the broker yet; they are sent at the next start"
    click.echo(f"busgate: {said}", err=True)
