"""Whom the T-box may talk to, as a policy writes it: what can be read, and what is said of what cannot."""

from __future__ import annotations

import pytest

from busgate.document import DocumentError
from busgate.judge.network import NetworkSection, names, volume
from busgate.judge.plain import policy_in_words
from busgate.judge.policy import Policy, load_policy, policy_schema

HEAD = "policy: p\nversion: 1\nallow: []\n"
FULL = (
    HEAD
    + """\
network:
  endpoints:
    - id: platform
      why: telemetry and orders
      hosts: [platform.example.com, "*.eu.example.com"]
      addresses: [203.0.113.10, 2001:db8::/32]
      ports: [443, "8000-8100"]
      transport: tcp
      speaks: tls
      certificates: "AB:CD:%s"
      down: {bytes: 10 MB, per: 1 h}
      window: {from: "22:00", to: "04:00", utc_offset: "+01:00"}
      grant: remote-service
  resolvers: 9.9.9.9
  time: [pool.ntp.org]
  countries: [EU, CH]
  hold: {downloads: 500 kB}
  answer: refuse
"""
    % ("00" * 30)
)


def network(text: str = FULL) -> NetworkSection:
    section = load_policy(text).network
    assert section is not None
    return section


def faults(text: str) -> list[str]:
    with pytest.raises(DocumentError) as told:
        load_policy(text, "p.yaml")
    return str(told.value).splitlines()


def endpoint(*fields: str) -> str:
    lines = "".join(f"      {field}\n" for field in fields)
    return f"{HEAD}network:\n  endpoints:\n    - id: x\n{lines}"


def test_a_whole_section_is_read() -> None:
    section = network()
    (remote,) = section.endpoints
    assert remote.hosts == ("platform.example.com", "*.eu.example.com")
    assert [str(each) for each in remote.addresses] == ["203.0.113.10/32", "2001:db8::/32"]
    assert [remote.ports.allows(port) for port in (443, 8000, 8100, 8101, 80)] == [True, True, True, False, False]
    assert remote.certificates == ("abcd" + "00" * 30,)
    assert remote.down is not None
    assert (remote.down.bytes, remote.down.per) == (10_000_000, 3_600_000_000_000)
    assert (remote.grant, remote.dead, section.answer) == ("remote-service", "closed", "refuse")
    assert section.hold is not None
    assert section.hold.downloads == 500_000


def test_a_policy_without_the_section_limits_nobody_there() -> None:
    assert load_policy(HEAD).network is None


FIELDS = ("addresses: 203.0.113.10", "ports: 443", "speaks: tls")
NO_NETWORK = "is no address or network; write 203.0.113.10 or 203.0.113.0/24"
NO_HOST = "is no host name; write platform.example.com, or *.example.com for all below it"
NO_AMOUNT = "is no amount of data; write it with its unit: 500 kB, 10 MB or 1 GB"
CERTIFICATE = f"certificates: '{'00' * 32}'"


