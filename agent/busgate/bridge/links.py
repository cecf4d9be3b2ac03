"""CAN interfaces as the kernel describes them, and the few things a self-test sets: read and set through `ip`.

Law: what is set here is set listen-only, so that a wrong bitrate disturbs nobody, and it is put back afterwards.
Sources: iproute2, ip/iplink_can.c (the JSON it prints); linux/can/netlink.h.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from busgate.bridge.port import BridgeError


@dataclass(frozen=True, slots=True)
class Link:
    """One interface. `bitrate` and `data_bitrate` (bit/s) are None where it has none, as a virtual one."""

    name: str
    kind: str
    up: bool
    bitrate: int | None = None
    data_bitrate: int | None = None
    listen_only: bool = False
    state: str = ""
    """ERROR-ACTIVE, ERROR-WARNING, ERROR-PASSIVE, BUS-OFF, STOPPED; "" for a virtual one."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Receive and transmit error counters, and what the controller has counted since it was set up."""

    @property
    def hardware(self) -> bool:
        """Whether it is a controller on a wire."""
        return self.kind == "can"


class Links(Protocol):
    """What a self-test asks of the machine."""

    def look(self, name: str) -> Link:
        """One interface; raises BridgeError when there is none."""
        ...

    def listen_at(self, name: str, bitrate: int) -> None:
        """Set a controller to listen only, at a bitrate; raises BridgeError when it cannot be."""
        ...

    def restore(self, link: Link) -> None:
        """Put a controller back as it was."""
        ...


class IpLinks:
    """Through iproute2."""

    def look(self, name: str) -> Link:
        """As `Links.look`."""
        said = ip("-json", "-details", "-statistics", "link", "show", "dev", name)
        try:
            (plain,) = json.loads(said)
        except ValueError:
            raise BridgeError(f"ip does not describe {name}. Next: install iproute2, and try: ip link show") from None
        return described(plain)

    def listen_at(self, name: str, bitrate: int) -> None:
        """As `Links.listen_at`."""
        ip("link", "set", name, "down")
        ip("link", "set", name, "type", "can", "bitrate", str(bitrate), "listen-only", "on", "fd", "off")
        ip("link", "set", name, "up")

    def restore(self, link: Link) -> None:
        """As `Links.restore`."""
        ip("link", "set", link.name, "down")
        if link.bitrate is not None:
            words = ["link", "set", link.name, "type", "can", "bitrate", str(link.bitrate), "listen-only"]
            words.append("on" if link.listen_only else "off")
            if link.data_bitrate is not None:
                words += ["dbitrate", str(link.data_bitrate), "fd", "on"]
            ip(*words)
        if link.up:
            ip("link", "set", link.name, "up")


def described(plain: Mapping[str, Any]) -> Link:
    """A link from one object of `ip -json -details -statistics link show`."""
    info = plain.get("linkinfo") or {}
    data = info.get("info_data") or {}
    counters = {f"{way}_errors": count for way, count in (data.get("berr_counter") or {}).items()}
    counters |= {name: count for name, count in (info.get("info_xstats") or {}).items() if isinstance(count, int)}
    return Link(
        name=plain["ifname"],
        kind=info.get("info_kind", ""),
        up="UP" in plain.get("flags", ()),
        bitrate=(data.get("bittiming") or {}).get("bitrate"),
        data_bitrate=(data.get("data_bittiming") or {}).get("bitrate"),
        listen_only="LISTEN-ONLY" in data.get("ctrlmode", ()),
        state=data.get("state", ""),
        counters=counters,
    )


def ip(*words: str) -> str:
    """What iproute2 answers; raises BridgeError with what it complains of."""
    try:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603, S607 - iproute2, wherever the machine has it
    except FileNotFoundError:
        raise BridgeError("there is no program ip on this machine. Next: install iproute2") from None
    except subprocess.TimeoutExpired:
        raise BridgeError(f"ip {' '.join(words)} does not end. Next: look at dmesg") from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        raise BridgeError(f"ip {' '.join(words)}: {said}")
    return done.stdout
