"""Listening to one interface without stopping anything: what the T-box says to the world, read, told and kept.

Law: as for a recording; only the clock is the machine's own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from busgate.bridge.countries import Countries, in_eu
from busgate.bridge.ring import Limits, Ring
from busgate.bridge.sniffer import Sniffer
from busgate.gateway import Gateway
from busgate.model import Event, Mode, Side
from busgate.service import load

_TURN_S = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of one listening; `seconds` 0 is until stopped."""

    interface: str
    vehicle: load.Vehicle
    policy: load.Adopted | None = None
    addresses: tuple[str, ...] = ()
    countries: tuple[Path, ...] = ()
    evidence: Path | None = None
    megabytes: int = 256
    seconds: float = 0.0


@dataclass(slots=True)
class Heard:
    """What was heard in all."""

    packets: int
    size: int
    counts: dict[str, int]
    lost: dict[str, int]


def listen(wish: Wish, going: Callable[[], bool], tell: Callable[[Event], None]) -> Heard:
    """Listen until stopped, or as long as wished. Raises BusgateError when the interface or a folder cannot be used."""
    countries = Countries.open(*wish.countries) if wish.countries else None
    gateway = Gateway(wish.vehicle.profile, wish.vehicle.database, mode=Mode.OBSERVE, wall_offset=0)
    gateway.tbox_addresses = wish.addresses
    if countries is not None:
        gateway.places(countries.country, in_eu)
    start = time.time_ns()
    if wish.policy is not None:
        gateway.adopt(wish.policy.policy, start, signed=wish.policy.signed)
    ring = Ring(wish.evidence, Limits(total_bytes=wish.megabytes << 20)) if wish.evidence is not None else None
    sniffer = Sniffer.open(Side.TBOX, wish.interface)
    ends = time.monotonic() + wish.seconds if wish.seconds else float("inf")
    packets = size = 0
    try:
        while going() and time.monotonic() < ends:
            sniffer.wait(_TURN_S)
            for packet in sniffer.read(0):
                packets += 1
                size += len(packet.data)
                if ring is not None:
                    ring.keep(packet, 0, wish.interface)
                for event in gateway.receive(packet).events:
                    tell(event)
            now = time.time_ns()
            sniffer.again()
            if ring is not None:
                ring.tick(now)
            for event in gateway.tick(now):
                tell(event)
        for event in gateway.finish(time.time_ns()):
            tell(event)
        lost = Counter(sniffer.losses())
        if ring is not None:
            lost.update(ring.losses())
    finally:
        sniffer.close()
        if ring is not None:
            ring.close()
    return Heard(packets, size, dict(gateway.air.counts), dict(lost))
