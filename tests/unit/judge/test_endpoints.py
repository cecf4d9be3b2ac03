"""The verdict on a conversation: with whom, where that is, what is spoken, how much."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from busgate.judge.decide import Judge
from busgate.judge.endpoints import Known
from busgate.judge.grants import read_grant
from busgate.judge.policy import load_policy
from busgate.model import Action, Endpoint, Flow, Reason
from support.judging import MONDAY, PROFILE, SECOND

TBOX = Endpoint("10.0.0.2", 40_000)
DIGEST = "ab" * 32
POLICY = f"""
policy: p
version: 1
allow: []
network:
  endpoints:
    - {{id: platform, hosts: [platform.example, "*.eu.example"], ports: 6808, speaks: jt808}}
    - {{id: web, addresses: 203.0.113.0/24, ports: [443], speaks: tls, hosts: web.example, certificates: {DIGEST}}}
    - {{id: updates, addresses: 198.51.100.20, ports: 80, speaks: http, down: {{bytes: 1 kB, per: 10 s}}}}
    - {{id: service, addresses: 198.51.100.30, ports: any, speaks: any, grant: maintenance}}
    - {{id: night, addresses: 198.51.100.40, ports: 80, speaks: http,
       window: {{from: "22:00", to: "23:00", utc_offset: "+00:00"}}}}
    - {{id: beacon, addresses: 198.51.100.50, ports: 7000, transport: udp, speaks: jt808}}
    - {{id: both-a, addresses: 198.51.100.60, ports: 80, speaks: http, grant: maintenance}}
    - {{id: both-b, addresses: 198.51.100.60, ports: 80, speaks: any}}
  resolvers: [9.9.9.9]
  time: [pool.example, 198.51.100.123]
"""


def judge(text: str = POLICY, europe: Mapping[str, bool] | None = None) -> Judge:
    made = Judge(PROFILE, device="bus-1", in_europe=lambda country: bool((europe or {}).get(country)))
    made.adopt(load_policy(text))
    return made


def flow(address: str, port: int, transport: str = "tcp") -> Flow:
    return Flow(transport, TBOX, Endpoint(address, port))


def asked(known: Known, to: Flow, by: Judge | None = None, at: int = SECOND) -> tuple[Reason, str]:
    verdict, remote = (by or judge()).conversation(to, known, at, wall=MONDAY + at)
    assert (verdict.action is Action.PASS) is (verdict.reason is Reason.ENDPOINT_SERVICE)
    return verdict.reason, "" if remote is None else remote.id


PASSES = Reason.ENDPOINT_SERVICE


@pytest.mark.parametrize(
    ("to", "known", "reason", "remote"),
    [
        (flow("203.0.113.7", 443), Known(), PASSES, "web"),
        (flow("203.0.113.7", 444), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        (flow("203.0.114.7", 443), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        (flow("203.0.113.7", 443, "udp"), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        (flow("not an address", 443), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        # By a name that DNS gave this address.
        (flow("192.0.2.9", 6808), Known(hosts=("platform.example",)), PASSES, "platform"),
        (flow("192.0.2.9", 6808), Known(hosts=("a.eu.example",)), PASSES, "platform"),
        (flow("192.0.2.9", 6808), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        # A name that TLS asks for gives nobody an address.
        (flow("192.0.2.9", 6808), Known(sni="platform.example"), Reason.ENDPOINT_NOT_LISTED, ""),
        # What is spoken.
        (flow("203.0.113.7", 443), Known(speaks="tls"), PASSES, "web"),
        (flow("203.0.113.7", 443), Known(speaks="ssh"), Reason.PROTOCOL_NOT_ALLOWED, "web"),
        (flow("203.0.113.7", 443), Known(speaks="unknown"), Reason.PROTOCOL_NOT_ALLOWED, "web"),
        (flow("198.51.100.50", 7000, "udp"), Known(speaks="jt808"), PASSES, "beacon"),
        # Identities.
        (flow("203.0.113.7", 443), Known(speaks="tls", sni="web.example"), PASSES, "web"),
        (flow("203.0.113.7", 443), Known(speaks="tls", sni="evil.example"), Reason.IDENTITY_NOT_ALLOWED, "web"),
        (flow("203.0.113.7", 443), Known(speaks="tls", certificate=DIGEST), PASSES, "web"),
        (flow("203.0.113.7", 443), Known(speaks="tls", certificate="00" * 32), Reason.IDENTITY_NOT_ALLOWED, "web"),
        # Grants and windows: it is Monday 10:00.
        (flow("198.51.100.30", 22), Known(speaks="ssh"), Reason.GRANT_REQUIRED, "service"),
        (flow("198.51.100.40", 80), Known(), Reason.OUTSIDE_WINDOW, "night"),
        # Of several at one address the first that lets it: the one that needs a grant does not.
        (flow("198.51.100.60", 80), Known(speaks="http"), PASSES, "both-b"),
        # Name and time service.
        (flow("9.9.9.9", 53, "udp"), Known(), PASSES, ""),
        (flow("9.9.9.9", 53), Known(speaks="dns-tcp"), PASSES, ""),
        (flow("9.9.9.9", 53, "udp"), Known(speaks="dns"), PASSES, ""),
        (flow("9.9.9.9", 53), Known(speaks="ssh"), Reason.PROTOCOL_NOT_ALLOWED, ""),
        (flow("8.8.8.8", 53, "udp"), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        (flow("198.51.100.123", 123, "udp"), Known(speaks="ntp"), PASSES, ""),
        (flow("192.0.2.123", 123, "udp"), Known(hosts=("pool.example",)), PASSES, ""),
        (flow("192.0.2.123", 123, "udp"), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
        (flow("198.51.100.123", 123), Known(), Reason.ENDPOINT_NOT_LISTED, ""),
    ],
)  # fmt: skip
def test_a_conversation(to: Flow, known: Known, reason: Reason, remote: str) -> None:
    assert asked(known, to) == (reason, remote)


def test_every_refusal_says_why_in_one_phrase() -> None:
    verdict, _ = judge().conversation(flow("192.0.2.9", 6808), Known(hosts=("evil.example",)), SECOND, wall=MONDAY)
    assert verdict.detail == "no endpoint of the policy is evil.example (192.0.2.9:6808)"
    verdict, _ = judge().conversation(flow("203.0.113.7", 443), Known(speaks="ssh"), SECOND, wall=MONDAY)
    assert verdict.detail == "web speaks tls, this is ssh"


GRANT = """
grant: g-1
holder: {who: Anna, organisation: Example Service BV, country: NL}
vehicle: bus-1
functions: [maintenance]
start: 2026-11-23T09:00:00Z
end: 2026-11-23T11:00:00Z
reason: a test
approvers: [A. Bakker, C. de Vries]
"""


def test_a_grant_lets_in_whom_it_is_for_while_it_lasts() -> None:
    by = judge()
    by.grants.adopt(read_grant(GRANT))
    by.tick(0, MONDAY)
    service = flow("198.51.100.30", 22)
    assert asked(Known(speaks="ssh"), service, by) == (PASSES, "service")
    late = 3601 * SECOND
    assert asked(Known(speaks="ssh"), service, by, at=late) == (Reason.GRANT_REQUIRED, "service")


IN_EUROPE = """
policy: p
version: 1
allow: []
network:
  endpoints: [{id: any, addresses: [0.0.0.0/0], ports: any, speaks: any}]
  countries: [%s]
