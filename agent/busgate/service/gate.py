"""A gate between two live wires, from its settings to its end: everything is loaded and checked before a wire is used.

Law: with anything wrong at the start nothing is forwarded, and by nothing older. The log is another process's: the
keeper's, a service of its own or started here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from busgate.bridge.live import LivePort
from busgate.bridge.port import BridgeError
from busgate.bridge.rawport import RawPort
from busgate.gateway import Gateway
from busgate.judge.floor import Floor, compiled
from busgate.judge.grants import Grant
from busgate.model import BusgateError, Mode, PolicyRefused
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.service import load, standing
from busgate.service.companion import Companion
from busgate.service.duty import Duty, Parts, Say, Stop
from busgate.service.hold import Hold
from busgate.service.layers import Layers, alone, hindrance, interfaces
from busgate.service.outbox import Outbox, connect_to
from busgate.service.outpost import Outpost
from busgate.service.override import switch_of
from busgate.service.reload import Wanted
from busgate.settings import Settings
from busgate.trust.keys import load_signer

_CHILD_SECONDS = 20.0


def run(settings: Settings, reread: Callable[[], Settings], stop: Stop, say: Say, check: Callable[[], None]) -> None:
    """Be the gate until `stop`. `reread` gives the settings anew when that is asked for; `check` looks them over first.

    Raises:
        BusgateError: it cannot start, or its keeper cannot.
    """
    tbox, vehicle = str(settings.tbox), str(settings.vehicle)
    with Hold(tbox, vehicle) as hold, ExitStack() as leaving:
        with _nothing_older(tbox, vehicle):
            check()
            duty = _ready(settings, hold, leaving, say)
        duty.work(lambda: _wanted(reread()), stop)


def _ready(settings: Settings, hold: Hold, leaving: ExitStack, say: Say) -> Duty:
    """Load and check everything, open the wires, put mode, policy and the kernel's part in force."""
    tbox, vehicle = str(settings.tbox), str(settings.vehicle)
    described = load.vehicle(str(settings.profile))
    name = settings.device or load_signer(Path(str(settings.key))).name
    with _refusals_recorded(settings, name):
        adopted = _policy(settings)
        grants = [_grant(path, settings) for path in settings.grants]
    wanted = _mode(settings, adopted)
    before = standing.read(switch_of(settings).folder)
    mode = standing.first_mode(before, wanted)
    layers = _layers(settings, compiled(adopted.policy, described.profile, described.database))
    taken = alone(tbox, vehicle) if isinstance(layers, str) else ""
    port = _opened(settings, transmit=mode is not Mode.OBSERVE, echoed=isinstance(layers, str))
    leaving.callback(port.close)
    start = port.now()
    gateway = Gateway(described.profile, described.database, mode=mode, wall_offset=port.wall() - start, device=name)
    companion = None if settings.keeper else Companion(keeper_words(settings, name))
    post = Outpost(gateway, _outbox(settings, companion))
    if companion is not None:
        leaving.callback(companion.wait, _CHILD_SECONDS)
    leaving.callback(post.close)
    _begin(post, adopted, grants, start)
    say(f"{mode.value} between {tbox} (T-box) and {vehicle} (vehicle); log in {settings.log}")
    if taken:
        say(taken)
    duty = Duty(Parts(settings, hold, port, post, layers, described, say), before, wanted)
    leaving.callback(duty.close)
    return duty


def keeper_words(settings: Settings, name: str) -> list[str]:
    """The options of `busgate keep` for a gate with these settings."""
    words = ["--log", str(settings.log), "--key", str(settings.key), "--device", name]
    if (broker := settings.broker) is not None:
        words += ["--mqtt", broker.url]
        for option, value in (("ca", broker.ca), ("certificate", broker.certificate), ("certificate-key", broker.key)):
            words += [f"--{option}", value] if value is not None else []
        for witness in broker.witnesses:
            words += ["--witness", witness]
    return words


