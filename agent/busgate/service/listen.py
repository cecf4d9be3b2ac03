"""Listening to one interface without stopping anything: what the T-box says to the world, read, told and kept.

Law: as for a recording; only the clock is the machine's own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
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


def listen(
    wish: Wish, going: Callable[[], bool], tell: Callable[[Event], None], begins: Callable[[], None] = lambda: None
) -> Heard:
    """Listen until stopped, or as long as wished; `begins` is called once it does.

    Raises:
        BusgateError: the interface or a folder cannot be used.
    """
    countries = Countries.open(*wish.countries) if wish.countries else None
    gateway = Gateway(wish.vehicle.profile, wish.vehicle.database, mode=Mode.OBSERVE, wall_offset=0)
    gateway.tbox_addresses = wish.addresses
    if countries is not None:
        gateway.places(countries.country, in_eu, countries.network)
    start = time.time_ns()
    if wish.policy is not None:
        gateway.adopt(wish.policy.policy, start, signed=wish.policy.signed)
    with ExitStack() as stack:
        ring = None
        if wish.evidence is not None:
            ring = stack.enter_context(Ring(wish.evidence, Limits(total_bytes=wish.megabytes << 20)))
        sniffer = Sniffer.open(Side.TBOX, wish.interface)
        stack.callback(sniffer.close)
        begins()
        ear = _Ear(wish.interface, gateway, sniffer, ring, tell)
        ends = time.monotonic() + wish.seconds if wish.seconds else float("inf")
        while going() and time.monotonic() < ends:
            ear.turn()
        return ear.finish()


class _Ear:
    """One interface, what reads it, and where it is kept."""

    def __init__(
        self, name: str, gateway: Gateway, sniffer: Sniffer, ring: Ring | None, tell: Callable[[Event], None]
    ) -> None:
        self._name = name
        self._gateway = gateway
        self._sniffer = sniffer
        self._ring = ring
        self._tell = tell
        self._heard = Heard(0, 0, {}, {})

    def turn(self) -> None:
        self._sniffer.wait(_TURN_S)
        for packet in self._sniffer.read(0):
            self._heard.packets += 1
            self._heard.size += len(packet.data)
            if self._ring is not None:
                self._ring.keep(packet, 0, self._name)
            self._told(self._gateway.receive(packet).events)
        now = time.time_ns()
        self._sniffer.again()
        if self._ring is not None:
            self._ring.tick(now)
        self._told(self._gateway.tick(now))

    def finish(self) -> Heard:
        self._told(self._gateway.finish(time.time_ns()))
        lost = Counter(self._sniffer.losses())
        if self._ring is not None:
            lost.update(self._ring.losses())
        self._heard.counts, self._heard.lost = dict(self._gateway.air.counts), dict(lost)
        return self._heard

    def _told(self, events: Iterable[Event]) -> None:
        for event in events:
            self._tell(event)
