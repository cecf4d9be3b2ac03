"""A fence as text for nft, word for word where it matters; nft itself is asked in tests/system/test_relay.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.bridge.fence import Allowed, Fence, Ports, WhenDead
from busgate.bridge.firewall import Firewall
from busgate.bridge.port import BridgeError
from busgate.bridge.ruleset import merged, ruleset, services

TBOX = (ip_network("10.1.0.0/24"), ip_network("fd00:1::/64"))
FENCE = Fence("eth1", "wwan0", TBOX, 9040)
VENDOR = Allowed(ip_network("198.51.100.0/24"), "tcp", ((443, 443), (8000, 8100)))


def with_(**more: object) -> Fence:
    return dataclasses.replace(FENCE, **more)  # type: ignore[arg-type]  # as the tests say them


def chain(fence: Fence, name: str) -> list[str]:
    lines = ruleset(fence).splitlines()
    start = lines.index(f"chain {name} {{") + 1
    return lines[start : lines.index("}", start)]


def test_the_table_replaces_itself_in_one_transaction() -> None:
    assert ruleset(FENCE).startswith("add table inet busgate\ndelete table inet busgate\ntable inet busgate {\n")
    assert ruleset(FENCE) == ruleset(dataclasses.replace(FENCE))


def test_nothing_allowed_is_nothing_passed() -> None:
    text = ruleset(FENCE)
    assert "redirect" not in text
    assert "ct mark set" not in text
    assert chain(FENCE, "between") == [
        "type filter hook forward priority filter; policy accept;",
        'iifname "eth1" oifname "wwan0" jump up',
        'iifname "wwan0" oifname "eth1" jump down',
        'iifname "eth1" counter name blocked_up drop',
        'oifname "eth1" counter name blocked_down drop',
        'iifname "wwan0" ct direction original counter name blocked_uplink drop',
    ]
    for name in ("up", "down", "from_tbox", "from_uplink"):
        assert chain(FENCE, name)[-1].endswith(" drop")


def test_only_what_may_be_reached_is_redirected() -> None:
    rules = chain(with_(allowed=(VENDOR,)), "to_relay")
    assert rules[1:6] == [
        'iifname != "eth1" return',
        "meta l4proto != tcp return",
        "fib daddr type != unicast return",
        "ip saddr != @tbox_4 return",
        "ip6 saddr != @tbox_6 return",
    ]
    assert rules[6:] == [
        f"meta l4proto tcp {family} daddr @known0_{version} tcp dport {{ 443, 8000-8100 }} "
        "counter name relayed redirect to :9040"
        for family, version in (("ip", 4), ("ip6", 6))
    ]


def test_tcp_that_is_judged_never_passes_directly_while_closed() -> None:
    for fence in (with_(allowed=(VENDOR,)), with_(allowed=(VENDOR,), relayed=((1, 9000),))):
        judged = [rule for rule in chain(fence, "up") if rule.startswith("meta l4proto tcp")]
        assert judged[0].endswith("ct state established counter name blocked_up reject with tcp reset")
        assert judged[1].endswith("counter name blocked_up drop")
        assert "@judged" not in "".join(judged[:2] + chain(fence, "down"))
    assert not any("ct mark set" in rule for rule in chain(with_(allowed=(VENDOR,)), "up"))


def test_while_open_it_passes_directly_once_no_agent_lives() -> None:
    fence = with_(allowed=(VENDOR,), when_dead=WhenDead.OPEN, lease_s=7)
    assert 'set judged { type ifname; flags timeout; elements = { "eth1" timeout 7s }; }' in ruleset(fence)
    assert "iifname != @judged return" in chain(fence, "to_relay")
    up = chain(fence, "up")
    assert "meta l4proto tcp iifname @judged counter name blocked_up drop" in up
    assert sum("ct mark set" in rule for rule in up) == 2
    assert chain(fence, "down")[0] == "meta l4proto tcp oifname @judged counter name blocked_down drop"


def test_what_passed_under_another_fence_has_another_mark() -> None:
    marks = set()
    for fence in (FENCE, with_(allowed=(VENDOR,)), with_(ping=True, allowed=(VENDOR,))):
        (rule,) = (each for each in chain(fence, "down") if "ct state new,established" in each)
        marks.add(rule)
    assert len(marks) == 3
    assert not any("0x00000000" in each for each in marks)


def test_resolvers_and_clocks_are_asked_directly_and_dns_over_tcp_through_the_relay() -> None:
    fence = with_(resolvers=(ip_address("9.9.9.9"), ip_address("2620:fe::fe")), clocks=(ip_address("192.0.2.1"),))
    told = [(each.transport, each.ports, each.networks) for each in services(fence)]
    resolvers = ip_network("9.9.9.9"), ip_network("2620:fe::fe")
    assert told == [
        ("udp", ((53, 53),), resolvers),
        ("tcp", ((53, 53),), resolvers),
        ("udp", ((123, 123),), (ip_network("192.0.2.1"),)),
    ]


def test_networks_in_networks_are_said_once() -> None:
    nested = (
        ip_network("10.0.0.0/8"),
        ip_network("10.2.0.0/16"),
        ip_network("2001:db8::/32"),
        ip_network("2001:db8::1"),
    )
    fence = with_(allowed=tuple(Allowed(each, "tcp") for each in nested))
    (service,) = services(fence)
    assert service.networks == (nested[0], nested[2])


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40)).map(lambda each: (each[0], sum(each)))))
def test_merged_ports_are_the_same_ports_apart_from_each_other(ports: list[tuple[int, int]]) -> None:
    told = merged(ports)
    assert {port for low, high in told for port in range(low, high + 1)} == {
        port for low, high in ports for port in range(low, high + 1)
    }
    assert all(before[1] + 1 < after[0] for before, after in pairwise(told))


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("tsp.vendor.example", True), ("a.b.vendor.example", True), ("TSP.Vendor.Example.", True),
        ("vendor.example", False), ("evilvendor.example", False), ("tsp.vendor.example.evil.example", False),
        ("", False),
    ],
)  # fmt: skip
def test_a_star_stands_for_labels_before_the_rest(host: str, named: bool) -> None:
    assert Allowed("*.vendor.example", "tcp").names(host) is named
    assert not Allowed("vendor.example", "tcp").names(f"x.{host}")


@pytest.mark.parametrize(
    "host", ["", "A.example", 'x"; drop', "a b", "a..b", "-", "*", "*.", "a.*.b", "a\nb", "a" * 254]
)
def test_a_name_that_is_none_is_not_taken(host: str) -> None:
    with pytest.raises(BridgeError, match="is no host name"):
        Allowed(host, "tcp")


@pytest.mark.parametrize("ports", [((0, 1),), ((5, 4),), ((1, 65536),), ((-1, 3),)])
def test_ports_that_are_none_are_not_taken(ports: Ports) -> None:
    with pytest.raises(BridgeError, match="no range of ports"):
        Allowed(ip_network("10.0.0.0/8"), "udp", ports)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tbox_interface": 'eth0" accept'}, {"uplink_interface": ""}, {"uplink_interface": "eth1"},
        {"tbox_interface": "averyveryverylongname"}, {"tbox": ()}, {"relay_port": 0}, {"relayed": ((9, 1),)},
        {"local": (("sctp", 1),)}, {"local": (("udp", 70000),)}, {"lease_s": 0}, {"most_learned": 0},
    ],
)  # fmt: skip
def test_a_fence_that_could_be_misread_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BridgeError) as told:
        with_(**wrong)
    assert "\n" not in str(told.value)


FORBIDDEN = "/dev/stdin:3:5-9: Error: Could not process rule: Operation not permitted"
TOLD = "Could not process rule: Operation not permitted. Next: run it with the right CAP_NET_ADMIN"


@pytest.mark.parametrize(
    ("script", "said"), [(f"echo '{FORBIDDEN}' >&2; echo ^^^ >&2; exit 1", TOLD), ("exit 3", "nft says nothing")]
)
def test_what_nft_complains_of_is_one_line(tmp_path: Path, script: str, said: str) -> None:
    nft: Sequence[str] = ("sh", "-c", f"cat >/dev/null; {script}")
    with pytest.raises(BridgeError) as told:
        Firewall(FENCE, nft).apply()
    assert str(told.value) == f"the kernel does not take the fence: {said}"
    with pytest.raises(BridgeError, match="there is no program nft"):
        Firewall(FENCE, (str(tmp_path / "nft"),)).apply()
    with pytest.raises(BridgeError, match="nft does not tell what it holds"):
        Firewall(FENCE, ("echo",)).counters()
