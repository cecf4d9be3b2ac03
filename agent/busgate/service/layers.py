"""The two layers of a gate in line: what the kernel forwards by itself, and what waits for the agent's verdict.

Law: never two forwarders for one frame. Vehicle to T-box is the kernel's in every mode in line, so that telemetry
flows with the agent dead; T-box to vehicle is the kernel's only for rules of the floor, and only in enforce mode, so
that with the agent dead nothing else crosses.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def alone(tbox: str, vehicle: str) -> str:
    """Make sure that the kernel forwards nothing between two wires, for a program that forwards by itself.

    Jobs that another program has left would hand each frame on beside it, and take up again what it sends. What was
    taken away is told; "" is nothing.

    Raises:
        BridgeError: there are such jobs, and they cannot be taken away.
    """
    names = interfaces(tbox, vehicle)
    if names is None:
        return ""
    left = leftover(*names)
    if not left:
        return ""
    try:
        cangw.replace(*names, [])
    except BridgeError as fault:
        raise BridgeError(
            f"the kernel still forwards between {names[0]} and {names[1]} ({len(left)} rules that a gate has left), "
            f"and a second forwarder would double each frame: {fault}. Next: sudo busgate rules --clear "
            f"--tbox {tbox} --vehicle {vehicle}"
        ) from None
    return f"the kernel forwards nothing any more: {len(left)} rules that a gate had left were taken away"


def leftover(tbox: str, vehicle: str) -> list[Job]:
    """What the kernel forwards between two interfaces now; none if it has no can-gw. Looking needs no right.

    Raises:
        BridgeError: it does not tell.
    """
    try:
        return [each.job for each in cangw.jobs(tbox, vehicle)]
    except cangw.NoGatewayError:
        return []


class Layers:
    """The kernel's part between two interfaces."""

    def __init__(self, tbox: str, vehicle: str, floor: Floor) -> None:
        """`tbox` and `vehicle` are names of interfaces; nothing is set yet."""
        self.floor = floor
        self._tbox = tbox
        self._vehicle = vehicle
        self.entered = 1
        """Goes up with each setting, before and after it, so that a look at the kernel knows if it was overtaken."""
        self._wanted: tuple[Job, ...] = ()
        self._done: tuple[Job, ...] = ()
        """What the kernel is known to do; what it does not do is the agent's."""
        self._taken: dict[tuple[bool, bool], dict[int, set[int]]] = {}
        """The same for a quick look: by side (the vehicle's?) and format (FD?), which bits are which."""

    @property
    def between(self) -> tuple[str, str]:
        """The T-box's and the vehicle's interface."""
        return self._tbox, self._vehicle

    def enter(self, mode: Mode) -> None:
        """Have the kernel do its part in this mode.

        Raises:
            BridgeError: it cannot; `carries` then says what it does instead, as far as it tells.
        """
        self.entered += 1
        self._wanted = self.jobs(mode)
        try:
            cangw.replace(self._tbox, self._vehicle, list(self._wanted))
        except BridgeError:
            self._does(self._now())
            raise
        finally:
            self.entered += 1
        self._does(self._wanted)

    def jobs(self, mode: Mode) -> tuple[Job, ...]:
        """The kernel's part in a mode. No two of them fit one frame: the kernel would send it twice."""
        if mode is Mode.OBSERVE:
            return ()
        telemetry = Job(self._vehicle, self._tbox)
        jobs = [telemetry, telemetry._replace(fd=True)]
        if mode is Mode.ENFORCE:
            jobs += [Job(self._tbox, self._vehicle, can_id, mask) for can_id, mask in self.floor.filters]
        return tuple(jobs)

    def carries(self, frame: Frame) -> bool:
        """Whether the kernel forwards this frame now, so that the agent must not."""
        can_id = frame.can_id
        if can_id & ERROR:
            return False
        taken = self._taken.get((frame.side is Side.VEHICLE, frame.fd))
        return taken is not None and any(can_id & mask in bits for mask, bits in taken.items())

    def undone(self) -> bool:
        """Whether the kernel does something else than its part: somebody has changed its rules, or they are gone.

        An interface that is not there takes its rules along, which is nobody's doing.

        Raises:
            BridgeError: it does not tell.
        """
        if not all(Path(f"/sys/class/net/{name}").exists() for name in self.between):
            return False
        return sorted(leftover(self._tbox, self._vehicle)) != sorted(self._wanted)

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

    def control(self) -> int:
        """How many jobs the kernel has that let frames of the T-box cross."""
        return sum(job.source == self._tbox for job in leftover(self._tbox, self._vehicle))

    def narrow(self) -> None:
        """Have the kernel forward nothing of the T-box's any more; telemetry stays as it is."""
        kept = [job for job in leftover(self._tbox, self._vehicle) if job.source == self._vehicle]
        if kept or self.control():
            cangw.replace(self._tbox, self._vehicle, kept)
        self._does(job for job in self._done if job.source == self._vehicle)

    def clear(self) -> None:
        """Have the kernel forward nothing between the two."""
        cangw.replace(self._tbox, self._vehicle, [])
        self._wanted = ()
        self._does(())

    def _does(self, jobs: Iterable[Job]) -> None:
        self._done, self._taken = tuple(jobs), {}
        for job in self._done:
            taken = self._taken.setdefault((job.source == self._vehicle, job.fd), {})
            taken.setdefault(job.mask, set()).add(job.can_id & job.mask)

    def _now(self) -> list[Job]:
        """What the kernel does, as far as it tells: where it does not, what it was known to do before."""
        try:
            return leftover(self._tbox, self._vehicle)
        except BridgeError:
            return list(self._done)
