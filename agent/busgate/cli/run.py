"""`busgate run`: the gate between two live CAN interfaces, with a signed policy and a key of the device's own."""

from __future__ import annotations

import gc
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import click

from busgate.bridge.live import LivePort
from busgate.bridge.rawport import RawPort
from busgate.cli.witness_option import witness_option, witnesses_of
from busgate.gateway import Gateway
from busgate.judge.floor import Floor, compiled
from busgate.judge.grants import Grant
from busgate.model import BusgateError, Frame, Mode, PolicyRefused
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.report.uplink import Uplink
from busgate.service import load
from busgate.service.layers import Layers, hindrance, interfaces
from busgate.service.live import Line
from busgate.service.override import Hand, Switch
from busgate.service.station import Station
from busgate.trust.keys import is_test_key, load_signer
from busgate.trust.note import Signer


@click.command(
    epilog="""\b
Examples:
  busgate keys new operator --out operator.key
  busgate keys new bus-0421 --out device.key
  busgate policy sign policy.yaml --key operator.key
  busgate run --tbox socketcan:can1 --vehicle socketcan:can0 --profile demo-ebus \\
      --policy policy.yaml.signed --operator operator.key.vkey --key device.key --log busgate-log

\b
A policy or grant that is refused stops the start, and the log says so: nothing is forwarded by an older one.

\b
Exit codes: 0 stopped as asked (SIGTERM, Ctrl-C); 2 it could not start.""",
)
@click.option(
    "--tbox", required=True, metavar="INTERFACE", help="The T-box's side, as interface:channel (socketcan:can1)."
)
@click.option("--vehicle", required=True, metavar="INTERFACE", help="The vehicle's side (socketcan:can0).")
@click.option("--profile", required=True, help="Vehicle profile: a folder or a shipped name.")
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="The operator's signed policy.")
@click.option("--operator", required=True, metavar="VKEY", help="The operator's public key (text or file).")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The device's private key.")
@click.option("--log", "folder", required=True, type=click.Path(path_type=Path), help="Folder of the signed log.")
@click.option("--grant", "grants", type=click.Path(path_type=Path), multiple=True, help="A signed maintenance grant.")
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
def command(  # noqa: PLR0913 - one parameter an option
    *,
    tbox: str,
    vehicle: str,
    profile: str,
    policy: Path,
    operator: str,
    key: Path,
    folder: Path,
    grants: tuple[Path, ...],
    device: str | None,
    mode: str | None,
    mqtt: str | None,
    witnesses: tuple[str, ...],
    kernel: bool | None,
) -> None:
    """Be the gate between the T-box's and the vehicle's CAN interface, until stopped.

    Everything is loaded and checked before an interface is touched; with anything wrong, nothing is forwarded.
    """
    signer = load_signer(key)
    if is_test_key(signer.verifier):
        raise BusgateError(f"{key} is the published test key. Next: busgate keys new NAME --out device.key")
    described = load.vehicle(profile)
    name = device or signer.name
    heard = witnesses_of(witnesses, mqtt)
    with _refusals_recorded(folder, signer, name), _nothing_older(tbox, vehicle):
        adopted = load.policy(policy, operator=operator, unsigned=False)
        made_out = [load.grant(path, operator=operator, unsigned=False) for path in grants]
    chosen = Mode(mode) if mode is not None else Mode(adopted.policy.mode or Mode.ENFORCE)
    layers = _layers((tbox, vehicle), compiled(adopted.policy, described.profile, described.database), wanted=kernel)
    opened = RawPort if RawPort.serves(tbox, vehicle) else LivePort
    with opened.open(tbox, vehicle, transmit=chosen is not Mode.OBSERVE, echoed=isinstance(layers, str)) as port:
        start = port.now()
        offset = port.wall() - start
        gateway = Gateway(described.profile, described.database, mode=chosen, wall_offset=offset, device=name)
        log = Log.open(folder, signer, device=name, boot=uuid.uuid4().hex, now=start, wall_offset=offset, wq="rtc")
        uplink = Uplink(mqtt, name, log, witnesses=heard) if mqtt is not None else None
        station = Station(gateway, log, uplink)
        try:
            if uplink is not None:
                uplink.start()
            _begin(station, adopted, made_out, start)
            click.echo(
                f"busgate: {chosen.value} between {tbox} (T-box) and {vehicle} (vehicle); log in {folder}", err=True
            )
            gc.freeze()  # what was loaded stays; a full collection of it would hold frames up for 0.1 s
            _work(port, station, layers, Switch(folder))
        finally:
            if uplink is not None:
                uplink.drain(5.0)
                uplink.close()
            log.close()
    click.echo(f"busgate: stopped; log of {log.size} records, root {log.root.hex()}", err=True)
    if uplink is not None:
        _tell_delivery(uplink, log)