"""


@pytest.mark.parametrize(
    ("listed", "country", "reason"),
    [
        ("EU", "NL", PASSES),
        ("EU", "CN", Reason.COUNTRY_NOT_ALLOWED),
        ("EU", "", Reason.COUNTRY_NOT_ALLOWED),
        ("EU, CH", "CH", PASSES),
        ("CN", "CN", PASSES),
        ("CN", "NL", Reason.COUNTRY_NOT_ALLOWED),
    ],
)
def test_where_an_endpoint_may_be(listed: str, country: str, reason: Reason) -> None:
    by = judge(IN_EUROPE % listed, {"NL": True, "DE": True})
    assert asked(Known(country=country), flow("203.0.113.7", 1), by) == (reason, "any")


def test_without_the_section_nobody_is_limited_and_without_a_policy_nobody_may() -> None:
    assert asked(Known(), flow("192.0.2.9", 1), judge("policy: p\nversion: 1\nallow: []\n")) == (PASSES, "")
    assert asked(Known(), flow("192.0.2.9", 1), Judge(PROFILE)) == (Reason.NO_POLICY, "")


def test_an_expired_policy_lets_nobody_talk() -> None:
    by = judge(POLICY.replace("version: 1", "version: 1\nexpires: 2026-11-23T11:00:00Z"))
    assert asked(Known(), flow("203.0.113.7", 443), by) == (PASSES, "web")
    assert asked(Known(), flow("203.0.113.7", 443), by, at=3600 * SECOND)[0] is Reason.POLICY_EXPIRED


def test_volume_is_what_came_down_in_any_stretch() -> None:
    by = judge()
    _, remote = by.conversation(flow("198.51.100.20", 80), Known(), 0, wall=MONDAY)

    def takes(size: int, at: int) -> bool:
        return by.volume(remote, size, at).action is Action.PASS

    assert takes(600, SECOND)
    assert takes(400, 2 * SECOND)
    assert not takes(1, 3 * SECOND)
    assert not takes(1, 10 * SECOND)
    assert takes(600, 11 * SECOND)  # the first 600 came ten seconds ago
    verdict = by.volume(remote, 1, 11 * SECOND)
    assert (verdict.reason, verdict.detail) == (
        Reason.VOLUME_EXCEEDED, "more than 1000 bytes in 10 s from updates",
    )  # fmt: skip


def test_volume_of_many_small_pieces_takes_bounded_memory() -> None:
    by = judge()
    _, remote = by.conversation(flow("198.51.100.20", 80), Known(), 0, wall=MONDAY)
    for at in range(100_000):
        by.volume(remote, 0, at * SECOND // 10_000)
    assert max(len(each) for each in by.endpoints._taken.values()) <= 1001
