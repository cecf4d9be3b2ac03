"""Which end of a conversation is the T-box, and so which way its bytes travel.

Law: what is configured decides; what is guessed is told as guessed, by the rule that guessed it:

1. `configured`: exactly one end is in the T-box's networks.
2. `private`: exactly one end has an address that the internet does not route (RFC 1918, 6598, 3927, 4193, 4291): a
   T-box sits behind its operator's or this gate's address translation, a platform has a public address.
3. `opened`: the end that opened the connection. A T-box calls its platform; nobody can call it behind a mobile
   network's address translation.
4. `port`: the end with the higher port, since servers have the lower.
5. `unknown`: none of these; the direction is UNKNOWN, and the order of the two addresses decides what they are called.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from busgate.model import BusgateError, Direction, Endpoint, Flow

_MOST_KNOWN = 1 << 14
_EXAMPLES = tuple(map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""RFC 5737 and 3849: in examples and simulations these stand for the internet's addresses."""
_SHARED = ip_network("100.64.0.0/10")  # RFC 6598: not private by `ipaddress`, and what mobile operators hand out


class Placed(NamedTuple):
    """A conversation with its ends told apart; `how` names the rule that did it."""

    flow: Flow
    direction: Direction
    how: str


class _Kind(NamedTuple):
    tbox: bool
    private: bool


class Ends:
    """Tells the ends of conversations apart. `tbox` are addresses and networks: "10.0.0.5", "2001:db8:7::/48"."""

    def __init__(self, tbox: Iterable[str] = ()) -> None:
        """Raises BusgateError for what is neither an address nor a network."""
        self._networks = [_network(text) for text in tbox]
        self._kinds: dict[str, _Kind] = {}

    def place(self, transport: str, source: Endpoint, target: Endpoint, opener: Endpoint | None = None) -> Placed:
        """Who is who when `source` sends to `target`; `opener` is the end that opened the connection, if one is known.

        Keep the answer for a conversation: asked with what is known of it later, it could turn out otherwise.
        """
        first, second = self._kind(source.address), self._kind(target.address)
        if first.tbox != second.tbox:
            return _placed(transport, source, target, "configured", up=first.tbox)
        if first.private != second.private:
            return _placed(transport, source, target, "private", up=first.private)
        if opener is not None:
            return _placed(transport, source, target, "opened", up=opener == source)
        if source.port != target.port:
            return _placed(transport, source, target, "port", up=source.port > target.port)
        tbox, remote = sorted((source, target))
        return Placed(Flow(transport, tbox, remote), Direction.UNKNOWN, "unknown")

    def _kind(self, address: str) -> _Kind:
        kind = self._kinds.get(address)
        if kind is None:
            if len(self._kinds) >= _MOST_KNOWN:
                self._kinds.clear()
            kind = self._kinds[address] = self._look(address)
        return kind

    def _look(self, text: str) -> _Kind:
        try:
            address = ip_address(text)
        except ValueError:
            return _Kind(tbox=False, private=False)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        tbox = any(address in network for network in self._networks)
        return _Kind(tbox, _unrouted(address))


def _placed(transport: str, source: Endpoint, target: Endpoint, how: str, *, up: bool) -> Placed:
    if up:
        return Placed(Flow(transport, source, target), Direction.UP, how)
    return Placed(Flow(transport, target, source), Direction.DOWN, how)


def _unrouted(address: IPv4Address | IPv6Address) -> bool:
    if address.is_multicast or any(address in network for network in _EXAMPLES):
        return False
    return address.is_private or address.is_link_local or address in _SHARED


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise BusgateError(
            f"{text!r} is neither an IP address nor a network. Next: write 10.0.0.5 or 10.0.0.0/24"
        ) from None
