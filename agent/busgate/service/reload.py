"""A gate at work that is told to read its settings again: a new policy at once, another mode at standstill.

Law: a policy that is refused changes nothing, and the log says so. The mode changes only while the vehicle is known
to stand still; doubt means no. The local human's switch is not touched by any of this.
"""

from __future__ import annotations

from collections.abc import Callable

from busgate.bridge.port import BridgeError
from busgate.model import BusgateError, Mode, PolicyRefused
from busgate.service.live import Post
from busgate.service.load import Adopted

STANDS_KMH = 0.5
SPEED_NS = 1_000_000_000
"""How old the vehicle's word for its speed may be."""

Wanted = tuple[Adopted, Mode]


class Reload:
    """Follows a wish for new settings."""

    def __init__(
        self,
        post: Post,
        read: Callable[[], Wanted],
        adopt: Callable[[Adopted, int], None],
        enter: Callable[[Mode, int], None],
    ) -> None:
        """`read` loads policy and mode, `adopt` puts a policy in force, `enter` a mode, as the ordinary one."""
        self._post = post
        self._read = read
        self._adopt = adopt
        self._enter = enter
        self.awaited: Mode | None = None
        """A mode that waits for standstill."""

    def ask(self, now: int, ordinary: Mode) -> str:
        """Read the settings now; a line for whoever asked."""
        try:
            adopted, mode = self._read()
            self._adopt(adopted, now)
        except BusgateError as fault:
            self._post.record((PolicyRefused(now, str(fault)),), now)
            return f"refused, all stays as it was: {fault}"
        self.awaited = mode if mode is not ordinary else None
        said = f"policy {adopted.policy.policy} version {adopted.policy.version} is in force"
        return said if self.awaited is None else f"{said}; mode {mode.value} when the vehicle stands still"

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
