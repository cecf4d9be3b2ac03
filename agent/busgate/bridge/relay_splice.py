"""Bytes that go from one socket to another without ever being here: splice(2) through a pipe.

Law: a pipe belongs to one direction while something is in it, and to nobody else before it is empty.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable

_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_WANTED = 1 << 18
_KEPT = 64
"""Empty pipes that are kept for the next flow that needs one."""


class Pipe:
    """A pipe of the kernel's; `held` bytes are in it."""

    __slots__ = ("held", "read_end", "size", "write_end")

    def __init__(self) -> None:
        """Raises OSError when there are no descriptors left."""
        self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # The size is a matter of speed: who may not have a large one gets on with what there is.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, _WANTED)
        self.size = fcntl.fcntl(self.write_end, fcntl.F_GETPIPE_SZ)
        self.held = 0

    def fill(self, source: int) -> int | None:
        """Take what a socket has; how much that was, 0 at its end, None when there is nothing yet."""
        try:
            taken = os.splice(source, self.write_end, self.size, flags=_FLAGS)
        except BlockingIOError:
            return None
        self.held += taken
        return taken

    def drain(self, sink: int) -> int:
        """Give a socket what it takes; how much that was."""
        given = 0
        while self.held:
            try:
                moved = os.splice(self.read_end, sink, self.held, flags=_FLAGS)
            except BlockingIOError:
                break
            self.held -= moved
            given += moved
        return given

    def close(self) -> None:
        """Let go of it and of what is in it."""
        os.close(self.read_end)
        os.close(self.write_end)


class Pipes:
    """Pipes by turns: a flow with nothing under way needs none."""

    def __init__(self, make: Callable[[], Pipe] = Pipe) -> None:
        """None is made yet."""
        self._make = make
        self._empty: list[Pipe] = []

    def take(self) -> Pipe:
        """An empty pipe; raises OSError when there is none to be had."""
        return self._empty.pop() if self._empty else self._make()

    def give_back(self, pipe: Pipe) -> None:
        """Have it back; one that is not empty is closed."""
        if pipe.held or len(self._empty) >= _KEPT:
            pipe.close()
        else:
            self._empty.append(pipe)

    def close(self) -> None:
        """Close those that nobody has."""
        while self._empty:
            self._empty.pop().close()
