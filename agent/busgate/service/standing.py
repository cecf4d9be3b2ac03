"""How a gate left things, for the next one: its mode, the last turn of the switch that is in the log, and if it was on.

Law: a mode outlives a restart, so that killing the gate is no way to change it while the vehicle moves. What cannot be
read is as if it had never been written, but for the file saying that the switch was on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from busgate.model import BusgateError, Mode
from busgate.service.override import written

STANDING = "standing.json"
_MOST = 4096


class Standing(NamedTuple):
    """The ordinary mode, the number of the last turn that is told, and whether the switch was on."""

    mode: Mode | None = None
    turn: int = 0
    cut: bool = False


def read(folder: Path) -> Standing:
    """How the gate before this one left things; an empty one if there was none."""
    try:
        told = json.loads((folder / STANDING).read_bytes()[:_MOST])
        turn = told["turn"]
        return Standing(Mode(told["mode"]), turn if isinstance(turn, int) else 0, told["cut"] is not False)
    except (OSError, ValueError, KeyError, TypeError):
        return Standing()


def keep(folder: Path, standing: Standing) -> None:
    """Write it down, durably.

    Raises:
        BusgateError: it cannot be written.
    """
    told = {"mode": None if standing.mode is None else standing.mode.value, "turn": standing.turn, "cut": standing.cut}
    path = folder / STANDING
    try:
        written(path, json.dumps(told))
    except OSError as fault:
        raise BusgateError(
            f"{path} cannot be written: {fault.strerror}; the mode in force will not outlive this gate. Next: "
            "check this folder and its disk"
        ) from None


def first_mode(before: Standing, wanted: Mode) -> Mode:
    """The mode to start in: the one before, where another one has to wait for standstill; the local hand's never."""
    if before.mode is None or Mode.LOCAL in {before.mode, wanted}:
        return wanted
    return before.mode