def _outbox(settings: Settings, companion: Companion | None) -> Outbox:
    if companion is None:
        return Outbox(connect_to(str(settings.keeper)))
    return Outbox(companion.connect, companion.start())


def _opened(settings: Settings, *, transmit: bool, echoed: bool) -> LivePort | RawPort:
    tbox, vehicle = str(settings.tbox), str(settings.vehicle)
    if RawPort.serves(tbox, vehicle):
        return RawPort.open(tbox, vehicle, transmit=transmit, echoed=echoed)
    return LivePort.open(tbox, vehicle, transmit=transmit, echoed=echoed)


def _policy(settings: Settings) -> load.Adopted:
    return load.policy(Path(str(settings.policy)), operator=str(settings.operator), unsigned=False)


def _grant(path: str, settings: Settings) -> Grant:
    return load.grant(Path(path), operator=str(settings.operator), unsigned=False)


def _mode(settings: Settings, adopted: load.Adopted) -> Mode:
    return settings.mode if settings.mode is not None else Mode(adopted.policy.mode or Mode.ENFORCE)


def _wanted(settings: Settings) -> Wanted:
    adopted = _policy(settings)
    grants = tuple(_grant(path, settings) for path in settings.grants)
    return Wanted(adopted, _mode(settings, adopted), grants)


def _layers(settings: Settings, floor: Floor) -> Layers | str:
    """The kernel's part, or why there is none; raises BusgateError if it was asked for and cannot be."""
    wires = str(settings.tbox), str(settings.vehicle)
    names = interfaces(*wires)
    why = "it was not wanted" if settings.kernel is False else hindrance(*wires)
    if why is None and names is not None:
        return Layers(*names, floor)
    if settings.kernel:
        raise BusgateError(f"the kernel cannot forward here: {why}. Next: leave --kernel out")
    return str(why)


def _begin(post: Outpost, adopted: load.Adopted, grants: list[Grant], start: int) -> None:
    """Put mode, policy and grants in force; one that the gate refuses is in the log when this raises."""
    gateway = post.gateway
    post.record((gateway.set_mode(gateway.mode, start, by="busgate run", reason="start"),), start)
    try:
        post.record((gateway.adopt(adopted.policy, start, signed=True),), start)
        for grant in grants:
            post.record(gateway.grant(grant, start), start)
    except BusgateError as fault:
        post.record((PolicyRefused(start, str(fault)),), start)
        raise


@contextmanager
def _nothing_older(tbox: str, vehicle: str) -> Iterator[None]:
    """Where a start fails, whatever the reason, the kernel forwards no more by an older policy; telemetry flows on."""
    try:
        yield
    except BusgateError as fault:
        if (names := interfaces(tbox, vehicle)) is not None:
            kernel, older = Layers(*names, Floor((), ())), 0
            try:
                older = kernel.control()
                kernel.narrow()
            except BridgeError as refusal:
                if older:
                    raise BusgateError(f"{fault} AND THE KERNEL STILL FORWARDS by an older policy: {refusal}") from None
        raise


@contextmanager
def _refusals_recorded(settings: Settings, device: str) -> Iterator[None]:
    """A policy or grant that cannot be taken is somebody's attempt: it goes into the log before it is told."""
    try:
        yield
    except BusgateError as fault:
        now, wall = time.monotonic_ns(), time.time_ns()
        refused = PolicyRefused(now, str(fault))
        if settings.keeper:
            outbox = Outbox(connect_to(settings.keeper))
            outbox.put(refused)
            outbox.finish(now, 1.0)
            outbox.close()
            raise
        boot, signer = uuid.uuid4().hex, load_signer(Path(str(settings.key)))
        with (
            suppress(StoreError),  # a log that cannot be written must not hide why the start was refused
            Log.open(
                Path(str(settings.log)), signer, device=device, boot=boot, now=now, wall_offset=wall - now, wq="rtc"
            ) as log,
        ):
            log.record(refused, now, urgent=True)
        raise
