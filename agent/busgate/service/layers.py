"""The two layers of a gate in line: what the kernel forwards by itself, and what waits for the agent's verdict.

Law: never two forwarders for one frame. Vehicle to T-box is the kernel's in every mode in line, so that telemetry
flows with the agent dead; T-box to vehicle is the kernel's only for rules of the floor, and only in enforce mode, so
that with the agent dead nothing else crosses.
"""

from __future__ import annotations

from pathlib import Path

from busgate.bridge import cangw
from busgate.bridge.cangw import Job
from busgate.bridge.port import BridgeError
from busgate.judge.floor import Floor
from busgate.model import ERROR, Frame, Mode, Side

_SOCKETCAN = "socketcan:"
_CAP_NET_ADMIN = 12


def interfaces(tbox: str, vehicle: str) -> tuple[str, str] | None:
    """The kernel's names of two wires given as `interface:channel`; None if one is not the kernel's."""
    if not (tbox.startswith(_SOCKETCAN) and vehicle.startswith(_SOCKETCAN)):
        return None
    return tbox.removeprefix(_SOCKETCAN), vehicle.removeprefix(_SOCKETCAN)


def hindrance(tbox: str, vehicle: str) -> str | None:
    """Why the kernel cannot be a layer between two wires; None if it can.

    A frame that the agent sends must not be heard on the same interface, else the kernel would send it back. Hardware
    and vxcan can do without that echo; on vcan it is all that others hear.
    """
    names = interfaces(tbox, vehicle)
    if names is None:
        return "a wire is not a SocketCAN interface"
    if not _may_set_it():
        return "this program lacks the right CAP_NET_ADMIN"
    try:
        for name in names:
            if cangw.interface_kind(name) == "vcan":
                return f"{name} is a vcan, whose echo the kernel would send back; take vxcan instead"
        cangw.jobs(*names)
    except BridgeError as fault:
        return str(fault)
    return None


def _may_set_it() -> bool:
    """Whether this process may set up the kernel's forwarding (CAP_NET_ADMIN in its effective set)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> _CAP_NET_ADMIN & 1)


class Layers:
    """The kernel's part between two interfaces."""

    def __init__(self, tbox: str, vehicle: str, floor: Floor) -> None:
        """`tbox` and `vehicle` are names of interfaces; nothing is set yet."""
        self.floor = floor
        self._tbox = tbox
        self._vehicle = vehicle
        self._mode = Mode.OBSERVE

    @property
    def between(self) -> tuple[str, str]:
        """The T-box's and the vehicle's interface."""
        return self._tbox, self._vehicle

    def enter(self, mode: Mode) -> None:
        """Have the kernel do its part in this mode.

        Raises:
            BridgeError: it cannot.
        """
        cangw.replace(self._tbox, self._vehicle, list(self.jobs(mode)))
        self._mode = mode

    def jobs(self, mode: Mode) -> tuple[Job, ...]:
        """The kernel's part in a mode."""
        if mode is Mode.OBSERVE:
            return ()
        telemetry = Job(self._vehicle, self._tbox)
        jobs = [telemetry, telemetry._replace(fd=True)]
        if mode is Mode.ENFORCE:
            masks = dict.fromkeys((rule.can_id, rule.mask) for rule in self.floor.kernel)
            jobs += [Job(self._tbox, self._vehicle, can_id, mask) for can_id, mask in masks]
        return tuple(jobs)

    def carries(self, frame: Frame) -> bool:
        """Whether the kernel forwards this frame now, so that the agent must not."""
        if self._mode is Mode.OBSERVE or frame.can_id & ERROR:
            return False
        if frame.side is Side.VEHICLE:
            return True
        return self._mode is Mode.ENFORCE and self.floor.takes(frame)

    def counted(self) -> dict[tuple[int, int], int]:
        """How many frames of the T-box the kernel has forwarded, by filter."""
        return {
            (each.job.can_id, each.job.mask): each.handled
            for each in cangw.jobs(self._tbox, self._vehicle)
            if each.job.source == self._tbox
        }

    def telemetry(self) -> int:
        """How many of the vehicle's frames it has forwarded."""
        return sum(each.handled for each in cangw.jobs(self._tbox, self._vehicle) if each.job.source == self._vehicle)

    def narrow(self) -> None:
        """Have the kernel forward nothing of the T-box's any more; telemetry stays as it is."""
        now = [each.job for each in cangw.jobs(self._tbox, self._vehicle)]
        cangw.replace(self._tbox, self._vehicle, [job for job in now if job.source == self._vehicle])

    def clear(self) -> None:
        """Have the kernel forward nothing between the two."""
        cangw.replace(self._tbox, self._vehicle, [])
        self._mode = Mode.OBSERVE
