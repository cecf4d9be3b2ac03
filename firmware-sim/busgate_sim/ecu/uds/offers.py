"""What one control unit offers to diagnostics: data, routines, controls, fault codes, a program.

Law: an offer says what can be asked and what it does; who may ask, and when, is the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from busgate_sim.ecu.uds.flash import Flash


@dataclass(frozen=True, slots=True)
class Data:
    """A data identifier; `write` takes as many bytes as `read` gives and says whether the value will do."""

    read: Callable[[], bytes]
    write: Callable[[bytes], bool] | None = None


@dataclass(frozen=True, slots=True)
class Routine:
    """A routine; `start` and `stop` say whether they could."""

    start: Callable[[], bool]
    stop: Callable[[], bool] | None = None
    lasts: int = 0
    """How long the ECU takes until it answers (ns)."""


@dataclass(frozen=True, slots=True)
class Control:
    """An output that a tester can take over (12.2): `take` gets the state, `release` gives it back."""

    take: Callable[[bytes], bool]
    release: Callable[[], None]
    width: int = 1


def always() -> bool:
    """No condition."""
    return True


def nothing(_: bool) -> None:
    """Nobody notices."""


@dataclass(slots=True)
class Offers:
    """One ECU as its diagnostics describe it."""

    name: str
    data: Mapping[int, Data] = field(default_factory=dict)
    routines: Mapping[int, Routine] = field(default_factory=dict)
    controls: Mapping[int, Control] = field(default_factory=dict)
    faults: dict[int, int] = field(default_factory=dict)
    """Fault codes of three bytes (DTC) with their status."""
    flash: Flash | None = None
    """None if it cannot be programmed."""
    may_stop: Callable[[], bool] = always
    """Whether it may leave its work now, to be reset or programmed."""
    works: Callable[[bool], None] = nothing
    """Told False when its program stops running, True when it runs again."""
    speaks: Callable[[bool], None] = nothing
    """Told False when it falls silent on the bus, True when it speaks again."""
