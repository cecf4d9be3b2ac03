from __future__ import annotations

import json

import pytest

from busgate.detect.network import (
    MOST,
    MOST_NEW,
    MOST_OF_ONE,
    NEW_NS,
    RULE_OF,
    Contact,
    Memory,
    Novelty,
    debug_port,
    passed,
)
from busgate.detect.rules import RULES
from busgate.model import Endpoint, Flow


def test_a_name_that_moves_within_its_network_is_nothing_new() -> None:
    novelty = Novelty()
    assert novelty.resolved("p.example", "203.0.113.10", "NL") == ""
    assert novelty.resolved("p.example", "203.0.113.99", "NL") == ""
    assert novelty.resolved("p.example", "203.0.113.10", "NL") == ""


def test_a_name_that_leads_to_another_country_or_network_is_told() -> None:
    novelty = Novelty()
    novelty.resolved("p.example", "203.0.113.10", "NL")
    assert novelty.resolved("p.example", "203.0.113.11", "CN") == (
        "p.example now leads to 203.0.113.11 in CN, before to NL"
    )
    assert novelty.resolved("p.example", "198.51.100.7", "NL") == (
        "p.example now leads to 198.51.100.7, before to 203.0.113.11"
    )
    assert novelty.resolved("q.example", "198.51.100.7", "CN") == ""  # nothing is known of it yet


def test_networks_of_ipv6_are_of_32_bits() -> None:
    novelty = Novelty()
    novelty.resolved("p.example", "2001:db8::1", "")
    assert novelty.resolved("p.example", "2001:db8:ffff::1", "") == ""
    assert novelty.resolved("p.example", "2001:db9::1", "") != ""


def test_a_certificate_and_a_fingerprint_are_new_when_another_was_there_before() -> None:
    novelty = Novelty()
    assert novelty.certificate("p", "a" * 64) == ""
    assert novelty.certificate("p", "b" * 64) == f"certificate {'b' * 16}…, before {'a' * 16}…"
    assert novelty.certificate("p", "a" * 64) == ""
    assert novelty.fingerprint("p", "t13d1") == ""
    assert novelty.fingerprint("p", "t13d2") == "t13d2, before t13d1"


def test_memory_is_bounded_and_comes_back_from_json() -> None:
    novelty = Novelty()
    for each in range(MOST + 10):
        novelty.certificate(f"party {each}", "x")
    for each in range(MOST_OF_ONE + 10):
        novelty.certificate("party 20", str(each))
    assert len(novelty.memory.certificates) == MOST
    assert len(novelty.memory.certificates["party 20"]) == MOST_OF_ONE
    stored = json.loads(json.dumps(novelty.memory.stored()))
    assert Memory.read(stored) == novelty.memory


def test_a_party_is_new_once_by_its_name_its_port_and_its_network_also_after_a_restart() -> None:
    novelty = Novelty()
    first = Contact("203.0.113.10", "tcp/443", "p.example", "AS64500")
    assert novelty.party(first, 0)[0] == "net.new-network"
    novelty = Novelty(Memory.read(json.loads(json.dumps(novelty.memory.stored()))))
    assert novelty.party(first, 1) == novelty.party(first._replace(address="203.0.113.99"), 1) == ("", "")
    assert novelty.party(first._replace(port="tcp/80"), 2) == ("net.new-endpoint", "tcp/80")
    assert novelty.party(first._replace(host=""), 3)[0] == "net.new-endpoint"
    assert novelty.party(first._replace(network="AS64501"), 4) == ("net.new-network", "tcp/443 in AS64501")


def test_without_a_table_a_network_is_of_24_bits_or_48() -> None:
    novelty = Novelty()
    assert novelty.party(Contact("2001:db8:1:2::1", "udp/53"), 0)[1] == "udp/53 in 2001:db8:1::/48"
    assert novelty.party(Contact("2001:db8:1:3::1", "udp/53"), 0)[0] == "net.new-endpoint"
    assert novelty.party(Contact("198.51.100.7", "udp/53"), 0)[1] == "udp/53 in 198.51.100.0/24"


def test_what_was_not_told_of_a_scan_is_new_again_later() -> None:
    novelty = Novelty()
    told = [novelty.party(Contact("192.0.2.1", f"tcp/{port}"), port)[0] for port in range(5000)]
    assert sum(map(bool, told)) == MOST_NEW
    assert sum(map(len, novelty.memory.endpoints.values())) == MOST_NEW
    rule, news = novelty.party(Contact("192.0.2.1", "tcp/4999"), NEW_NS)
    assert (rule, news) == ("net.new-endpoint", f"tcp/4999; {5000 - MOST_NEW} further ones were not told")


@pytest.mark.parametrize("broken", [None, 7, [], {"addresses": 7}, {"addresses": {"a": 7}}, {"addresses": [1]}])
def test_a_memory_that_was_spoilt_is_an_empty_one(broken: object) -> None:
    assert Memory.read(broken) == Memory()


def test_shells_and_debuggers_are_known_by_the_port_that_is_opened() -> None:
    out = Flow("tcp", Endpoint("10.0.0.2", 40_000), Endpoint("198.51.100.7", 22))
    assert debug_port(out, inbound=False) == "ssh"
    assert debug_port(out, inbound=True) == ""
    into = Flow("tcp", Endpoint("10.0.0.2", 5555), Endpoint("198.51.100.7", 40_000))
    assert debug_port(into, inbound=True) == "adb"
    assert debug_port(into._replace(transport="udp"), inbound=True) == ""


def test_each_step_of_volume_is_passed_once() -> None:
    assert passed(0, 999_999) == 0
    assert passed(999_999, 1_000_000) == 1_000_000
    assert passed(1_000_000, 1_000_001) == 0
    assert passed(0, 50_000_000) == 10_000_000


def test_every_refusal_of_a_conversation_has_a_rule() -> None:
    assert set(RULE_OF.values()) <= RULES.keys()
