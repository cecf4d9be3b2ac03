"""The operator's own hand: a switch on this machine that cuts the T-box off, until the same hand lifts it.

Law: only who can write the switch's folder can turn it; nothing that comes over a wire or the broker can. It outlives
restarts. A switch that cannot be read counts as on; one that was never turned, and so is not there, is off.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from busgate.judge.floor import Floor
from busgate.model import BusgateError
from busgate.service import load
from busgate.service.layers import Layers, interfaces
from busgate.settings import DEFAULT, Settings

SWITCH, WIRES = "override.json", "wires.json"
_MOST = 1 << 16
_TURNS = 16
"""So many turns before the last one are kept, for a gate that was not there to log them."""

Stamp = tuple[int, int, int] | None
_UNREADABLE = (-1, -1, -1)


class Position(NamedTuple):
    """How the switch stands: who turned it, why, when (Unix ns), and the how many-th turn it was (0: not known)."""

    on: bool
    by: str = ""
    reason: str = ""
    at: int = 0
    turn: int = 0


class Switch:
    """The switch in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet; a switch that is not there is off."""
        self.folder = folder
        self.path = folder / SWITCH
        self._wires = folder / WIRES

    def stamp(self) -> Stamp:
        """Changes whenever the switch was turned; None if it is not there."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError:
            return _UNREADABLE
        return now.st_mtime_ns, now.st_ino, now.st_size

    def read(self) -> Position:
        """How it stands."""
        return self.turns()[-1]

    def turns(self) -> list[Position]:
        """The last turns, oldest first; the last one is how it stands."""
        try:
            text = self.path.read_bytes()[:_MOST]
        except FileNotFoundError:
            return [Position(on=False)]
        except OSError as fault:
            return [Position(on=True, reason=f"the switch cannot be read: {fault.strerror}")]
        try:
            told = json.loads(text)
            now, before = _position(told), told.get("before", [])
            return [*(_position(each) for each in before), now]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return [Position(on=True, reason="the switch's file says nothing that can be understood")]

    def turn(self, position: Position) -> None:
        """Turn it, durably. Where the whole of it cannot be written, `on` is put all the same, without who and why.

        Raises:
            UnsaidError: it is on, but who turned it and why could not be written.
            BusgateError: it could not be turned.
        """
        before = [each for each in self.turns() if each.turn or each.at]
        at = time.time_ns()
        # Numbers go up, also after a file that was emptied and where the clock was set back.
        now = position._replace(at=at, turn=max([at, *(each.turn + 1 for each in before)]))
        told = {**now._asdict(), "before": [each._asdict() for each in before[-_TURNS:]]}
        try:
            written(self.path, json.dumps(told, ensure_ascii=False))
        except OSError as fault:
            told_fault = f"{self.path} cannot be written: {fault.strerror}"
            if position.on and self._blank():
                raise UnsaidError(
                    f"the override is on, but who turned it and why is not kept: {told_fault}. Next: {_hint(fault)}"
                ) from None
            raise BusgateError(f"the override is not turned: {told_fault}. Next: {_hint(fault)}") from None

    def _blank(self) -> bool:
        """Make the file empty, which counts as on and takes no room on a disk that is full."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o664)
        except OSError:
            return False
        with suppress(OSError):
            os.fsync(handle)
        os.close(handle)
        return True

    def wires(self) -> tuple[str, str] | None:
        """The interfaces between which the kernel forwards, T-box's and vehicle's, as the gate wrote them down."""
        try:
            told = json.loads(self._wires.read_bytes()[:_MOST])
            return str(told["tbox"]), str(told["vehicle"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note_wires(self, tbox: str, vehicle: str) -> None:
        """Write down the interfaces, for whoever turns the switch while no gate runs.

        Raises:
            BusgateError: they cannot be written.
        """
        try:
            written(self._wires, json.dumps({"tbox": tbox, "vehicle": vehicle}))
        except OSError as fault:
            raise BusgateError(
                f"{self._wires} cannot be written: {fault.strerror}; with no gate running, the override finds the "
                f"interfaces only in the installed settings. Next: {_hint(fault)}"
            ) from None


class UnsaidError(BusgateError):
    """The switch is on, and its file does not say who and why."""


def installed() -> Switch | None:
    """The switch of the gate that is installed on this machine; None if there is no such gate.

    Raises:
        BusgateError: its settings cannot be read, or name no folder for the switch.
    """
    settings = _settings()
    if settings is None:
        return None
    settings.needed("log")
    return switch_of(settings)


def switch_of(settings: Settings) -> Switch:
    """The switch that these settings name."""
    return Switch(Path(str(settings.switch or settings.log)))


def cut(switch: Switch) -> bool:
    """Take the T-box's jobs out of the kernel, with a gate at work or none; whether it is known where they would be.

    Raises:
        BridgeError: the kernel did not let us.
    """
    wires = _between(switch)
    if wires is None:
        return False
    Layers(*wires, Floor((), ())).narrow()
    return True


def crossing(switch: Switch) -> int:
    """How many rules the kernel has by which frames of the T-box cross. Looking needs no right.

    Raises:
        BridgeError: it does not tell.
    """
    wires = _between(switch)
    return 0 if wires is None else Layers(*wires, Floor((), ())).control()


def _between(switch: Switch) -> tuple[str, str] | None:
    """The gate's interfaces: as it wrote them down, else as the installed settings say."""
    if (noted := switch.wires()) is not None:
        return noted
    with suppress(BusgateError):
        settings = _settings()
        if settings is not None and switch.folder == switch_of(settings).folder:
            return interfaces(str(settings.tbox), str(settings.vehicle))
    return None


def _settings() -> Settings | None:
    try:
        return load.settings(DEFAULT) if DEFAULT.exists() else None
    except OSError as fault:
        raise BusgateError(f"{DEFAULT} cannot be read: {fault.strerror}. Next: as root") from None


def _position(told: Any) -> Position:
    at, turn = told.get("at", 0), told.get("turn", 0)
    if not isinstance(at, int) or not isinstance(turn, int):
        raise TypeError("no time, no number")
    return Position(told["on"] is not False, str(told["by"])[:200], str(told["reason"])[:500], at, turn)


def _hint(fault: OSError) -> str:
    match fault.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "make room on this disk"
        case errno.ENOENT | errno.ENOTDIR:
            return "make its folder"
        case errno.EACCES | errno.EPERM:
            return "as root, or as a member of the group that owns this folder"
        case _:
            return "look at this disk (dmesg)"


def written(path: Path, text: str) -> None:
    """Replace a file at once and durably; others may read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fchmod(out.fileno(), 0o664)  # the group may turn it, also by emptying it
            os.fsync(out.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
