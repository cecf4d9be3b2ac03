"""The operator's own hand: a switch on this machine that cuts the T-box off, until the same hand lifts it.

Law: only who can write the switch's folder can turn it; nothing that comes over a wire or the broker can. It outlives
restarts, and a switch that cannot be read counts as on.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from busgate.bridge.port import BridgeError
from busgate.model import BusgateError, Mode, ModeChange
from busgate.service import load
from busgate.service.layers import Layers
from busgate.service.live import Post
from busgate.settings import DEFAULT

SWITCH, WIRES = "override.json", "wires.json"
LOOKS_EVERY_NS = 10_000_000
_MOST = 4096

Stamp = tuple[int, int, int] | None


class Position(NamedTuple):
    """How the switch stands: who turned it, and why."""

    on: bool
    by: str = ""
    reason: str = ""


class Switch:
    """The switch in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet; a switch that is not there is off."""
        self.path = folder / SWITCH
        self._wires = folder / WIRES

    def stamp(self) -> Stamp:
        """Changes whenever the switch was turned; None if it never was."""
        try:
            now = self.path.stat()
        except OSError:
            return None
        return now.st_mtime_ns, now.st_ino, now.st_size

    def read(self) -> Position:
        """How it stands."""
        try:
            text = self.path.read_bytes()[:_MOST]
        except FileNotFoundError:
            return Position(on=False)
        except OSError as fault:
            return Position(on=True, reason=f"the switch cannot be read: {fault.strerror}")
        try:
            told = json.loads(text)
            return Position(told["on"] is not False, str(told["by"])[:200], str(told["reason"])[:500])
        except (ValueError, KeyError, TypeError):
            return Position(on=True, reason="the switch's file says nothing that can be understood")

    def turn(self, position: Position) -> None:
        """Turn it, durably.

        Raises:
            BusgateError: it cannot be written.
        """
        text = json.dumps(position._asdict(), ensure_ascii=False)
        try:
            _write(self.path, text)
        except OSError as fault:
            raise BusgateError(
                f"the override cannot be written to {self.path}: {fault.strerror}. Next: as root, or as a member of "
                "the group that owns this folder"
            ) from None

    def wires(self) -> tuple[str, str] | None:
        """The interfaces between which the kernel forwards, T-box's and vehicle's, as the gate wrote them down."""
        try:
            told = json.loads(self._wires.read_bytes()[:_MOST])
            return str(told["tbox"]), str(told["vehicle"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note_wires(self, tbox: str, vehicle: str) -> None:
        """Write down the interfaces, for whoever turns the switch while no gate runs."""
        _write(self._wires, json.dumps({"tbox": tbox, "vehicle": vehicle}))


def installed() -> Switch | None:
    """The switch of the gate that is installed on this machine; None if there is no such gate.

    Raises:
        BusgateError: its settings cannot be read, or name no folder for the switch.
    """
    if not DEFAULT.exists():
        return None
    settings = load.settings(DEFAULT)
    settings.needed("log")
    return Switch(Path(str(settings.switch or settings.log)))


class Hand:
    """Follows the switch for a gate at work."""

    def __init__(self, switch: Switch, station: Post, layers: Layers | None, ordinary: Mode) -> None:
        """`ordinary` is the mode while the switch is off."""
        self._switch = switch
        self._station = station
        self._layers = layers
        self.ordinary = ordinary
        self._stamp: Stamp = None
        self._looked = 0
        self._untold: list[ModeChange] = []

    def look(self, now: int) -> None:
        """Do as the switch says; called before each frame, and it looks a hundred times a second at most.

        Raises:
            StoreError: it was done, and could not be logged yet; it is tried again.
        """
        if now - self._looked < LOOKS_EVERY_NS and self._looked:
            return
        self._looked = now
        stamp = self._switch.stamp()
        if stamp != self._stamp:
            self._obey(self._switch.read(), now)
            self._stamp = stamp
        while self._untold:
            self._station.record((self._untold[0],), now)
            self._untold.pop(0)

    def _obey(self, position: Position, now: int) -> None:
        gateway = self._station.gateway
        wanted = Mode.LOCAL if position.on else self.ordinary
        if wanted is gateway.mode:
            return
        reason = position.reason
        if self._layers is not None:
            try:
                self._layers.enter(wanted)
            except BridgeError as fault:
                reason = f"{reason} (the kernel did not follow: {fault})"
        self._untold.append(gateway.set_mode(wanted, now, by=position.by or "the switch", reason=reason))


def cut(switch: Switch) -> bool:
    """Take the T-box's jobs out of the kernel, with no gate at work; whether there was anything to do.

    Raises:
        BridgeError: the kernel did not let us.
    """
    from busgate.judge.floor import Floor

    wires = switch.wires()
    if wires is None:
        return False
    Layers(*wires, Floor((), ())).narrow()
    return True


def _write(path: Path, text: str) -> None:
    """Replace a file at once and durably; others may read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fchmod(out.fileno(), 0o644)
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