@pytest.mark.parametrize(
    ("fields", "place", "fault"),
    [
        (FIELDS[1:], "6", "say whom: hosts, addresses, or both"),
        ((FIELDS[0], FIELDS[2]), "6: ports", "Field required"),
        (FIELDS[:2], "6: speaks", "Field required"),
        ((FIELDS[0], "ports: 65536", FIELDS[2]), "8: ports", "0x10000 is not a whole number from 0x00 to 0xFFFF"),
        ((FIELDS[0], "ports: []", FIELDS[2]), "8: ports", "an empty list selects nothing; list what is meant"),
        (("addresses: 203.0.113.300", *FIELDS[1:]), "7: addresses", f"'203.0.113.300' {NO_NETWORK}"),
        (("addresses: 203.0.113.1/24", *FIELDS[1:]), "7: addresses", f"'203.0.113.1/24' {NO_NETWORK}"),
        (("addresses: 42", *FIELDS[1:]), "7: addresses", f"42 {NO_NETWORK}"),
        (("hosts: 'http://x.example'", *FIELDS[1:]), "7: hosts", f"'http://x.example' {NO_HOST}"),
        (("hosts: 'a.*.example'", *FIELDS[1:]), "7: hosts", f"'a.*.example' {NO_HOST}"),
        ((*FIELDS, "certificates: abcd"), "10: certificates", "'abcd' is no SHA-256; write its 64 hexadecimal digits"),
        (
            (*FIELDS[:2], "speaks: jt808", CERTIFICATE),
            "6",
            "certificates are shown in TLS only: write speaks: tls",
        ),
        ((*FIELDS, "down: {bytes: 10, per: 1 h}"), "10: down.bytes", f"10 {NO_AMOUNT}"),
        ((*FIELDS, "down: {bytes: 0 MB, per: 1 h}"), "10: down.bytes", f"'0 MB' {NO_AMOUNT}"),
        (
            (*FIELDS, "grant: g", "dead: open"),
            "6",
            "what needs a grant cannot stay open while nobody looks at grants: leave `dead: open` out",
        ),
        (
            (*FIELDS, "prots: 1"),
            "10: prots",
            "there is no such field; see 'busgate policy schema' or the profile guide for the ones there are",
        ),
        ((*FIELDS, "grant:"), "10: grant", "it has no value; give it one or leave it out"),
        ((*FIELDS, "transport: sms"), "10: transport", "Input should be 'tcp' or 'udp'"),
    ],
)
def test_a_fault_is_one_line_with_its_field_and_line(fields: tuple[str, ...], place: str, fault: str) -> None:
    line, _, field = place.partition(": ")
    path = f"network.endpoints.0.{field}".rstrip(".")
    assert faults(endpoint(*fields)) == [f"p.yaml:{line}: {path}: {fault}"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("countries: [NL, europe]", "'europe' is no country; write its two letters (ISO 3166-1), such as NL, or EU"),
        ("resolvers: dns.example", "'dns.example' is no address; write 9.9.9.9"),
        ("time: ''", "'' is no host name; write platform.example.com, or *.example.com for all below it"),
        ("answer: maybe", "Input should be 'refuse' or 'silence'"),
    ],
)
def test_faults_beside_the_endpoints(line: str, fault: str) -> None:
    field = line.split(":", maxsplit=1)[0]
    assert faults(f"{HEAD}network:\n  endpoints: []\n  {line}\n") == [f"p.yaml:6: network.{field}: {fault}"]


def test_endpoints_have_ids_of_their_own() -> None:
    twice = endpoint(*FIELDS) + "    - {id: x, addresses: 203.0.113.11, ports: 80, speaks: http}\n"
    assert faults(twice) == ["p.yaml:10: network.endpoints.1.id: another endpoint is called x already"]


@pytest.mark.parametrize(
    ("written", "size"), [("1 B", 1), ("500 kB", 500_000), ("10MB", 10_000_000), ("2 GB", 2_000_000_000)]
)
def test_an_amount_of_data(written: str, size: int) -> None:
    assert volume(written) == size


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("platform.example.com", True),
        ("PLATFORM.example.com.", True),
        ("a.eu.example.com", True),
        ("b.a.eu.example.com", True),
        ("eu.example.com", False),
        ("xeu.example.com", False),
        ("platform.example.com.evil.example", False),
        ("", False),
    ],
)
def test_a_star_stands_for_one_label_or_more(host: str, named: bool) -> None:
    assert names(("platform.example.com", "*.eu.example.com"), host) is named


def test_it_is_said_in_plain_words() -> None:
    said = dict(policy_in_words(load_policy(FULL)))
    assert said["may reach platform"] == (
        "platform.example.com, *.eu.example.com, 203.0.113.10/32 or 2001:db8::/32, tcp port 443 or 8000-8100; speaking"
        " tls; with certificate abcd000000000000…; at most 10000000 bytes down in any 1 h; every day, 22:00 to 04:00"
        " (UTC+01:00); only during a maintenance grant for remote-service; stops while no agent judges; because"
        " telemetry and orders"
    )
    assert said["only in"] == "EU or CH"
    assert said["waits for the operator"] == "a download of more than 500000 bytes"
    assert said["what is cut out"] == "is answered with the protocol's refusal"
    assert dict(policy_in_words(load_policy(HEAD)))["over the air"].startswith("the T-box may talk to anybody")


def test_the_schema_has_what_a_policy_may_write() -> None:
    schema = policy_schema()
    assert {"endpoints", "resolvers", "time", "countries", "hold", "answer"} == set(
        schema["$defs"]["NetworkSection"]["properties"]
    )
    assert set(schema["$defs"]["Remote"]["required"]) == {"id", "ports", "speaks"}
    assert set(schema["$defs"]["CloudSelector"]["properties"]) == {"protocol", "codes", "asks", "endpoints", "fields"}
    assert schema["$defs"]["Remote"]["properties"]["ports"]["anyOf"][0]["examples"] == [443, "8000-8100", "any"]
    assert "network" in schema["properties"]
    assert isinstance(load_policy(FULL), Policy)
