"""The kernel's fence out of the operator's policy and the installer's settings.

Law: the kernel lets nothing pass that the policy does not name; what it cannot judge alone goes to the relay. Only
where verdicts are told and not kept (monitor, observe), or the policy limits nobody, may the T-box reach everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from busgate.bridge.fence import EVERY_PORT, Address, Allowed, Fence, Network, Ports, Transport, WhenDead
from busgate.judge.network import NetworkSection, Remote
from busgate.judge.terms import Listed
from busgate.model import BusgateError, Mode
from busgate.settings import Air

_NTP: Ports = ((123, 123),)
_EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def fence_of(network: Air, uplink: str, policy: NetworkSection | None, mode: Mode) -> Fence:
    """The fence for a mode.

    Raises:
        BusgateError: the settings name something that is no network or port.
    """
    if not network.addresses:
        raise BusgateError(
            "nobody said which addresses the T-box has. Next: give --address 192.168.8.0/24, or write "
            "`network.addresses` into the settings file"
        )
    free = policy is None or mode in {Mode.MONITOR, Mode.OBSERVE}
    remotes = () if policy is None else policy.endpoints
    listed = [each for remote in remotes for each in _allowed(remote)]
    listed += [] if policy is None else [Allowed(name, "udp", _NTP) for name in policy.time if not _addressed(name)]
    return Fence(
        tbox_interface=network.tbox,
        uplink_interface=uplink,
        tbox=tuple(_network(text) for text in network.addresses),
        relay_port=network.port,
        allowed=tuple(_everybody()) if free else tuple(listed),
        resolvers=() if policy is None else policy.resolvers,
        clocks=() if policy is None else tuple(clock for name in policy.time for clock in _addressed(name)),
        ping=free,
        local=tuple(_local(text) for text in network.local),
        when_dead=WhenDead.OPEN if any(remote.dead == "open" for remote in remotes) else WhenDead.CLOSED,
        masquerade=network.masquerade,
    )


def _everybody() -> Iterator[Allowed]:
    for everybody in _EVERYBODY:
        yield Allowed(everybody, "tcp")
        yield Allowed(everybody, "udp")


def _allowed(remote: Remote) -> Iterator[Allowed]:
    ports = _ports(remote.ports)
    for to in (*remote.hosts, *remote.addresses):
        yield Allowed(to, remote.transport, ports, when_dead=remote.dead == "open")


def _ports(listed: Listed) -> Ports:
    return EVERY_PORT if listed.everything else listed.ranges


def _addressed(clock: str) -> tuple[Address, ...]:
    """A time server's address; none where it is given by name, and DNS answers tell where it is."""
    try:
        return (ip_address(clock),)
    except ValueError:
        return ()


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise BusgateError(
            f"network.addresses: {text!r} is no address or network. Next: write 192.168.8.0/24"
        ) from None


def _local(text: str) -> tuple[Transport, int]:
    transport, slash, port = text.partition("/")
    if transport in {"tcp", "udp"} and slash and port.isdecimal() and 0 < int(port) <= 0xFFFF:
        return ("tcp" if transport == "tcp" else "udp"), int(port)
    raise BusgateError(f"network.local: {text!r} is no service. Next: write it as udp/67 or tcp/8080")
