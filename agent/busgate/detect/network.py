"""Whom the T-box talks with, and what is new or odd about it: the findings on conversations, whatever is said in them.

Law: new means not seen before by this gate, as far back as `Memory` goes; whether it may be is judged elsewhere.
Memory is bounded, and a memory that was lost makes everything new once, never anything familiar.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from busgate.model import Flow, Reason

MOST = 4096
MOST_OF_ONE = 64

MOST_NEW = 16
"""How many new parties are told in any `NEW_NS`; what was not told is not remembered, and new again later."""
NEW_NS = 3_600_000_000_000

SHELLS = frozenset({"ssh", "telnet", "adb", "shell"})
DEBUG_PORTS: Mapping[int, str] = {
    22: "ssh", 23: "telnet", 2222: "ssh", 2323: "telnet", 5555: "adb", 1234: "gdb server", 2345: "debugger",
    3333: "OpenOCD gdb", 4444: "OpenOCD", 6666: "OpenOCD tcl", 8000: "qconn", 9229: "debugger", 3389: "remote desktop",
    5900: "vnc",
}  # fmt: skip
"""Where shells and debuggers listen by habit; a connection there is told even before a word is said."""

VOLUMES = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
"""Bytes towards the T-box in one conversation at which it is told that it is much."""

RULE_OF: Mapping[Reason, str] = {
    Reason.ENDPOINT_NOT_LISTED: "net.endpoint",
    Reason.COUNTRY_NOT_ALLOWED: "net.country",
    Reason.PROTOCOL_NOT_ALLOWED: "net.protocol",
    Reason.IDENTITY_NOT_ALLOWED: "net.identity",
    Reason.VOLUME_EXCEEDED: "net.volume",
    Reason.GRANT_REQUIRED: "net.grant",
    Reason.OUTSIDE_WINDOW: "net.grant",
    Reason.TIME_UNKNOWN: "net.grant",
    Reason.INBOUND: "net.inbound",
    Reason.NO_POLICY: "net.endpoint",
    Reason.POLICY_EXPIRED: "net.endpoint",
    Reason.LOCAL_OVERRIDE: "net.endpoint",
}
"""The rule that tells of a conversation which the policy refuses."""


@dataclass(slots=True)
class Memory:
    """What was seen before: addresses by name; certificates, ways to speak TLS, ports by party; networks."""

    addresses: dict[str, list[str]] = field(default_factory=dict)
    certificates: dict[str, list[str]] = field(default_factory=dict)
    fingerprints: dict[str, list[str]] = field(default_factory=dict)
    countries: dict[str, list[str]] = field(default_factory=dict)
    endpoints: dict[str, list[str]] = field(default_factory=dict)
    networks: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Any) -> Memory:
        """Out of what `stored` wrote; anything else gives an empty one."""
        memory = cls()
        for name in memory.stored():
            table = stored.get(name) if isinstance(stored, Mapping) else None
            if isinstance(table, Mapping):
                kept: dict[str, list[str]] = getattr(memory, name)
                for key, values in list(table.items())[:MOST]:
                    if isinstance(values, list):
                        kept[str(key)] = [str(value) for value in values[:MOST_OF_ONE]]
        return memory

    def stored(self) -> dict[str, dict[str, list[str]]]:
        """As JSON holds it."""
        return {
            "addresses": self.addresses,
            "certificates": self.certificates,
            "fingerprints": self.fingerprints,
            "countries": self.countries,
            "endpoints": self.endpoints,
            "networks": self.networks,
        }


class Contact(NamedTuple):
    """The other end of a conversation: its port as `tcp/443`, what its network is called where a table says so."""

    address: str
    port: str
    host: str = ""
    network: str = ""


class Novelty:
    """What is new about parties, names, certificates and ways to speak."""

    def __init__(self, memory: Memory | None = None) -> None:
        """`memory` is of earlier runs."""
        self.memory = memory or Memory()
        self._told: deque[int] = deque(maxlen=MOST_NEW)
        self._untold = 0

    def party(self, contact: Contact, at: int) -> tuple[str, str]:
        """Somebody the T-box talks with: rule and what is new about it, both "" where nothing is to be told.

        Who has a name is known by it, whatever its address; that its address moved is told by `resolved`. A scan is
        told by its first `MOST_NEW` parties, and by the number of further ones once there is room again.
        """
        who = contact.host or contact.address
        place = contact.network or _neighbours(contact.address)
        elsewhere = place not in self.memory.networks
        if not elsewhere and contact.port in self.memory.endpoints.get(who, ()):
            return "", ""
        if len(self._told) == MOST_NEW and at - self._told[0] < NEW_NS:
            self._untold += 1
            return "", ""
        _add(self.memory.endpoints, who, contact.port)
        _add(self.memory.networks, place, contact.address)
        self._told.append(at)
        more, self._untold = (f"; {self._untold} further ones were not told" if self._untold else ""), 0
        if elsewhere:
            return "net.new-network", f"{contact.port} in {place}{more}"
        return "net.new-endpoint", f"{contact.port}{more}"

    def resolved(self, name: str, address: str, country: str) -> str:
        """A DNS answer: how it differs from the ones before, "" where it does not.

        Clouds move within their networks, so an address of a known network (IPv4 /16, IPv6 /32) in a known country is
        nothing new.
        """
        before = tuple(self.memory.addresses.get(name, ()))
        places = tuple(self.memory.countries.get(name, ()))
        _add(self.memory.addresses, name, address)
        if country:
            _add(self.memory.countries, name, country)
        if not before or address in before:
            return ""
        if country and places and country not in places:
            return f"{name} now leads to {address} in {country}, before to {places[-1]}"
        if _network(address) not in {_network(each) for each in before}:
            return f"{name} now leads to {address}, before to {before[-1]}"
        return ""

    def certificate(self, party: str, digest: str) -> str:
        """A certificate shown: how it differs from the ones before, "" where it does not."""
        before = tuple(self.memory.certificates.get(party, ()))
        _add(self.memory.certificates, party, digest)
        return f"certificate {digest[:16]}…, before {before[-1][:16]}…" if before and digest not in before else ""

    def fingerprint(self, party: str, ja4: str) -> str:
        """A way to open TLS: how it differs from the ones before, "" where it does not."""
        before = tuple(self.memory.fingerprints.get(party, ()))
        _add(self.memory.fingerprints, party, ja4)
        return f"{ja4}, before {before[-1]}" if before and ja4 not in before else ""


def debug_port(flow: Flow, *, inbound: bool) -> str:
    """What listens by habit at the port that this conversation was opened to; "" for ordinary ports."""
    port = flow.tbox.port if inbound else flow.remote.port
    return DEBUG_PORTS.get(port, "") if flow.transport == "tcp" else ""


def passed(before: int, after: int) -> int:
    """The largest of `VOLUMES` that a count just went past; 0 for none."""
    return max((step for step in VOLUMES if before < step <= after), default=0)


def _add(table: dict[str, list[str]], key: str, value: str) -> None:
    values = table.get(key)
    if values is None:
        if len(table) >= MOST:
            del table[next(iter(table))]
        values = table[key] = []
    if value in values:
        values.remove(value)
    values.append(value)
    del values[:-MOST_OF_ONE]


def _network(address: str) -> str:
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return str(ip_network(f"{address}/{16 if version == 4 else 32}", strict=False))


def _neighbours(address: str) -> str:
    """What stands for an address's network where no table names it: /24 of IPv4, /48 of IPv6."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return str(ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
