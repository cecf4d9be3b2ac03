"""What the kernel lets pass between the T-box and the world, as one plain value that a ruleset is made from.

Law: a fence that could be misread is not made. What it does not name does not pass, IPv4 and IPv6 alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from busgate.bridge.port import BridgeError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Ports = tuple[tuple[int, int], ...]
"""Ranges, both ends included; none at all means every port."""
Transport = Literal["tcp", "udp"]

EVERY_PORT: Ports = ()
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_LONGEST_HOST = 253  # RFC 1035, 2.3.4


class WhenDead(StrEnum):
    """What becomes of TCP that the relay should judge while no agent runs (see `Fence.lease_s`)."""

    CLOSED = "closed"
    OPEN = "open"
    """It goes straight to the allowed endpoints, unjudged: telemetry flows, and so would a command."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """An endpoint that the T-box may speak to: `to` is a network, or a host name followed by DNS answers.

    A name is lower case and may begin with `*.`, which stands for one label or more.
    """

    to: Network | str
    transport: Transport
    ports: Ports = EVERY_PORT
    when_dead: bool = True
    """Whether it stays reachable where the fence is open while no agent runs (`Fence.when_dead`)."""

    def __post_init__(self) -> None:
        if isinstance(self.to, str) and (len(self.to) > _LONGEST_HOST or not _HOST.fullmatch(self.to)):
            raise BridgeError(f"{self.to!r} is no host name. Next: write it in lower case, as in *.example.com")
        if self.transport not in {"tcp", "udp"}:
            raise BridgeError(f"{self.transport!r} is no transport that can be allowed; it is tcp or udp")
        checked(self.ports)

    def names(self, host: str) -> bool:
        """Whether this is the endpoint that a DNS answer about `host` is about."""
        if not isinstance(self.to, str):
            return False
        plain = host.lower().rstrip(".")
        return plain == self.to or (self.to.startswith("*.") and plain.endswith(self.to[1:]))


@dataclass(frozen=True, slots=True)
class Fence:
    """Everything that the ruleset is made from. All durations are in whole seconds."""

    tbox_interface: str
    uplink_interface: str
    tbox: tuple[Network, ...]
    """Where the T-box's own addresses are; what claims to come from elsewhere is dropped."""
    relay_port: int
    """Where the relay listens on the T-box's side."""
    allowed: tuple[Allowed, ...] = ()
    relayed: Ports = EVERY_PORT
    """TCP ports of the remote end that pass the relay; TCP to others goes to allowed endpoints unjudged."""
    resolvers: tuple[Address, ...] = ()
    """Who may be asked for names: UDP directly, TCP as `relayed` says."""
    clocks: tuple[Address, ...] = ()
    """Who may be asked for the time, by NTP."""
    ping: bool = False
    """Whether allowed endpoints may be sent echo requests. Errors about what passes always come back."""
    local: tuple[tuple[Transport, int], ...] = ()
    """What the T-box may use of the gate itself, such as `("udp", 67)` where the gate gives it its address."""
    when_dead: WhenDead = WhenDead.CLOSED
    lease_s: int = 10
    """With OPEN: how long after the agent's last sign of life TCP still waits for it."""
    masquerade: bool = False
    """Whether what passes directly takes the gate's own address, as it must behind a modem."""
    clamp_mss: bool = True
    most_learned: int = 4096
    """Addresses that the kernel keeps for each name."""

    def __post_init__(self) -> None:
        for name in (self.tbox_interface, self.uplink_interface):
            if not _INTERFACE.fullmatch(name):
                raise BridgeError(f"{name!r} is no name of an interface. Next: ip link show")
        if self.tbox_interface == self.uplink_interface:
            raise BridgeError(f"the T-box and the uplink cannot both be on {self.tbox_interface}")
        if not self.tbox:
            raise BridgeError("the fence does not say which addresses the T-box has")
        checked((*self.relayed, (self.relay_port, self.relay_port), *((port, port) for _, port in self.local)))
        if any(transport not in {"tcp", "udp"} for transport, _ in self.local):
            raise BridgeError("what the T-box may use of the gate is a tcp or udp port")
        if min(self.lease_s, self.most_learned) < 1:
            raise BridgeError("a lease and a table of learned addresses are at least 1")


def checked(ports: Iterable[tuple[int, int]]) -> None:
    """Raises BridgeError unless all are ranges of ports."""
    for low, high in ports:
        if not 0 < low <= high <= 0xFFFF:
            raise BridgeError(f"{low}-{high} is no range of ports; they go from 1 to 65535")
