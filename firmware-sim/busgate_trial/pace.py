"""How time passes while a scenario is played: as fast as it can, or by the wall's clock, in memory or on real wires.

Law: what happens in the world does not depend on it, but for what others say on real wires or at a platform elsewhere.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from busgate.model import BusgateError
from busgate_sim.afar import Afar
from busgate_sim.cloud.certificate import trusts
from busgate_sim.live import Live, both, wires
from busgate_sim.stage import Stage
from busgate_sim.tbox_firmware.dial import Where

Passes = Callable[[float], None]
"""Lets seconds of the world pass."""

MEMORY = "memory"
_TOLERATED_S = 0.1
_LAST_PORT = 65_535


class Around(NamedTuple):
    """What is around the world: its wires, how fast it goes (None: as fast as it can), who its platform is."""

    wire: str = MEMORY
    speed: float | None = None
    cloud: Where | None = None


@contextmanager
def paced(stage: Stage, around: Around) -> Iterator[Passes]:
    """How to let time pass there.

    Raises:
        BusgateError: the wires cannot be opened.
    """
    speed = around.speed or 1.0
    with ExitStack() as opened:
        afar = opened.enter_context(Afar(stage, around.cloud)) if around.cloud is not None else None
        if around.wire == MEMORY:
            slow = around.speed is not None or afar is not None
            passes = _slowly(stage, speed) if slow else stage.run
            yield passes if afar is None else _with(passes, afar)
            return
        live = opened.enter_context(Live(stage.world, both(stage, *wires(around.wire))))
        if afar is not None:
            live.turns.append(afar.turn)
        yield lambda seconds: live.run(seconds, speed)
    for sentence in _remarks(live, speed):
        print(sentence, file=sys.stderr)


def _remarks(live: Live, speed: float) -> Iterator[str]:
    if live.behind > _TOLERATED_S:
        yield f"the simulation was up to {live.behind:.2f} s late: this machine is too slow for --speed {speed:g}"
    for named, lost in live.lost().items():
        counted = ", ".join(f"{kind} {count}" for kind, count in sorted(lost.items()))
        yield f"{named}: frames were lost ({counted}); check that it is up and that somebody acknowledges there"


def where(text: str | None, certificate: Path | None) -> Where | None:
    """A platform's address from `host:port`; `certificate` (PEM) is trusted, and then TLS is spoken.

    Raises:
        BusgateError: it names no address, or the certificate cannot be read.
    """
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        raise BusgateError(f"{text!r} is no address; write host:port, as in 127.0.0.1:8808")
    if certificate is None:
        return Where(host, int(port))
    try:
        return Where(host, int(port), trusts(certificate.read_bytes()))
    except (OSError, ValueError) as fault:
        raise BusgateError(f"{certificate} cannot be used as a certificate: {fault}") from None


def _slowly(stage: Stage, speed: float) -> Passes:
    began, from_ = time.monotonic(), stage.world.now

    def passes(seconds: float) -> None:
        stage.run(seconds)
        time.sleep(max(0.0, began + (stage.world.now - from_) / 1e9 / speed - time.monotonic()))

    return passes


def _with(passes: Passes, afar: Afar) -> Passes:
    """Obey a platform elsewhere ten times a second."""

    def both_(seconds: float) -> None:
        for _ in range(max(1, round(seconds * 10))):
            afar.turn()
            passes(min(seconds, 0.1))

    return both_
