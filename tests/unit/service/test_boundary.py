"""The kernel's fence out of policy and settings: what is named passes, what is not does not, and doubt is an error."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from busgate.bridge.fence import EVERY_PORT, Allowed, WhenDead
from busgate.bridge.ruleset import ruleset
from busgate.judge.network import NetworkSection
from busgate.judge.policy import load_policy
from busgate.model import BusgateError, Mode
from busgate.service.boundary import fence_of
from busgate.settings import Air

AIR = Air(tbox="eth1", uplink="wwan0", addresses=("192.168.8.0/24", "fd88::2"), port=9000, masquerade=True)
HEAD = "policy: p\nversion: 1\nallow: []\nnetwork:\n"


def network(text: str) -> NetworkSection:
    section = load_policy(HEAD + text).network
    assert section is not None
    return section


PLATFORM = """\
  endpoints:
    - {id: p, hosts: [p.example, "*.q.example"], addresses: [203.0.113.0/24], ports: [6808, 7000-7009], speaks: jt808}
    - {id: push, addresses: [2001:db8::9], ports: any, transport: udp, speaks: any}
"""


def test_each_host_and_network_of_an_endpoint_is_let_through_on_its_ports() -> None:
    fence = fence_of(AIR, "wwan0", network(PLATFORM), Mode.ENFORCE)
    ports = ((6808, 6808), (7000, 7009))
    assert set(fence.allowed) == {
        Allowed("p.example", "tcp", ports, when_dead=False),
        Allowed("*.q.example", "tcp", ports, when_dead=False),
        Allowed(ip_network("203.0.113.0/24"), "tcp", ports, when_dead=False),
        Allowed(ip_network("2001:db8::9"), "udp", EVERY_PORT, when_dead=False),
    }
    assert (fence.tbox_interface, fence.uplink_interface, fence.relay_port) == ("eth1", "wwan0", 9000)
    assert fence.tbox == (ip_network("192.168.8.0/24"), ip_network("fd88::2"))
    assert fence.masquerade
    assert not fence.ping


def test_only_endpoints_that_say_so_stay_open_while_no_agent_lives() -> None:
    shut = fence_of(AIR, "wwan0", network(PLATFORM), Mode.ENFORCE)
    assert shut.when_dead is WhenDead.CLOSED
    text = PLATFORM.replace("speaks: jt808}", "speaks: jt808, dead: open}")
    fence = fence_of(AIR, "wwan0", network(text), Mode.ENFORCE)
    assert fence.when_dead is WhenDead.OPEN
    assert {each.when_dead for each in fence.allowed if each.transport == "tcp"} == {True}
    assert {each.when_dead for each in fence.allowed if each.transport == "udp"} == {False}


def test_resolvers_and_clocks_are_let_through_and_clocks_by_name_as_dns_tells() -> None:
    text = "  endpoints: []\n  resolvers: [9.9.9.9]\n  time: [192.0.2.1, pool.example]\n"
    fence = fence_of(AIR, "wwan0", network(text), Mode.ENFORCE)
    assert fence.resolvers == (ip_address("9.9.9.9"),)
    assert fence.clocks == (ip_address("192.0.2.1"),)
    assert fence.allowed == (Allowed("pool.example", "udp", ((123, 123),)),)


@pytest.mark.parametrize("mode", [Mode.ENFORCE, Mode.LOCAL])
def test_a_policy_with_no_endpoint_lets_nothing_through(mode: Mode) -> None:
    assert fence_of(AIR, "wwan0", network("  endpoints: []\n"), mode).allowed == ()


def test_where_it_only_watches_and_without_a_network_section_everybody_is_reached_but_by_the_relay() -> None:
    for fence in (
        fence_of(AIR, "wwan0", network(PLATFORM), Mode.MONITOR),
        fence_of(AIR, "wwan0", network(PLATFORM), Mode.OBSERVE),
        fence_of(AIR, "wwan0", None, Mode.ENFORCE),
    ):
        assert {(each.to, each.transport) for each in fence.allowed} == {
            (ip_network(net), transport) for net in ("0.0.0.0/0", "::/0") for transport in ("tcp", "udp")
        }
        assert fence.ping
        assert "redirect to :9000" in ruleset(fence)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"addresses": ()}, "which addresses the T-box has. Next: give --address"),
        ({"addresses": ("here",)}, "'here' is no address or network. Next: write"),
        ({"local": ("67",)}, "'67' is no service. Next: write it as udp/67"),
        ({"local": ("udp/0",)}, "'udp/0' is no service"),
        ({"local": ("sctp/67",)}, "'sctp/67' is no service"),
        ({"tbox": "wwan0"}, "cannot both be on wwan0"),
        ({"tbox": 'x" accept'}, "is no name of an interface"),
    ],
)
def test_settings_that_mean_nothing_make_no_fence(changed: dict[str, object], said: str) -> None:
    with pytest.raises(BusgateError, match=said):
        fence_of(AIR.model_copy(update=changed), "wwan0", None, Mode.ENFORCE)


def test_what_the_t_box_may_use_of_the_gate_is_what_is_written() -> None:
    fence = fence_of(AIR.model_copy(update={"local": ("udp/67", "tcp/8080")}), "wwan0", None, Mode.ENFORCE)
    assert fence.local == (("udp", 67), ("tcp", 8080))
