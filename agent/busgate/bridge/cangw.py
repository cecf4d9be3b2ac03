"""The kernel's own CAN gateway (can-gw, linux/can/gw.h), set over netlink: what crosses without any program.

Law: only jobs between the two interfaces that are named are looked at or touched; others' stay. What the kernel
forwards is never echoed on the interface where it goes out (no CGW_FLAGS_CAN_ECHO): whoever listens there, the gate
first of all, would take it for the word of that side.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Self

from busgate.bridge.port import BridgeError

_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_RTM_GETLINK = 18
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _ACK, _DUMP = 0x01, 0x04, 0x300
_AF_CAN = 29
_CAN_TO_CAN = 1
_FD = 0x08
_HANDLED, _DROPPED, _SRC_IF, _DST_IF, _FILTER, _DELETED = 7, 8, 9, 10, 11, 12
_COUNTS = (_HANDLED, _DROPPED, _DELETED)
_IFLA_LINKINFO, _IFLA_INFO_KIND = 18, 1
_HEADER = struct.Struct("=LHHLL")
_ROUTE = struct.Struct("=BBH")
_WAIT_S = 2.0
_NO_GATEWAY = (93, 95)
"""EPROTONOSUPPORT, EOPNOTSUPP: nobody in this kernel answers for the family."""
_NESTED = 0x3FFF


class NoGatewayError(BridgeError):
    """This kernel has no can-gw, so that it forwards nothing."""


class Job(NamedTuple):
    """One thing that the kernel forwards: frames of `source` that fit the filter go to `target`.

    `can_id` and `mask` are those of SocketCAN filters; both 0 fit every data and remote frame. `fd` jobs take CAN FD
    frames only, the others classical ones only. `foreign` is how the kernel tells a job that this agent did not make:
    one that echoes, alters frames or counts hops (linux/can/gw.h); it is empty for ours.
    """

    source: str
    target: str
    can_id: int = 0
    mask: int = 0
    fd: bool = False
    foreign: bytes = b""


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
    """What the kernel forwards between two interfaces, either way. Looking needs no right.

    Raises:
        BridgeError: the kernel has no can-gw, or does not answer.
    """
    with _Netlink() as netlink:
        found = [_read(body) for _, body in netlink.ask(_RTM_GETROUTE, _ROUTE.pack(_AF_CAN, 0, 0), _DUMP, "tell jobs")]
    return [each for each in found if each is not None and {each.job.source, each.job.target} == {one, other}]


def replace(one: str, other: str, wanted: list[Job]) -> None:
    """Have exactly these jobs done between two interfaces; what is done already is not interrupted.

    What is not wanted goes before what is wanted comes: two jobs that fit one frame would send it twice.

    Raises:
        BridgeError: as `add`.
    """
    missing = Counter(wanted)
    for each in jobs(one, other):
        if missing[each.job]:
            missing[each.job] -= 1
        else:  # not wanted, or done twice: the kernel takes a job any number of times
            remove(each.job)
    for job in missing.elements():
        add(job)


class _Netlink:
    """One netlink socket for one exchange."""

    def __enter__(self) -> Self:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self._socket.settimeout(_WAIT_S)
            self._socket.bind((0, 0))
        except OSError as fault:
            raise BridgeError(f"this system has no netlink ({fault.strerror})") from None
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
                raise BridgeError(f"the kernel does not {what}: it did not answer for {_WAIT_S:g} s") from None
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
        **dict.fromkeys(_NO_GATEWAY, "this kernel has no can-gw; try: modprobe can-gw"),
    }
    kind = NoGatewayError if number in _NO_GATEWAY else BridgeError
    raise kind(f"the kernel does not {what}: {os.strerror(number)}; {hints.get(number, 'see dmesg')}")


def _described(job: Job) -> bytes:
    try:
        source, target = socket.if_nametoindex(job.source), socket.if_nametoindex(job.target)
    except OSError:
        raise BridgeError(f"there is no interface {job.source} or {job.target}. Next: ip link show") from None
    if job.foreign:
        return job.foreign
    return (
        _ROUTE.pack(_AF_CAN, _CAN_TO_CAN, _FD if job.fd else 0)
        + _attribute(_SRC_IF, struct.pack("=I", source))
        + _attribute(_DST_IF, struct.pack("=I", target))
        + _attribute(_FILTER, struct.pack("=II", job.can_id, job.mask))
    )


def _read(body: bytes) -> Counted | None:
    """A job from the kernel's words; None for what is none."""
    if len(body) < _ROUTE.size:
        return None
    family, kind, flags = _ROUTE.unpack_from(body)
    if family != _AF_CAN or kind != _CAN_TO_CAN:  # a kernel without can-gw tells routes of other families here
        return None
    told = list(_attributes(body[_ROUTE.size :]))
    known = dict(told)
    try:
        names = [socket.if_indextoname(int.from_bytes(known[each], "little")) for each in (_SRC_IF, _DST_IF)]
    except (KeyError, OSError):
        return None  # the interface went this moment, and its jobs with it
    can_id, mask = struct.unpack("=II", known[_FILTER]) if _FILTER in known else (0, 0)
    counts = [int.from_bytes(known.get(each, b""), "little") for each in _COUNTS]
    foreign = b""
    if flags & ~_FD or known.keys() - {*_COUNTS, _SRC_IF, _DST_IF, _FILTER}:
        foreign = body[: _ROUTE.size] + b"".join(_attribute(*each) for each in told if each[0] not in _COUNTS)
    return Counted(Job(names[0], names[1], can_id, mask, bool(flags & _FD), foreign), *counts)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & _NESTED, data[4:length]
        data = data[(length + 3) & ~3 :]
