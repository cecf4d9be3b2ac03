"""Is this gate spliced in as it should be: which side is which, how fast the bus is, how it feels, what is let across.

Law: a vehicle's wires are only ever listened to. What is sent in a test goes over virtual wires made for it, with the
gate that is installed between them. A check that could not be made says so, and never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import NamedTuple

from busgate.bridge.ear import Ear, listen
from busgate.bridge.links import Link, Links
from busgate.bridge.port import BridgeError
from busgate.model import EXTENDED, FD_FORMAT, REMOTE, Frame
from busgate.profile import Profile

CANDIDATES = (250_000, 500_000, 125_000, 1_000_000, 100_000, 83_333, 800_000, 50_000, 33_333)
"""Bitrates (bit/s) that vehicles use, the likeliest first: J1939-11/-15 and -14, then the others."""

_FULL = 0.8
_PASSIVE = 128
"""ISO 11898-1:2015, 12.1.4.2: from this count on a node is error passive."""
_WARNING = 96
_FEW_FRAMES = 5


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(NamedTuple):
    """One check: what it is about, how it ended, what was seen, and what to do."""

    name: str
    state: State
    seen: str
    next: str = ""


class Heard(NamedTuple):
    """One interface after listening for `seconds`."""

    link: Link
    frames: Sequence[Frame]
    losses: Mapping[str, int]
    seconds: float


def heard_on(links: Links, names: Sequence[str], seconds: float) -> dict[str, Heard]:
    """Listen on interfaces at once. Raises BridgeError when one cannot be listened to."""
    found = {name: links.look(name) for name in names}
    ears: dict[str, Ear] = {}
    try:
        for name, link in found.items():
            ears[name] = Ear.on(name, hardware=link.kind != "vcan")  # on a vcan everybody is of this machine
        listen(ears.values(), seconds)
        return {
            name: Heard(links.look(name), tuple(ear.heard), dict(ear.losses()), seconds) for name, ear in ears.items()
        }
    finally:
        for ear in ears.values():
            ear.close()


# ---------------------------------------------------------------- the bus' health


def health(heard: Heard) -> Iterator[Check]:
    """How one wire is: up, alive, not too full, without errors."""
    link = heard.link
    if not link.up:
        yield Check(f"{link.name} up", State.FAILED, "it is down", f"ip link set {link.name} up")
        return
    yield Check(f"{link.name} up", State.OK, _described(link))
    if not heard.frames:
        yield Check(f"{link.name} alive", State.FAILED, f"no frame in {heard.seconds:g} s",
                    "check ignition, wiring, termination; a wrong bitrate looks like this, too: --bitrate")  # fmt: skip
    else:
        rate = len(heard.frames) / heard.seconds
        yield Check(f"{link.name} alive", State.OK, f"{len(heard.frames)} frames, {rate:.0f} a second")
    yield _load(heard)
    yield _errors(heard)


def bits_of(frame: Frame) -> tuple[float, float]:
    """How many bits of the nominal and of the data phase a frame takes, with half of the worst stuffing.

    ISO 11898-1:2015, 10.4: frame 44 or 64 bits and data, interframe space 3; the worst case stuffs every fourth bit of
    what is stuffed, and real frames about half of that.
    """
    data = 0 if frame.can_id & REMOTE else 8 * len(frame.data)
    head = 54 if frame.can_id & EXTENDED else 34
    if frame.flags & FD_FORMAT:
        crc = 21 if len(frame.data) > 16 else 17
        nominal = (35 if frame.can_id & EXTENDED else 17) * 1.125 + 13
        payload = (6 + data) * 1.125 + crc + crc / 4
        return (nominal, payload) if frame.flags & 1 else (nominal + payload, 0.0)
    return head + data + (head + data) / 8 + 13, 0.0


def _load(heard: Heard) -> Check:
    link = heard.link
    name = f"{link.name} load"
    if link.bitrate is None:
        return Check(name, State.SKIPPED, "a virtual interface has no bitrate")
    nominal = sum(bits_of(frame)[0] for frame in heard.frames) / link.bitrate
    fast = sum(bits_of(frame)[1] for frame in heard.frames) / (link.data_bitrate or link.bitrate)
    load = (nominal + fast) / heard.seconds
    seen = f"about {load:.0%} of {_kbit(link.bitrate)}"
    if load > _FULL:
        return Check(name, State.WARNING, seen, "a bus this full delays the gate's frames; look for a flooding node")
    return Check(name, State.OK, seen)


def _errors(heard: Heard) -> Check:
    link = heard.link
    name = f"{link.name} errors"
    seen = {kind: count for kind, count in {**link.counters, **heard.losses}.items() if count}
    told = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in seen.items()) or "none"
    highest = max(link.counters.get("tx_errors", 0), link.counters.get("rx_errors", 0))
    wiring = "check termination (60 ohm between CAN-H and CAN-L, power off), swapped wires, ground, and the bitrate"
    if link.state in {"BUS-OFF", "ERROR-PASSIVE"} or highest >= _PASSIVE or heard.losses.get("bus_off"):
        return Check(name, State.FAILED, f"{link.state or 'errors'}: {told}", wiring)
    if link.state == "ERROR-WARNING" or highest >= _WARNING or heard.losses.get("error_frames"):
        return Check(name, State.WARNING, f"{link.state or 'errors'}: {told}", wiring)
    lost = [kind for kind in heard.losses if "dropped" in kind or "queue_full" in kind or "over" in kind]
    if lost:
        return Check(name, State.WARNING, told, "this machine did not keep up with the bus; look at its load")
    return Check(name, State.OK, told)


# ---------------------------------------------------------------- which side is which


class Sources(NamedTuple):
    """Who speaks on a wire: J1939 source addresses, 11-bit identifiers, frames."""

    addresses: frozenset[int]
    identifiers: frozenset[int]
    frames: int

    @property
    def several(self) -> int:
        """How many speakers it looks like."""
        return len(self.addresses) + len(self.identifiers)


def sources(frames: Iterable[Frame]) -> Sources:
    """Who was heard."""
    kept = list(frames)
    return Sources(
        frozenset(frame.can_id & 0xFF for frame in kept if frame.can_id & EXTENDED),
        frozenset(frame.identifier for frame in kept if not frame.can_id & EXTENDED),
        len(kept),
    )


def side_finder(
    first: Heard, second: Heard, profile: Profile | None, wanted_tbox: str | None, *, echoes: bool = False
) -> Check:
    """Which of two wires is the T-box's: the one on which few speak, or the profile's T-box does and no ECU.

    `wanted_tbox` is what the settings say it is. `echoes`: somebody forwards between them and is heard doing so.
    """
    name = "sides"
    if echoes:
        return Check(name, State.SKIPPED, "the kernel forwards between them, and each wire seems to say what both do",
                     "stop what set that up (cangw -L), or start busgate run, which takes it over; repeat")  # fmt: skip
    names = first.link.name, second.link.name
    scores = [_tbox_score(sources(each.frames), profile) for each in (first, second)]
    who = "; ".join(f"{each.link.name}: {_who(sources(each.frames))}" for each in (first, second))
    if min(len(first.frames), len(second.frames)) < _FEW_FRAMES:
        return Check(name, State.SKIPPED, f"too little was heard on one of the wires ({who})",
                     "turn the ignition on, wait for the T-box to wake, and listen longer: --seconds 30")  # fmt: skip
    if scores[0] == scores[1]:
        return Check(name, State.WARNING, f"both wires look alike ({who})",
                     "they may be one bus, or a gate forwards between them; stop it and repeat")  # fmt: skip
    tbox = names[0] if scores[0] > scores[1] else names[1]
    other = names[1] if tbox == names[0] else names[0]
    seen = f"{tbox} is the T-box's side, {other} the vehicle's ({who})"
    if wanted_tbox is None:
        return Check(name, State.OK, seen)
    if wanted_tbox == tbox:
        return Check(name, State.OK, f"{seen}, as set")
    return Check(name, State.FAILED, f"SWAPPED: {seen}, and the settings say the opposite",
                 f"write tbox: socketcan:{tbox} and vehicle: socketcan:{other}, or swap the two plugs")  # fmt: skip


def _tbox_score(heard: Sources, profile: Profile | None) -> tuple[int, int]:
    """How much a wire looks like the T-box's: what the profile knows counts first, few speakers second."""
    known = 0
    if profile is not None:
        ecus = {ecu.sa for ecu in profile.ecus if ecu.sa is not None}
        ecu_ids = {number for ecu in profile.ecus for number in ecu.ids}
        known += bool(heard.addresses & set(profile.tbox.sas)) + bool(heard.identifiers & set(profile.tbox.ids))
        known -= len(heard.addresses & ecus) + len(heard.identifiers & ecu_ids)
    return known, -heard.several


