"""The operator's panel: the key switch that cuts the T-box off, and the bypass relay's pulse.

Law: the key is level-driven: while it says cut, the override is on, whoever else lifts it; turned back, it lifts only
what it put itself. A key that cannot be read says cut. The relay is pulsed while the gate works, and for as long as the
override is on: a relay that joins the wires when the gate dies never does so against the local hand.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from busgate.bridge.gpio import Contact, Drive
from busgate.bridge.port import BridgeError
from busgate.model import BusgateError
from busgate.service.override import Position, Stamp, Switch, UnsaidError, crossing, cut

BY = "key switch"
LOOKS_EVERY_S = 0.01
SETTLED_NS = 50_000_000
"""How long the key must say "normal" before it is believed; "cut" is believed at once."""

BEATS_EVERY_NS = 50_000_000
ALIVE_NS = 300_000_000
"""How long after its last beat the gate counts as working; the relay falls its monostable's time after that."""

CUT_AGAIN_NS = 1_000_000_000
"""How often the kernel's rules are looked at while the override is on."""

_BEAT = b"1"


class Pulse:
    """The gate's word to the panel that it works."""

    def __init__(self, path: str | None) -> None:
        """`path` is the panel's socket; None where there is no panel."""
        self._path = path
        self._due = 0
        self._wire = None if path is None else socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def works(self, now: int) -> None:
        """Called from within the gate's work, often; a panel that is not there is not missed."""
        if self._wire is None or self._path is None or now < self._due:
            return
        self._due = now + BEATS_EVERY_NS
        with suppress(OSError):
            self._wire.sendto(_BEAT, self._path)

    def close(self) -> None:
        """No more beats."""
        if self._wire is not None:
            self._wire.close()


class Panel:
    """Key and relay at work. Any of the two may be missing."""

    def __init__(self, switch: Switch, key: Contact | None, relay: Drive | None, *, cut_when_closed: bool) -> None:
        """`cut_when_closed` is which position of the contact cuts; the other one is a broken wire's, too."""
        self._switch = switch
        self._key = key
        self._relay = relay
        self._cut_when_closed = cut_when_closed
        self._normal_since: int | None = None
        self._beat: int | None = None
        self._high = False
        self._mine = False
        """The switch is on by the key, though its file could not say so."""
        self._seen: Stamp = None
        self._cut_again = 0
        self.trouble = ""
        """Why the last turn could not be carried out; empty while all is well."""

    def beat(self, now: int) -> None:
        """The gate says that it works."""
        self._beat = now

    def look(self, now: int) -> None:
        """Do as the key says, and pulse; called a hundred times a second."""
        position = self._switch.read()
        if self._key is not None:
            position = self._follow(position, now)
        self._hold(position, now)
        if self._relay is None:
            return
        works = self._beat is not None and now - self._beat <= ALIVE_NS
        # A monostable that is triggered by edges holds the relay; a level that stays lets it fall.
        self._high = not self._high if works or position.on else False
        self._relay.put(high=self._high)

    def _follow(self, position: Position, now: int) -> Position:
        closed = None if self._key is None else self._key.closed()
        if closed is None or closed is self._cut_when_closed:
            self._normal_since = None
            why = "turned to cut" if closed is not None else "the key switch cannot be read"
            return position if position.on else self._turn(Position(on=True, by=BY, reason=why))
        self._normal_since = now if self._normal_since is None else self._normal_since
        ours = position.by == BY or self._mine
        if position.on and ours and now - self._normal_since >= SETTLED_NS:
            return self._turn(Position(on=False, by=BY, reason="turned to normal"))
        return position

    def _turn(self, position: Position) -> Position:
        self._mine = False
        try:
            self._switch.turn(position)
            self.trouble = ""
        except UnsaidError as fault:
            self.trouble, self._mine = str(fault), True
        except BusgateError as fault:
            self.trouble = str(fault)
        if position.on:
            self._cut()
        return position

    def _hold(self, position: Position, now: int) -> None:
        """While the switch is on, whoever turned it, the kernel lets nothing of the T-box's cross.

        Who is of the group may turn it and may not touch the kernel's rules; this service may.
        """
        stamp = self._switch.stamp()
        if stamp == self._seen and now < self._cut_again:
            return
        self._seen, self._cut_again = stamp, now + CUT_AGAIN_NS
        if position.on:
            with suppress(BridgeError):
                if crossing(self._switch):
                    self._cut()

    def _cut(self) -> None:
        try:
            cut(self._switch)
        except BridgeError as fault:
            self.trouble = str(fault)


def work(
    panel: Panel, path: str | None, going: Callable[[], bool], look: Callable[[int], None], say: Callable[[str], None]
) -> None:
    """Be the panel until not `going`. `look` is called with the time at each turn (for a supervisor)."""
    with _door(path) as door:
        told = ""
        while going():
            now = time.monotonic_ns()
            with suppress(BlockingIOError):
                while door.recv(16):
                    panel.beat(now)
            panel.look(now)
            if panel.trouble != told:
                told = panel.trouble
                if told:
                    say(told)
            look(now)
            time.sleep(LOOKS_EVERY_S)


def _door(path: str | None) -> socket.socket:
    """The socket at which the gate's beats arrive."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    if path is None:
        return door
    try:
        Path(path).unlink(missing_ok=True)
        door.bind(path)
        Path(path).chmod(0o660)
    except OSError as fault:
        door.close()
        raise BusgateError(f"{path} cannot be made: {fault.strerror}. Next: check the folder and its owner") from None
    return door
