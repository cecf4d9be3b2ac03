"""What one captured packet turned out to carry: a datagram, a fragment that waits for the rest, or nothing to read.

Law: every address is text in its canonical form (RFC 5952 for IPv6), so that one endpoint is one text everywhere.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
"""Control bits of a TCP segment (RFC 9293, 3.1)."""


class Datagram(NamedTuple):
    """One transport unit, out of whatever it was wrapped in.

    `transport` is "tcp", "udp", "icmp", "icmp6", "gsmtap" or another IP protocol by name or number ("esp", "ip-99").
    `payload` is what TCP or UDP carry; of everything else it is the whole unit behind the IP header. Ports are 0 where
    there are none; `flags`, `seq`, `ack` and `window` (as sent, unscaled) are those of a TCP segment.
    `tunnel` says what it was unwrapped from, outermost first ("vlan 7 / gtp-u teid 0000002a 10.0.0.1 > 10.0.0.2").
    `flaws` is what is wrong with it although it was read; `lacks` is how many payload bytes the capture does not hold.
    """

    at: int
    transport: str
    src: str
    sport: int
    dst: str
    dport: int
    payload: bytes
    flags: int = 0
    seq: int = 0
    ack: int = 0
    window: int = 0
    tunnel: str = ""
    flaws: tuple[str, ...] = ()
    lacks: int = 0


class Held(NamedTuple):
    """A fragment of an IP datagram that is not whole yet; the fragment that completes it gives the `Datagram`."""

    at: int
    src: str
    dst: str


class Unread(NamedTuple):
    """A packet that holds no datagram that can be read, and why. `data` is the part that was not read.

    `protocol` is what it is as far as it was understood ("arp", "ipv4"). Not every one is hostile: most networks speak
    more than IP.
    """

    at: int
    protocol: str
    reason: str
    data: bytes = b""
    src: str = ""
    dst: str = ""


Step = Datagram | Held | Unread


class Addresses:
    """Packed addresses as text, remembered; at most `most` of them, so that forged sources take no memory."""

    def __init__(self, most: int = 1 << 14) -> None:
        self._known: dict[bytes, str] = {}
        self.pairs: dict[bytes, tuple[str, str]] = {}
        """Sender and receiver of IPv4 by their eight bytes."""
        self._most = most

    def text(self, packed: bytes) -> str:
        """The text of 4 or 16 bytes."""
        known = self._known.get(packed)
        if known is not None:
            return known
        if len(self._known) >= self._most:
            self._known.clear()
        text = ".".join(map(str, packed)) if len(packed) == 4 else str(IPv6Address(packed))
        self._known[packed] = text
        return text

    def pair(self, packed: bytes) -> tuple[str, str]:
        """The texts of two addresses of four bytes."""
        if len(self.pairs) >= self._most:
            self.pairs.clear()
        pair = self.pairs[packed] = self.text(packed[:4]), self.text(packed[4:])
        return pair
