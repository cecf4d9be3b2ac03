"""A fence as nftables reads it: one table that replaces itself in one transaction.

Law: the same fence gives the same text. Every packet that touches the T-box or comes in from the uplink ends in a rule
of this table; other traffic of the machine is not looked at. Both families are written by the same lines.

TCP reaches the relay through `redirect`, not `tproxy`: the relay then needs no right and no route of its own, and
where nobody listens the kernel refuses the connection by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, collapse_addresses, ip_network
from typing import NamedTuple

from busgate.bridge.fence import EVERY_PORT, Allowed, Fence, Network, Ports, Transport, WhenDead

TABLE = "inet busgate"
JUDGED = "judged"
"""The set that says by its one element that an agent lives."""
COUNTERS = ("relayed", "direct", "blocked_up", "blocked_down", "blocked_local", "blocked_uplink", "forged")
_FAMILIES = (4, 6)
_DNS, _NTP = 53, 123
_SPEAKERS = {4: "ip", 6: "ip6"}
_EVERY = ((1, 0xFFFF),)


class Service(NamedTuple):
    """What shares a transport and ports: networks that are known, or one name whose addresses are learned."""

    key: str
    transport: Transport
    ports: Ports
    networks: tuple[Network, ...]
    host: str = ""
    when_dead: bool = True

    def name(self, family: int) -> str:
        """The kernel's set of its addresses in one family."""
        return f"{self.key}_{family}"


def services(fence: Fence) -> tuple[Service, ...]:
    """What the fence allows, put together by transport and ports; names each by themselves."""
    several: dict[tuple[Transport, Ports, bool], list[Network]] = {}
    names: dict[tuple[str, Transport, Ports, bool], None] = {}
    for each in _every(fence):
        ports = merged(each.ports)
        if isinstance(each.to, str):
            names[each.to, each.transport, ports, each.when_dead] = None
        else:
            several.setdefault((each.transport, ports, each.when_dead), []).append(each.to)
    known = (
        Service(f"known{n}", transport, ports, _collapsed(to), when_dead=when_dead)
        for n, ((transport, ports, when_dead), to) in enumerate(several.items())
    )
    named = (
        Service(f"named{n}", transport, ports, (), host, when_dead)
        for n, (host, transport, ports, when_dead) in enumerate(names)
    )
    return (*known, *named)


def merged(ports: Iterable[tuple[int, int]]) -> Ports:
    """The same ports as ranges in order that neither meet nor overlap."""
    told: list[tuple[int, int]] = []
    for low, high in sorted(ports):
        if told and low <= told[-1][1] + 1:
            told[-1] = told[-1][0], max(high, told[-1][1])
        else:
            told.append((low, high))
    return EVERY_PORT if tuple(told) == _EVERY else tuple(told)


def ruleset(fence: Fence, learned: Iterable[str] = ()) -> str:
    """The whole table as `nft -f -` takes it; `learned` are commands that put back what its sets knew."""
    plain = "\n".join(_body(fence, mark=""))
    # What has been let pass carries the mark of its own ruleset, so that another one judges it anew.
    mark = f"{zlib.crc32(plain.encode()) | 1:#010x}"
    lines = [f"add table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", *_body(fence, mark), "}", *learned]
    return "\n".join(lines) + "\n"


def learn(service: Service, address: str, family: int, seconds: int) -> Iterator[str]:
    """Commands that have a set hold an address for some time from now on; one it holds already, too."""
    element = f"element {TABLE} {service.name(family)} {{ {address}"
    yield f"add {element} }}"
    yield f"delete {element} }}"
    yield f"add {element} timeout {seconds}s }}"


def beat(fence: Fence) -> str:
    """Commands that tell the kernel that the agent lives."""
    element = f'element {TABLE} {JUDGED} {{ "{fence.tbox_interface}"'
    return f"add {element} }}\ndelete {element} }}\nadd {element} timeout {fence.lease_s}s }}\n"