def _who(heard: Sources) -> str:
    addresses = ", ".join(f"0x{address:02X}" for address in sorted(heard.addresses)[:6])
    more = ", ..." if len(heard.addresses) > 6 else ""
    return f"{len(heard.addresses)} J1939 addresses ({addresses}{more}), {len(heard.identifiers)} 11-bit identifiers"


# ---------------------------------------------------------------- which bitrate


def bitrate(
    links: Links, name: str, hear: Callable[[str], tuple[int, int]], candidates: Sequence[int] = CANDIDATES
) -> Check:
    """Try bitrates, listen-only, until frames come without errors; the interface is put back as it was.

    `hear` listens on an interface for a while: frames and error frames.
    """
    link = links.look(name)
    title = f"{name} bitrate"
    if not link.hardware:
        return Check(title, State.SKIPPED, f"{name} is {link.kind or 'no CAN interface'}, which has no bitrate")
    tried: list[str] = []
    with _restored(links, link):
        for rate in candidates:
            try:
                links.listen_at(name, rate)
            except BridgeError as fault:
                tried.append(f"{_kbit(rate)} not possible ({fault})")
                continue
            frames, errors = hear(name)
            if frames >= _FEW_FRAMES and not errors:
                return _bitrate_found(link, rate, frames)
            tried.append(f"{_kbit(rate)}: {frames} frames, {errors} errors")
    return Check(title, State.FAILED, f"none fits ({'; '.join(tried)})",
                 "is the bus awake? CAN-H and CAN-L swapped, or no ground, look like this, too")  # fmt: skip


def _bitrate_found(link: Link, rate: int, frames: int) -> Check:
    title, seen = f"{link.name} bitrate", f"{_kbit(rate)} fits: {frames} frames without an error"
    if link.bitrate == rate:
        return Check(title, State.OK, f"{seen}, as set")
    was = "none" if link.bitrate is None else _kbit(link.bitrate)
    return Check(title, State.FAILED, f"{seen}, and {was} is set",
                 f"write BitRate={rate} into its file in /etc/systemd/network, restart systemd-networkd")  # fmt: skip


@contextmanager
def _restored(links: Links, link: Link) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(BridgeError):
            links.restore(link)


def _described(link: Link) -> str:
    if link.bitrate is None:
        return f"{link.kind or 'no kind'}, virtual"
    fast = "" if link.data_bitrate is None else f" and {_kbit(link.data_bitrate)} for data"
    return f"{_kbit(link.bitrate)}{fast}" + (", listen-only" if link.listen_only else "")


def _kbit(rate: int) -> str:
    return f"{rate / 1000:g} kbit/s"
