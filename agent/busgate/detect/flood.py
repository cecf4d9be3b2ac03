"""How much one side sends: the frames of the last second, of each identifier and in all.

Law: exact over every second that passes, and bounded: only frames within the limits are remembered, so never more of
them than the total limit, whatever identifiers a stranger makes up.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

SECOND_NS = 1_000_000_000


class Excess(Enum):
    """Which limit a frame is over."""

    OF_ONE = "one identifier"
    OF_ALL = "all together"


class Window:
    """The last second of one side."""

    def __init__(self, per_id: int, total: int) -> None:
        """Limits in frames per second; a frame over a limit does not count towards it, so the rest goes on."""
        self._per_id = per_id
        self._total = total
        self._frames: deque[tuple[int, int]] = deque()
        self._of: dict[int, int] = {}

    def add(self, at: int, can_id: int) -> Excess | None:
        """Count a frame at `at` ns; which limit it is over, if any."""
        frames, counts = self._frames, self._of
        if frames and at < frames[-1][0] - SECOND_NS:
            # Time went back by more than the window: another recording, or a clock that was set.
            frames.clear()
            counts.clear()
        before = at - SECOND_NS
        while frames and frames[0][0] <= before:
            _, gone = frames.popleft()
            left = counts[gone] - 1
            if left:
                counts[gone] = left
            else:
                del counts[gone]
        count = counts.get(can_id, 0)
        if count >= self._per_id:
            return Excess.OF_ONE
        if len(frames) >= self._total:
            return Excess.OF_ALL
        counts[can_id] = count + 1
        frames.append((at, can_id))
        return None