def _every(fence: Fence) -> Iterator[Allowed]:
    yield from fence.allowed
    for address in fence.resolvers:
        yield Allowed(ip_network(address), "udp", ((_DNS, _DNS),))
        yield Allowed(ip_network(address), "tcp", ((_DNS, _DNS),))
    for address in fence.clocks:
        yield Allowed(ip_network(address), "udp", ((_NTP, _NTP),))


def _collapsed(networks: Iterable[Network]) -> tuple[Network, ...]:
    """Networks of both families without those that lie in others: sets of intervals take no overlaps."""
    several = list(networks)
    v4 = [each for each in several if isinstance(each, IPv4Network)]
    v6 = [each for each in several if not isinstance(each, IPv4Network)]
    return (*collapse_addresses(v4), *collapse_addresses(v6))


def _body(fence: Fence, mark: str) -> Iterator[str]:
    offered = services(fence)
    tbox, uplink = f'"{fence.tbox_interface}"', f'"{fence.uplink_interface}"'
    yield from (f"counter {name} {{ }}" for name in COUNTERS)
    yield from _sets(fence, offered)
    yield from _chain("to_relay", "nat", "prerouting", "dstnat", _to_relay(fence, offered))
    yield from _chain("up", rules=_up(fence, offered, mark))
    yield from _chain("down", rules=_down(fence, mark))
    yield from _chain("from_tbox", rules=_from_tbox(fence))
    yield from _chain("from_uplink", rules=_from_uplink())
    between = [
        f"iifname {tbox} oifname {uplink} jump up",
        f"iifname {uplink} oifname {tbox} jump down",
        f"iifname {tbox} {_blocked('up')}",
        f"oifname {tbox} {_blocked('down')}",
        f"iifname {uplink} ct direction original {_blocked('uplink')}",
    ]
    yield from _chain("between", "filter", "forward", "filter", between)
    here = [f"iifname {tbox} jump from_tbox", f"iifname {uplink} jump from_uplink"]
    yield from _chain("here", "filter", "input", "filter", here)
    if fence.masquerade:
        rules = [f"iifname {tbox} oifname {uplink} masquerade"]
        yield from _chain("leaving", "nat", "postrouting", "srcnat", rules)


def _chain(name: str, kind: str = "", hook: str = "", priority: str = "", rules: Iterable[str] = ()) -> Iterator[str]:
    yield f"chain {name} {{"
    if kind:
        yield f"type {kind} hook {hook} priority {priority}; policy accept;"
    yield from rules
    yield "}"


def _sets(fence: Fence, offered: Sequence[Service]) -> Iterator[str]:
    for family in _FAMILIES:
        yield _set(f"tbox_{family}", family, _collapsed(fence.tbox))
        for each in offered:
            if each.host:
                size = f"flags timeout; size {fence.most_learned};"
                yield f'set {each.name(family)} {{ type ipv{family}_addr; {size} comment "{each.host[:120]}"; }}'
            else:
                yield _set(each.name(family), family, each.networks)
    alive = f'elements = {{ "{fence.tbox_interface}" timeout {fence.lease_s}s }}'
    yield f"set {JUDGED} {{ type ifname; flags timeout; {alive}; }}"


def _set(name: str, family: int, networks: Iterable[Network]) -> str:
    elements = ", ".join(str(each) for each in networks if each.version == family)
    held = f" elements = {{ {elements} }};" if elements else ""
    return f"set {name} {{ type ipv{family}_addr; flags interval;{held} }}"


def _to_relay(fence: Fence, offered: Sequence[Service]) -> Iterator[str]:
    """Only what may be reached is redirected, and never what is addressed to the gate itself."""
    yield f'iifname != "{fence.tbox_interface}" return'
    yield "meta l4proto != tcp return"
    yield "fib daddr type != unicast return"
    yield from (f"{_SPEAKERS[family]} saddr != @tbox_{family} return" for family in _FAMILIES)
    if fence.relayed != EVERY_PORT:
        yield f"tcp dport != {_ports(fence.relayed)} return"
    if fence.when_dead is WhenDead.OPEN:
        yield f"iifname != @{JUDGED} return"
    for each in offered:
        if each.transport == "tcp":
            yield from _towards(each, f"counter name relayed redirect to :{fence.relay_port}")