@contextmanager
def _nothing_older(tbox: str, vehicle: str) -> Iterator[None]:
    """Where a policy or grant is refused, the kernel forwards no more by an older one; telemetry flows on."""
    try:
        yield
    except BusgateError:
        if (names := interfaces(tbox, vehicle)) is not None and hindrance(tbox, vehicle) is None:
            Layers(*names, Floor((), ())).narrow()
        raise


def _layers(wires: tuple[str, str], floor: Floor, *, wanted: bool | None) -> Layers | str:
    """The kernel's part, or why there is none; raises BusgateError if it was asked for and cannot be."""
    names = interfaces(*wires)
    why = "it was not wanted" if wanted is False else hindrance(*wires)
    if why is None and names is not None:
        return Layers(*names, floor)
    if wanted:
        raise BusgateError(f"the kernel cannot forward here: {why}. Next: leave --kernel out")
    return str(why)


def _work(port: LivePort | RawPort, station: Station, floor: Layers | str, switch: Switch) -> None:
    """Forward until stopped; override, kernel's part and agent's are in force from the first frame on."""
    layers = None if isinstance(floor, str) else floor
    ordinary = station.gateway.mode
    hand = Hand(switch, station, layers, ordinary)
    hand.look(port.now())
    if station.gateway.mode is not ordinary:
        click.echo("busgate: the local override is on: no frame of the T-box crosses", err=True)
    if layers is not None:
        layers.enter(station.gateway.mode)
        switch.note_wires(*layers.between)
    click.echo(f"busgate: {_told(floor, station.gateway.mode)}", err=True)
    carried = _nobody if layers is None else layers.carries
    Line(port, station, carried=carried, look=hand.look).run(_until_stopped())


def _told(floor: Layers | str, mode: Mode) -> str:
    """Who forwards, for whoever started this."""
    if isinstance(floor, str):
        return f"the agent alone forwards, and telemetry stops when it does: {floor}"
    rules = len({rule.rule for rule in floor.floor.kernel}) if mode is Mode.ENFORCE else 0
    return f"the kernel forwards telemetry and {rules} rules of the policy, also when this program has ended"


def _nobody(_: Frame) -> bool:
    return False


def _begin(station: Station, adopted: load.Adopted, grants: list[Grant], start: int) -> None:
    """Put mode, policy and grants in force; one that the gate refuses is in the log when this raises."""
    gateway = station.gateway
    station.record((gateway.set_mode(gateway.mode, start, by="busgate run", reason="start"),), start)
    try:
        station.record((gateway.adopt(adopted.policy, start, signed=True),), start)
        for grant in grants:
            station.record(gateway.grant(grant, start), start)
    except BusgateError as fault:
        station.record((PolicyRefused(start, str(fault)),), start)
        raise


@contextmanager
def _refusals_recorded(folder: Path, signer: Signer, device: str) -> Iterator[None]:
    """A policy or grant that cannot be taken is somebody's attempt: it goes into the log before it is told."""
    try:
        yield
    except BusgateError as fault:
        now, wall = time.monotonic_ns(), time.time_ns()
        boot = uuid.uuid4().hex
        with (
            suppress(StoreError),  # a log that cannot be written must not hide why the start was refused
            Log.open(folder, signer, device=device, boot=boot, now=now, wall_offset=wall - now, wq="rtc") as log,
        ):
            log.record(PolicyRefused(now, str(fault)), now, urgent=True)
        raise


def _tell_delivery(uplink: Uplink, log: Log) -> None:
    if uplink.cosigned >= log.size:
        said = "every record is cosigned by a witness"
    elif uplink.published >= log.size:
        said = "every record is at the broker; that somebody has checked them is not known (--witness)"
    else:
        said = f"{log.size - uplink.published} records are not at the broker yet; they are sent at the next start"
    click.echo(f"busgate: {said}", err=True)


class _until_stopped:  # noqa: N801 - read as a phrase where it is used
    """True until SIGTERM or Ctrl-C asks for the end."""

    def __init__(self) -> None:
        self._going = True
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)

    def __call__(self) -> bool:
        return self._going

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._going = False
