"""What the operator's switch does to a gate at work: the mode, the kernel's part, and what the log says of it.

Law: the switch is obeyed first and logged then, each turn of it, also those that were made while no gate ran. A switch
that was on and is not there any more stays on: only a turn lifts it. A gate that only listens goes on only listening.
"""

from __future__ import annotations

from datetime import UTC, datetime

from busgate.bridge.port import BridgeError
from busgate.model import Mode, ModeChange
from busgate.service.layers import Layers
from busgate.service.live import Post
from busgate.service.override import Position, Stamp, Switch
from busgate.service.standing import Standing

LOOKS_EVERY_NS = 10_000_000
_GONE = Position(on=True, by="nobody", reason="the switch's file was taken away; it stays on until it is turned off")


class Hand:
    """Follows the switch for a gate at work."""

    def __init__(
        self, switch: Switch, station: Post, layers: Layers | None, ordinary: Mode, before: Standing | None = None
    ) -> None:
        """`ordinary` is the mode while the switch is off, `before` how the gate before this one left things."""
        self._switch = switch
        self._station = station
        self._layers = layers
        self.ordinary = ordinary
        self._stamp: Stamp = None
        self._looked = 0
        self._untold: list[ModeChange] = []
        self._turn = 0 if before is None else before.turn
        """The last turn that is told."""
        self._on = before is not None and before.cut
        """Whether the switch is known to be on."""

    @property
    def standing(self) -> Standing:
        """How things stand, for the gate that comes after this one."""
        return Standing(self.ordinary, self._turn, self._on)

    @property
    def part(self) -> Mode:
        """In which mode wires and kernel are: under the hand, a gate that only listened listens, the others cut."""
        mode = self._station.gateway.mode
        return Mode.OBSERVE if mode is Mode.LOCAL and self.ordinary is Mode.OBSERVE else mode

    def look(self, now: int) -> None:
        """Do as the switch says; called before each frame, and it looks a hundred times a second at most.

        Raises:
            StoreError: it was done, and could not be logged yet; it is tried again.
        """
        if now - self._looked < LOOKS_EVERY_NS and self._looked:
            return
        first, self._looked = not self._looked, now
        stamp = self._switch.stamp()
        if stamp != self._stamp or (first and self._on):
            self._obey(now, first=first)
            self._stamp = stamp
        while self._untold:
            self._station.record((self._untold[0],), now)
            self._untold.pop(0)

    def _obey(self, now: int, *, first: bool) -> None:
        turns = self._switch.turns()
        position = turns[-1]
        if self._on and not position.on and self._switch.stamp() is None:
            position = _GONE
        late = [each for each in turns[:-1] if each.turn > self._turn]
        new = position.turn > self._turn
        for each in late:
            self._untold.append(self._change(each, now, _dated(each)))
        self._on, self._turn = position.on, max(self._turn, position.turn)
        gateway = self._station.gateway
        wanted = Mode.LOCAL if position.on else self.ordinary
        reason = _dated(position) if first and new else position.reason
        if wanted is not gateway.mode:
            trouble = self._follow(wanted)
            by = position.by or "the switch"
            self._untold.append(gateway.set_mode(wanted, now, by=by, reason=f"{reason}{trouble}"))
        elif new or position is _GONE:
            self._untold.append(self._change(position, now, reason))

    def _follow(self, wanted: Mode) -> str:
        """Have the kernel follow; what of it it did not."""
        if self._layers is None:
            return ""
        listens = wanted is Mode.LOCAL and self.ordinary is Mode.OBSERVE
        try:
            self._layers.enter(Mode.OBSERVE if listens else wanted)
        except BridgeError as fault:
            return f" (the kernel did not follow: {fault})"
        return ""

    def _change(self, position: Position, now: int, reason: str) -> ModeChange:
        """A turn that changes nothing any more, or nothing but who and why."""
        mode, other = (Mode.LOCAL, self.ordinary) if position.on else (self.ordinary, Mode.LOCAL)
        return ModeChange(now, mode, other, position.by or "the switch", reason)


def _dated(position: Position) -> str:
    """The reason of a turn, with its own time: a turn that is logged later than it was made."""
    if not position.at:
        return position.reason
    return f"{position.reason} (turned {datetime.fromtimestamp(position.at // 10**9, UTC):%Y-%m-%d %H:%M:%S}Z)"
