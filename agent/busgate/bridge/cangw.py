"""The kernel's own CAN gateway (can-gw, linux/can/gw.h), set over netlink: what crosses without any program.

Law: only jobs between the two interfaces that are named are looked at or touched; others' stay.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from busgate.bridge.port import BridgeError

_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_RTM_GETLINK = 18
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _ACK, _DUMP = 0x01, 0x04, 0x300
_AF_CAN = 29
_CAN_TO_CAN = 1
_ECHO, _FD = 0x01, 0x08
_HANDLED, _DROPPED, _SRC_IF, _DST_IF, _FILTER, _DELETED = 7, 8, 9, 10, 11, 12
_IFLA_LINKINFO, _IFLA_INFO_KIND = 18, 1
_HEADER = struct.Struct("=LHHLL")
_ROUTE = struct.Struct("=BBH")
_WAIT_S = 2.0
_NESTED = 0x3FFF


class Job(NamedTuple):
    """One thing that the kernel forwards: frames of `source` that fit the filter go to `target`.

    `can_id` and `mask` are those of SocketCAN filters; both 0 fit every data and remote frame. `fd` jobs take CAN FD
    frames only, the others classical ones only.
    """

    source: str
    target: str
    can_id: int = 0
    mask: int = 0
    fd: bool = False


class Counted(NamedTuple):
    """A job and what the kernel has counted of it: frames forwarded, dropped, deleted for having been routed before."""

    job: Job
    handled: int
    dropped: int
    deleted: int


def interface_kind(name: str) -> str:
    """What made an interface: `vcan`, `vxcan`; empty for hardware.

    Raises:
        BridgeError: there is no such interface.
    """
    try:
        index = socket.if_nametoindex(name)
    except OSError:
        raise BridgeError(f"there is no interface {name}. Next: ip link show") from None
    asked = struct.pack("=BBHiII", 0, 0, 0, index, 0, 0)
    with _Netlink() as netlink:
        for _, body in netlink.ask(_RTM_GETLINK, asked, 0):
            for kind, value in _attributes(body[16:]):
                if kind == _IFLA_LINKINFO:
                    return dict(_attributes(value)).get(_IFLA_INFO_KIND, b"").rstrip(b"\0").decode()
    return ""


def add(job: Job) -> None:
    """Have the kernel do a job.

    Raises:
        BridgeError: it cannot: no rights, no can-gw in this kernel, no such interface.
    """
    with _Netlink() as netlink:
        for _ in netlink.ask(_RTM_NEWROUTE, _described(job), _ACK, what=f"forward from {job.source} to {job.target}"):
            pass


def remove(job: Job) -> None:
    """Have it done no more. Raises BridgeError if it was not being done."""
    with _Netlink() as netlink:
        for _ in netlink.ask(_RTM_DELROUTE, _described(job), _ACK, what=f"stop from {job.source} to {job.target}"):
            pass


def jobs(one: str, other: str) -> list[Counted]:
    """What the kernel forwards between two interfaces, either way."""
    with _Netlink() as netlink:
        found = [_read(body) for _, body in netlink.ask(_RTM_GETROUTE, _ROUTE.pack(_AF_CAN, 0, 0), _DUMP)]
    return [each for each in found if each is not None and {each.job.source, each.job.target} == {one, other}]


def replace(one: str, other: str, wanted: list[Job]) -> None:
    """Have exactly these jobs done between two interfaces; what is done already is not interrupted.

    Raises:
        BridgeError: as `add`.
    """
    done = {each.job for each in jobs(one, other)}
    for job in wanted:
        if job not in done:
            add(job)
    for job in done - set(wanted):
        remove(job)


class _Netlink:
    """One netlink socket for one exchange."""

    def __enter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        except OSError as fault:
            raise BridgeError(f"this system has no netlink ({fault.strerror})") from None
        self._socket.settimeout(_WAIT_S)
        self._socket.bind((0, 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes, flags: int, what: str = "be asked") -> Iterator[tuple[int, bytes]]:
        """The kernel's answers to one message."""
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | flags, 1, 0) + body)
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                return
            while len(data) >= _HEADER.size:
                length, answer, _, _, _ = _HEADER.unpack_from(data)
                told, data = data[_HEADER.size : length], data[(length + 3) & ~3 :]
                if answer == _NLMSG_DONE:
                    return
                if answer == _NLMSG_ERROR:
                    _raise(-int.from_bytes(told[:4], "little", signed=True), what)
                    return
                yield answer, told
            if not flags:
                return


def _raise(number: int, what: str) -> None:
    if not number:
        return
    hints = {
        1: "busgate needs the right CAP_NET_ADMIN for it",
        19: "an interface is missing or no CAN interface",
        93: "this kernel has no can-gw; try: modprobe can-gw",
        95: "this kernel has no can-gw; try: modprobe can-gw",
    }
    raise BridgeError(f"the kernel does not {what}: {os.strerror(number)}; {hints.get(number, 'see dmesg')}")


def _described(job: Job) -> bytes:
    try:
        source, target = socket.if_nametoindex(job.source), socket.if_nametoindex(job.target)
    except OSError:
        raise BridgeError(f"there is no interface {job.source} or {job.target}. Next: ip link show") from None
    flags = _ECHO | (_FD if job.fd else 0)
    return (
        _ROUTE.pack(_AF_CAN, _CAN_TO_CAN, flags)
        + _attribute(_SRC_IF, struct.pack("=I", source))
        + _attribute(_DST_IF, struct.pack("=I", target))
        + _attribute(_FILTER, struct.pack("=II", job.can_id, job.mask))
    )


def _read(body: bytes) -> Counted | None:
    """A job from the kernel's words; None for one that this agent does not make."""
    _, kind, flags = _ROUTE.unpack_from(body)
    told = dict(_attributes(body[_ROUTE.size :]))
    if kind != _CAN_TO_CAN or _SRC_IF not in told or _DST_IF not in told:
        return None
    can_id, mask = struct.unpack("=II", told[_FILTER]) if _FILTER in told else (0, 0)
    names = [socket.if_indextoname(int.from_bytes(told[each], "little")) for each in (_SRC_IF, _DST_IF)]
    counts = [int.from_bytes(told.get(each, b""), "little") for each in (_HANDLED, _DROPPED, _DELETED)]
    return Counted(Job(names[0], names[1], can_id, mask, bool(flags & _FD)), *counts)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & _NESTED, data[4:length]
        data = data[(length + 3) & ~3 :]