def _up(fence: Fence, offered: Sequence[Service], mark: str) -> Iterator[str]:
    yield f"ct state invalid {_blocked('up')}"
    yield from (f"{_SPEAKERS[family]} saddr != @tbox_{family} counter name forged drop" for family in _FAMILIES)
    judged = _judged(fence, "dport", "iifname")
    yield f"{judged} ct state established counter name blocked_up reject with tcp reset"
    yield f"{judged} {_blocked('up')}"
    yield from _passed(fence, mark)
    # What the T-box merely answers was begun from outside, before there was a fence.
    yield f"ct direction reply {_blocked('up')}"
    let = f"ct mark set {mark} counter name direct accept"
    for each in offered:
        dead = fence.when_dead is WhenDead.OPEN and each.when_dead
        if each.transport == "udp" or fence.relayed != EVERY_PORT or dead:
            yield from _towards(each, let)
        if fence.ping:
            yield f"icmp type echo-request ip daddr @{each.name(4)} {let}"
            yield f"icmpv6 type echo-request ip6 daddr @{each.name(6)} {let}"
    yield _blocked("up")


def _down(fence: Fence, mark: str) -> Iterator[str]:
    # A connection from the time when no agent lived would bring commands that nobody judges.
    yield f"{_judged(fence, 'sport', 'oifname')} {_blocked('down')}"
    yield from _passed(fence, mark)
    yield _blocked("down")


def _judged(fence: Fence, end: str, interface: str) -> str:
    """What fits TCP that only the relay may carry at this moment."""
    ports = f" tcp {end} {_ports(fence.relayed)}" if fence.relayed != EVERY_PORT else ""
    alive = f" {interface} @{JUDGED}" if fence.when_dead is WhenDead.OPEN else ""
    return f"meta l4proto tcp{ports}{alive}"


def _passed(fence: Fence, mark: str) -> Iterator[str]:
    if fence.clamp_mss:
        yield "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"
    # Datagrams without answers are never "established"; what a helper expects has its master's mark, but is new.
    yield f"ct state new,established ct mark {mark} ct status ! expected accept"
    yield f"ct state related ct mark {mark} meta l4proto {{ icmp, ipv6-icmp }} accept"


def _from_tbox(fence: Fence) -> Iterator[str]:
    """To the gate itself: neighbours (RFC 4861), what was redirected, answers, and what is offered by name."""
    yield "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept"
    yield f"ct status dnat tcp dport {fence.relay_port} accept"
    yield "ct state established,related ct direction reply accept"
    yield from (f"{transport} dport {port} accept" for transport, port in fence.local)
    yield "icmp type echo-request accept"
    yield "icmpv6 type echo-request accept"
    yield _blocked("local")


def _from_uplink() -> Iterator[str]:
    """From the cellular side come answers to what the gate itself began, its addresses and its neighbours, no more."""
    yield "ct state established,related ct direction reply accept"
    yield "icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept"
    yield "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept"
    yield _blocked("uplink")


def _towards(service: Service, then: str) -> Iterator[str]:
    ports = f" {service.transport} dport {_ports(service.ports)}" if service.ports else ""
    for family in _FAMILIES:
        yield f"meta l4proto {service.transport} {_SPEAKERS[family]} daddr @{service.name(family)}{ports} {then}"


def _ports(ports: Ports) -> str:
    told = (str(low) if low == high else f"{low}-{high}" for low, high in merged(ports))
    return f"{{ {', '.join(told)} }}"


def _blocked(way: str) -> str:
    return f"counter name blocked_{way} drop"
