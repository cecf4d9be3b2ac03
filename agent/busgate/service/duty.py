"""A gate at its work: wires, post, the kernel's part, the local hand and new settings, joined until it is told to stop.

Law: the kernel's part follows every change of mode and policy at once, and is set again when somebody else changes it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from busgate.bridge.live import LivePort
from busgate.bridge.port import BridgeError
from busgate.bridge.rawport import RawPort
from busgate.judge.floor import Floor, compiled
from busgate.model import BusgateError, Frame, Mode, PolicyRefused
from busgate.service import load, standing
from busgate.service.companion import take_priority
from busgate.service.exchange import FramesEnd
from busgate.service.hand import Hand
from busgate.service.hold import Hold
from busgate.service.layers import Layers
from busgate.service.live import Line
from busgate.service.outpost import Outpost
from busgate.service.override import switch_of
from busgate.service.panel import Pulse
from busgate.service.reload import Reload, Wanted
from busgate.service.standing import Standing
from busgate.service.supervised import Supervised
from busgate.service.vigil import Vigil
from busgate.settings import Settings

Say = Callable[[str], None]


class Stop(Protocol):
    """Until when to work, and whether the settings are to be read again."""

    def __call__(self) -> bool:
        """Whether to go on."""
        ...

    @property
    def again(self) -> bool:
        """True once after each wish."""
        ...


class Parts(NamedTuple):
    """What a gate is joined from; `layers` is the kernel's part, or why there is none."""

    settings: Settings
    hold: Hold
    port: LivePort | RawPort
    post: Outpost
    layers: Layers | str
    described: load.Vehicle
    say: Say


class Duty:
    """A gate at work."""

    def __init__(self, parts: Parts, before: Standing, wanted: Mode) -> None:
        """Put the switch and the kernel's part in force; `wanted` is the mode of the settings, and may have to wait.

        Raises:
            BusgateError: the kernel does not do its part.
        """
        self._described, self._port, self._post, self._say = parts.described, parts.port, parts.post, parts.say
        self._why = parts.layers if isinstance(parts.layers, str) else ""
        self._layers = None if isinstance(parts.layers, str) else parts.layers
        self._returns = 0
        self._panel = parts.settings.panel
        self._trouble: dict[str, str] = {}
        switch, gateway = switch_of(parts.settings), parts.post.gateway
        self._awaited = None if wanted is gateway.mode else wanted
        if self._awaited is not None:
            self._say(
                f"mode {gateway.mode.value} as before; {wanted.value} when the vehicle is known to stand still "
                f"({switch.folder / standing.STANDING} keeps it over restarts)"
            )
        self._hand = Hand(switch, self._post, self._layers, gateway.mode, before)
        self._hand.look(self._port.now())
        if gateway.mode is Mode.LOCAL:
            self._say("the local override is on: no frame of the T-box crosses")
        if self._layers is not None:
            self._layers.enter(self._hand.part)
            self._port.forget()  # the rules of a gate before this one may have let it cross
            try:
                switch.note_wires(*self._layers.between)
            except BusgateError as fault:
                self._say(str(fault))
        self._port.transmit = self._hand.part is not Mode.OBSERVE
        self._vigil = Vigil(parts.hold, self._layers, self._words, switch.folder, lambda: self._hand.standing)
        self._first = parts.settings.realtime and take_priority()
        network = parts.settings.network
        self._air = FramesEnd(None if network is None else network.exchange, gateway, self._post.record)

    def close(self) -> None:
        """Look after nothing any more."""
        self._vigil.close()
        self._air.close()

    def work(self, read: Callable[[], Wanted], stop: Stop) -> None:
        """Forward until stopped."""
        self._say(self._told())
        reload = Reload(self._post, read, self._adopt, self._enter)
        reload.awaited = self._awaited
        supervised, pulse = Supervised(), Pulse(self._panel)

        def look(now: int) -> None:
            supervised.works(now)
            pulse.works(now)
            self._hand.look(now)
            self._air.look(now)
            self._mend(now)
            if stop.again:
                self._say(reload.ask(now, self._hand.ordinary))
            reload.look(now)
            self._port.transmit = self._hand.part is not Mode.OBSERVE

        self._vigil.start(first=self._first)
        gc.collect()
        gc.freeze()  # what was loaded stays; a full collection of it would hold frames up for 0.1 s
        supervised.ready()
        carried = _nobody if self._layers is None else self._layers.carries
        try:
            Line(self._port, self._post, carried=carried, look=look).run(stop)
        finally:
            pulse.close()

    def _words(self) -> dict[str, object]:
        """What is told to whoever asks this gate: its mode, and how often which rule let a frame pass or blocked it."""
        rules: dict[str, dict[str, int]] = {}
        for (rule, action), count in dict(self._post.judged).items():
            rules.setdefault(rule, {})[action.name.lower()] = count
        return {"mode": self._post.gateway.mode.value, "rules": rules}

    def _mend(self, now: int) -> None:
        """Have the kernel do its part again where an interface came back or somebody has changed its rules."""
        self._tell("standing", self._vigil.trouble)
        if self._layers is None:
            return
        came_back = self._port.returns != self._returns
        if not came_back and self._vigil.undone != self._layers.entered:
            return
        self._returns = self._port.returns
        why = "an interface came back" if came_back else "somebody has changed the kernel's rules"
        try:
            self._layers.enter(self._hand.part)
            self._port.forget()
        except BridgeError as fault:
            self._tell("kernel", f"{why}, and it does not forward as it should: {fault}", now)
            return
        self._trouble.pop("kernel", None)
        if not came_back:
            self._tell("kernel", f"{why}; they are set again", now)
            self._trouble.pop("kernel", None)

    def _tell(self, about: str, what: str, now: int | None = None) -> None:
        """Say what is wrong, once; with `now` the log says it, too."""
        if what == self._trouble.get(about, ""):
            return
        self._trouble[about] = what
        if what:
            self._say(what)
        if now is not None:
            self._post.record((PolicyRefused(now, f"the kernel's rules: {what}"),), now)

    def _adopt(self, wanted: Wanted, now: int) -> str:
        """Put a policy and grants in force, in the agent and in the kernel; what of it the kernel does not follow."""
        gateway = self._post.gateway
        self._post.record((gateway.adopt(wanted.adopted.policy, now, signed=True),), now)
        fault = ""
        if self._layers is not None:
            self._layers.floor = compiled(wanted.adopted.policy, self._described.profile, self._described.database)
            try:
                self._layers.enter(self._hand.part)
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
        if gateway.mode is Mode.LOCAL:  # the local hand's; this comes when it lets go
            if self._layers is not None:
                self._layers.enter(self._hand.part)
            return
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


def _nobody(_: Frame) -> bool:
    return False
