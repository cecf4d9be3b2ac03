"""How time passes while a scenario is played: as fast as it can, or by the wall's clock, in memory or on real wires.

Law: what happens in the world does not depend on it, but for what others say on real wires.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from busgate_sim.live import Live, wires
from busgate_sim.stage import Stage

Passes = Callable[[float], None]
"""Lets seconds of the world pass."""

_TOLERATED_S = 0.1


@contextmanager
def paced(stage: Stage, wire: str, speed: float | None) -> Iterator[Passes]:
    """How to let time pass on this wire at this speed; `speed` None is as fast as it can, on real wires 1.

    Raises:
        BusgateError: the wires cannot be opened.
    """
    if wire == "memory":
        yield stage.run if speed is None else _slowly(stage, speed)
        return
    with Live(stage, *wires(wire)) as live:
        yield lambda seconds: live.run(seconds, speed or 1.0)
    if live.behind > _TOLERATED_S:
        print(
            f"the simulation was up to {live.behind:.2f} s late: this machine is too slow for --speed {speed or 1:g}",
            file=sys.stderr,
        )


def _slowly(stage: Stage, speed: float) -> Passes:
    began, from_ = time.monotonic(), stage.world.now

    def passes(seconds: float) -> None:
        stage.run(seconds)
        time.sleep(max(0.0, began + (stage.world.now - from_) / 1e9 / speed - time.monotonic()))

    return passes
