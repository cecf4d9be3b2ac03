"""A gate between two live wires, from its settings to its end: everything is loaded and checked before a wire is used.

Law: with anything wrong at the start nothing is forwarded, and by nothing older. The log is another process's: the
keeper's, a service of its own or started here.
"""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from busgate.bridge.live import LivePort
from busgate.bridge.port import BridgeError
from busgate.bridge.rawport import RawPort
from busgate.gateway import Gateway
from busgate.judge.floor import Floor, compiled
from busgate.judge.grants import Grant
from busgate.model import BusgateError, Frame, Mode, PolicyRefused
from busgate.record.log import Log
from busgate.record.store import StoreError
from busgate.service import load
from busgate.service.companion import Companion, take_priority
from busgate.service.hold import Hold
from busgate.service.layers import Layers, alone, hindrance, interfaces
from busgate.service.live import Line
from busgate.service.outbox import Outbox, connect_to
from busgate.service.outpost import Outpost
from busgate.service.override import Hand, Switch
from busgate.service.panel import Pulse
from busgate.service.reload import Reload, Wanted
from busgate.service.supervised import Supervised
from busgate.settings import Settings
from busgate.trust.keys import load_signer

Say = Callable[[str], None]
_CHILD_SECONDS = 20.0


class Stop(Protocol):
    """Until when to work, and whether the settings are to be read again."""

    def __call__(self) -> bool:
        """Whether to go on."""
        ...

    @property
    def again(self) -> bool:
        """True once after each wish."""
        ...


def run(settings: Settings, reread: Callable[[], Settings], stop: Stop, say: Say) -> None:
    """Be the gate until `stop`. `reread` gives the settings anew when that is asked for.

    Raises:
        BusgateError: it cannot start, or its keeper cannot.
    """
    tbox, vehicle = str(settings.tbox), str(settings.vehicle)
    with Hold(tbox, vehicle), ExitStack() as leaving:
        with _nothing_older(tbox, vehicle):
            gate = _ready(settings, leaving, say)
        gate.work(lambda: _wanted(reread()), stop)


def _ready(settings: Settings, leaving: ExitStack, say: Say) -> _Gate:
    """Load and check everything, open the wires, put mode, policy and the kernel's part in force."""
    tbox, vehicle = str(settings.tbox), str(settings.vehicle)
    described = load.vehicle(str(settings.profile))
    name = settings.device or load_signer(Path(str(settings.key))).name
    with _refusals_recorded(settings, name):
        adopted = _policy(settings)
        grants = [_grant(path, settings) for path in settings.grants]
    mode = _mode(settings, adopted)
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
    return _Gate(settings, port, post, layers, described, say)


class _Gate:
    """What is joined while the gate works: wires, post, the kernel's part, the local hand, wishes."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is joined
        self,
        settings: Settings,
        port: LivePort | RawPort,
        post: Outpost,
        layers: Layers | str,
        described: load.Vehicle,
        say: Say,
    ) -> None:
        self._described = described
        self._port = port
        self._post = post
        self._why = layers if isinstance(layers, str) else ""
        self._layers = None if isinstance(layers, str) else layers
        self._say = say
        self._returns = 0
        switch = Switch(Path(str(settings.switch or settings.log)))
        self._hand = Hand(switch, post, self._layers, post.gateway.mode)
        self._hand.look(port.now())
        if post.gateway.mode is Mode.LOCAL:
            say("the local override is on: no frame of the T-box crosses")
        if self._layers is not None:
            self._layers.enter(post.gateway.mode)
            port.forget()  # the rules of a gate before this one may have let it cross
            switch.note_wires(*self._layers.between)
        self._first = settings.realtime and take_priority()
        self._panel = settings.panel

    def work(self, read: Callable[[], Wanted], stop: Stop) -> None:
        """Forward until stopped."""
        self._say(self._told())
        reload = Reload(self._post, read, self._adopt, self._enter)

        supervised, pulse = Supervised(), Pulse(self._panel)

        def look(now: int) -> None:
            supervised.works(now)
            pulse.works(now)
            self._hand.look(now)
            if self._port.returns != self._returns:
                self._back(now)
            if stop.again:
                self._say(reload.ask(now, self._hand.ordinary))
            reload.look(now)
            self._port.transmit = self._post.gateway.mode is not Mode.OBSERVE

        gc.collect()
        gc.freeze()  # what was loaded stays; a full collection of it would hold frames up for 0.1 s
        supervised.ready()
        carried = _nobody if self._layers is None else self._layers.carries
        try:
            Line(self._port, self._post, carried=carried, look=look).run(stop)
        finally:
            pulse.close()

    def _back(self, now: int) -> None:
        """An interface came back: the kernel has forgotten what it did for it."""
        self._returns = self._port.returns
        if self._layers is None:
            return
        try:
            self._layers.enter(self._post.gateway.mode)
        except BridgeError as fault:
            self._say(f"an interface came back, and the kernel does not forward for it: {fault}")
            self._post.record((PolicyRefused(now, f"the kernel's rules: {fault}"),), now)

    def _adopt(self, wanted: Wanted, now: int) -> str:
        """Put a policy and grants in force, in the agent and in the kernel; what of it the kernel does not follow."""
        gateway = self._post.gateway
        self._post.record((gateway.adopt(wanted.adopted.policy, now, signed=True),), now)
        fault = ""
        if self._layers is not None:
            self._layers.floor = compiled(wanted.adopted.policy, self._described.profile, self._described.database)
            try:
                self._layers.enter(gateway.mode)
            except BridgeError as refusal:
                fault = f"the kernel does not follow, and keeps none of the T-box's frames any more: {refusal}"
                self._layers.floor = Floor((), ())
                with suppress(BridgeError):
                    self._layers.narrow()
            self._port.forget()
        for grant in wanted.grants:
            self._post.record(gateway.grant(grant, now), now)
        return fault

    def _enter(self, mode: Mode, now: int) -> None:
        self._hand.ordinary = mode
        gateway = self._post.gateway
        if gateway.mode is Mode.LOCAL:
            return  # the local hand's; this comes when it lets go
        if self._layers is not None:
            self._layers.enter(mode)
            self._port.forget()
        self._post.record((gateway.set_mode(mode, now, by="settings", reason="read again"),), now)
        self._say(f"mode {mode.value}: the vehicle stands still")

    def _told(self) -> str:
        """Who forwards, for whoever started this."""
        if self._layers is None:
            return f"the agent alone forwards, and telemetry stops when it does: {self._why}"
        rules = len({rule.rule for rule in self._layers.floor.kernel})
        rules = rules if self._post.gateway.mode is Mode.ENFORCE else 0
        first = "; this one runs before all others" if self._first else ""
        return f"the kernel forwards telemetry and {rules} rules of the policy, also when this program has ended{first}"


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
            try:
                Layers(*names, Floor((), ())).narrow()
            except BridgeError as refusal:
                raise BusgateError(f"{fault}; AND THE KERNEL STILL FORWARDS by the older policy: {refusal}") from None
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


def _nobody(_: Frame) -> bool:
    return False
