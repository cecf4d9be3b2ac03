"""A gate at work that is told to read its settings again: a new policy at once, another mode at standstill.

Law: a policy that is refused changes nothing, nor does what comes with it, and the log says so. The mode changes only
while the vehicle is known to stand still; doubt means no. The local human's switch is not touched by any of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from busgate.bridge.port import BridgeError
from busgate.judge.grants import Grant
from busgate.model import BusgateError, Mode, PolicyRefused
from busgate.service.live import Post
from busgate.service.load import Adopted

STANDS_KMH = 0.5
SPEED_NS = 1_000_000_000
"""How old the vehicle's word for its speed may be."""


class Wanted(NamedTuple):
    """What the settings ask for now."""

    adopted: Adopted
    mode: Mode
    grants: tuple[Grant, ...] = ()


class Reload:
    """Follows a wish for new settings."""

    def __init__(
        self,
        post: Post,
        read: Callable[[], Wanted],
        adopt: Callable[[Wanted, int], str],
        enter: Callable[[Mode, int], None],
    ) -> None:
        """`read` loads policy, mode and grants; `adopt` puts policy and grants in force and says what did not follow.

        `enter` makes a mode the ordinary one.
        """
        self._post = post
        self._read = read
        self._adopt = adopt
        self._enter = enter
        self.awaited: Mode | None = None
        """A mode that waits for standstill."""

    def ask(self, now: int, ordinary: Mode) -> str:
        """Read the settings now; a line for whoever asked."""
        try:
            wanted = self._read()
            unfollowed = self._adopt(wanted, now)
        except BusgateError as fault:
            self._post.record((PolicyRefused(now, str(fault)),), now)
            return f"refused: {fault}"
        self.awaited = wanted.mode if wanted.mode is not ordinary else None
        policy = wanted.adopted.policy
        said = [f"policy {policy.policy} version {policy.version} is in force"]
        if self.awaited is not None:
            said.append(f"mode {self.awaited.value} when the vehicle stands still")
        if unfollowed:
            said.append(unfollowed)
            self._post.record((PolicyRefused(now, unfollowed),), now)
        return "; ".join(said)

    def look(self, now: int) -> None:
        """Enter the awaited mode, if the vehicle stands still by its own word."""
        if self.awaited is None:
            return
        speed = self._post.gateway.situation.get("speed", now, SPEED_NS)
        if speed is None or speed > STANDS_KMH:
            return
        mode, self.awaited = self.awaited, None
        try:
            self._enter(mode, now)
        except BridgeError as fault:
            self._post.record((PolicyRefused(now, f"mode {mode.value}: {fault}"),), now)
