"""An attacker's hands on the T-box's wire: any act of the T-box, typed, said on a real wire.

Law: whoever has broken into a T-box can say whatever it can; nothing here is more than that.
"""

from __future__ import annotations

from typing import Self

from busgate.model import BusgateError, Side
from busgate_sim.air import Air
from busgate_sim.encoder import Encoder
from busgate_sim.live import Live
from busgate_sim.stage import FILES, PROFILE
from busgate_sim.tbox_firmware.unit import TboxUnit
from busgate_sim.told import KINDS, UPDATE, Doing
from busgate_sim.wire import Wire
from busgate_sim.world import World

ACTS = sorted(KINDS - {UPDATE})
_LASTS_MOST = 120.0
_QUIET_SECONDS = 1.0


class Fingers:
    """A T-box that says nothing by itself, on a real wire; a context that closes it."""

    def __init__(self, wire: str) -> None:
        """Opens the wire.

        Raises:
            BusgateError: it cannot be opened.
        """
        self.said = 0
        """Frames so far."""
        self._world = World()
        inner = Wire(self._world, "can1")
        self._unit = TboxUnit(self._world, inner, Encoder(PROFILE, FILES), place=lambda: (0.0, 0.0))
        self._unit.silent = True
        self._doing = Doing(self._world, Air(self._world), self._unit, lambda _: None)
        self._live = Live(self._world, {Side.TBOX: (wire, inner)})
        inner.watch(lambda _, __, name: self._count(name))

    def __enter__(self) -> Self:
        """Begin to hear what the bus answers."""
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the wire."""
        self._live.__exit__(*exc)

    def act(self, words: list[str]) -> list[str]:
        """Do one thing, as in `drive.limit torque=20`; what control units answered, in hexadecimal.

        Raises:
            BusgateError: there is no such act, or its arguments do not fit.
        """
        name, told = parsed(words)
        talks = len(self._doing.talks)
        try:
            self._doing.does(name, told, "attack")
        except (ValueError, KeyError) as wrong:
            raise BusgateError(f"{name} cannot be done so: {wrong}") from None
        passed, said = 0.0, -1
        while passed < _LASTS_MOST and said != self.said:
            said = self.said
            self._live.run(_QUIET_SECONDS)
            passed += _QUIET_SECONDS
        return [answer.hex() for talk in self._doing.talks[talks:] for answer in talk.answers]

    def _count(self, name: str) -> None:
        self.said += name == "TBOX"


def parsed(words: list[str]) -> tuple[str, dict[str, float | str]]:
    """An act and its arguments, from words as `tsc1`, `torque=0`, `sa=0x17`.

    Raises:
        BusgateError: the first word is no act, or another one is no argument.
    """
    if not words or words[0] not in ACTS:
        raise BusgateError(f"there is no act {' '.join(words[:1])!r}; there are {', '.join(ACTS)}")
    told: dict[str, float | str] = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise BusgateError(f"{word!r} is no argument; write name=value, as in {words[0]} times=3")
        told[name] = _value(name, value)
    return words[0], told


def _value(name: str, value: str) -> float | str:
    if name in {"data", "request", "requests", "url", "version"}:
        return value
    try:
        return float(int(value, 0))
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return value
