"""Sockets as the relay needs them: where a redirected connection wanted to go, and who may be spoken to from where.

Law: what listens is bound to the T-box's interface, what is opened towards the world to the uplink's. Neither takes a
connection from the other side.
Sources: linux/netfilter_ipv4.h and netfilter_ipv6/ip6_tables.h (SO_ORIGINAL_DST), socket(7), tcp(7).
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import struct

from busgate.bridge.port import BridgeError
from busgate.model import Endpoint

_ORIGINAL_DESTINATION = 80
_SOCKADDR = {
    socket.AF_INET: (socket.IPPROTO_IP, struct.Struct("!2xH4s8x")),
    socket.AF_INET6: (socket.IPPROTO_IPV6, struct.Struct("!2xH4x16s4x")),
}
_BACKLOG = 4096
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))
_UNHEARD_MS = 120_000
_SPARE = 256
_EACH = 6
"""Descriptors of one flow at most: two sockets, and a pipe's two ends for each direction."""


def listener(family: socket.AddressFamily, port: int, interface: str) -> socket.socket:
    """Listen to one interface alone, in one family.

    Raises:
        BridgeError: the port is taken, or there is no such interface.
    """
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind_to(sock, interface)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))  # noqa: S104 - of one interface, see above
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as fault:
        sock.close()
        raise BridgeError(
            f"the relay cannot listen on {interface} port {port}: {fault.strerror}. Next: ss -ltnp, or another "
            "`network.port` in the settings file"
        ) from None
    return sock


def listeners(port: int, interface: str) -> list[socket.socket]:
    """Listen in both families; in one where the machine has no other.

    Raises:
        BridgeError: as `listener`.
    """
    several = [listener(socket.AF_INET, port, interface)]
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110 - the kernel's own word
        try:
            several.append(listener(socket.AF_INET6, port, interface))
        except BridgeError:
            several[0].close()
            raise
    return several


def original_destination(sock: socket.socket) -> Endpoint | None:
    """Where a redirected connection was going; None for one that came to the relay by itself."""
    level, layout = _SOCKADDR[sock.family]
    try:
        port, address = layout.unpack(sock.getsockopt(level, _ORIGINAL_DESTINATION, layout.size))
    except (OSError, struct.error):
        return None
    wanted = Endpoint(socket.inet_ntop(sock.family, address), port)
    return None if wanted == endpoint(sock.getsockname()) else wanted


def endpoint(name: tuple[str, int] | tuple[str, int, int, int]) -> Endpoint:
    """A socket's address as everybody else writes it; the zone of a link-local one is left out."""
    return Endpoint(name[0].partition("%")[0], name[1])


def outgoing(to: Endpoint, interface: str) -> socket.socket:
    """A connection to the world that has begun; whether it comes about is told by the socket's own error.

    Raises:
        OSError: it cannot even begin.
    """
    family = socket.AF_INET6 if ":" in to.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        _bind_to(sock, interface)
        with contextlib.suppress(BlockingIOError):
            sock.connect((to.address, to.port))
    except OSError:
        sock.close()
        raise
    return sock


def prepare(sock: socket.socket) -> None:
    """No delay, and a peer that has gone is noticed."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_MS)


def reset(sock: socket.socket) -> None:
    """Close so that the other end hears that this was no ordinary end."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def room_for(flows: int) -> int:
    """Raise the limit of descriptors as far as it goes; how many flows it then has room for, of those wanted."""
    wanted = flows * _EACH + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < min(hard, wanted):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted), hard))
    return max(1, min(flows, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE) // _EACH))


def _bind_to(sock: socket.socket, interface: str) -> None:
    if interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
