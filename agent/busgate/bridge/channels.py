"""Which channel of a recording is which side of the gate.

Law: a channel has at most one side, and one without a side is left out, never guessed. Names match exactly, or by
their number where one of the two is only a number: `can1` is the channel `1` of a format that counts its channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from busgate.bridge.port import BridgeError
from busgate.model import Side

ALL = "all"
"""As a channel: every channel that is not named otherwise."""

_TRAILING_NUMBER = re.compile(r"(\d+)$")


class SideMap:
    """The sides of channels, as options give them; given nothing at all, every channel is a tap."""

    def __init__(self, tbox: Iterable[str] = (), vehicle: Iterable[str] = (), tap: Iterable[str] = ()) -> None:
        """Each option may be repeated and may hold several channels: `("can1,can3", "can5")`."""
        given = [(Side.TBOX, tbox), (Side.VEHICLE, vehicle), (Side.TAP, tap)]
        self._named: dict[str, Side] = {}
        self._rest: Side | None = None
        for side, options in given:
            for name in _names(options):
                if name == ALL:
                    self._take_rest(side)
                else:
                    self._name(name, side)
        if not self._named and self._rest is None:
            self._rest = Side.TAP

    @classmethod
    def all_tbox(cls) -> SideMap:
        """Every channel is the T-box's: a capture of its own network traffic."""
        return cls(tbox=(ALL,))

    def __call__(self, channel: str) -> Side | None:
        """The side of a channel; None when it has none and is to be left out."""
        exact = self._named.get(channel)
        if exact is not None:
            return exact
        sides = {side for name, side in self._named.items() if _same(name, channel)}
        if len(sides) > 1:
            raise BridgeError(
                f"channel {channel!r} of the recording could be either side of {', '.join(sorted(sides))}; "
                f"name it exactly: --tbox {channel} or --vehicle {channel}"
            )
        return sides.pop() if sides else self._rest

    def unmet(self, channels: Iterable[str]) -> tuple[str, ...]:
        """The names that were given but are on none of `channels`."""
        known = tuple(channels)
        return tuple(name for name in self._named if not any(_same(name, channel) for channel in known))

    def _name(self, name: str, side: Side) -> None:
        for other, taken in self._named.items():
            if taken is not side and _same(other, name):
                raise BridgeError(f"channel {name!r} is given as --{side} and as --{taken}; a channel has one side")
        self._named[name] = side

    def _take_rest(self, side: Side) -> None:
        if self._rest not in {None, side}:
            raise BridgeError(f"'all' is given as --{side} and as --{self._rest}; a channel has one side")
        self._rest = side


def _names(options: Iterable[str]) -> Iterator[str]:
    for option in options:
        for name in option.split(","):
            if not name.strip():
                raise BridgeError(f"a channel name is missing in {option!r}; write it as in: --tbox can1,can2")
            yield name.strip()


def _same(name: str, channel: str) -> bool:
    if name == channel:
        return True
    if not (name.isdecimal() or channel.isdecimal()):
        return False
    return _number(name) == _number(channel) is not None


def _number(name: str) -> int | None:
    match = _TRAILING_NUMBER.search(name)
    return int(match[1]) if match else None
