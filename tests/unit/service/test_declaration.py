"""A vendor's declaration beside what was seen: what it covers, what it does not, and what it says that never came."""

from __future__ import annotations

from typing import Any

import pytest

from busgate.document import DocumentError
from busgate.service.declaration import Comparison, Deviation, compare, load_text
from support.inventory import cloud, declared, drive, read, text_message

DRIVE = "interface: can, name: TboxDriveCommand"
CONTROL = "interface: ip, protocol: jt808, code: 0x8105"


def compared(declaration: Any, *entries: dict[str, Any]) -> Comparison:
    return compare(declaration, read(*entries).functions.values())


def kinds(*arguments: Any) -> list[tuple[str, str]]:
    return [(each.kind.value, each.detail) for each in compared(*arguments).departures]


def test_what_is_not_declared_is_undeclared() -> None:
    assert kinds(declared(), drive(), cloud(), text_message()) == [("UNDECLARED_REMOTE_FUNCTION", "")] * 3


@pytest.mark.parametrize(
    "function",
    [
        DRIVE,
        "interface: [sms, can], name: tboxdrivecommand",
        "interface: can, code: 0x510",
        "interface: can, code: '0x510'",
        "interface: can, code: 1296",
        "interface: can, subsystem: drive, act: stop",
        f"{DRIVE}, subsystem: drive, act: [limit, stop], target: VCU",
        f"{DRIVE}, target: VCU (0x27)",
        f"{DRIVE}, target: 0x27",
    ],
)
def test_a_declared_function_covers_what_fits_all_that_it_says(function: str) -> None:
    result = compared(declared(function), drive())
    assert (result.covered, result.departures, result.not_observed) == ({0: 0}, (), ())


@pytest.mark.parametrize(
    ("function", "differs"),
    [
        ("interface: sms, name: TboxDriveCommand", "interface"),
        ("interface: can, name: TboxBrakeCommand", ""),
        ("interface: can, code: 0x511", ""),
        (f"{DRIVE}, subsystem: telematics", "subsystem"),
        (f"{DRIVE}, act: limit", "act"),
        (f"{DRIVE}, target: BMS", "target"),
        (f"{DRIVE}, protocol: uds", "protocol"),
        (f"{DRIVE}, act: limit, target: BMS", ""),
    ],
)
def test_one_field_that_does_not_fit_is_enough_and_a_near_match_says_which(function: str, differs: str) -> None:
    result = compared(declared(function), drive())
    assert [(each.kind, each.detail) for each in result.departures] == [(Deviation.FUNCTION, differs)]
    assert len(result.not_observed) == 1


def test_an_idle_message_is_covered_by_its_name_whatever_acts_are_declared() -> None:
    idle = drive(act="send", rule="traffic.unlisted")
    assert kinds(declared(f"{DRIVE}, act: stop"), idle) == []
    assert kinds(declared("interface: can, subsystem: drive, act: stop"), idle) == [
        ("UNDECLARED_REMOTE_FUNCTION", "act")
    ]


def test_ordinary_traffic_needs_no_declaration_but_what_nobody_can_name_does() -> None:
    beat = drive(act="send", subsystem="telematics", rule="traffic.unlisted", name="TboxHeartbeat")
    assert kinds(declared(), beat) == []
    assert kinds(declared(), drive(act="send", subsystem="unknown", name="0x777")) == [
        ("UNDECLARED_REMOTE_FUNCTION", "")
    ]


def test_declared_and_never_seen_is_listed() -> None:
    result = compared(declared(DRIVE, CONTROL), drive())
    assert [each.title for each in result.not_observed] == ["jt808 0x8105"]


@pytest.mark.parametrize(
    "end",
    ["ota.example.org", "OTA.example.org.", "ota.example.org:6000", "'*.example.org'", "198.51.100.9",
     "198.51.100.9:6000", "198.51.100.0/24", "[198.51.100.8, ota.example.org]"],
)  # fmt: skip
def test_an_endpoint_may_be_a_name_an_address_or_a_network(end: str) -> None:
    assert kinds(declared(f"{CONTROL}, endpoints: {end}"), cloud(host="ota.example.org")) == []


@pytest.mark.parametrize(
    "end",
    ["example.org", "xample.org", "ota.example.org:443", "'*.ota.example.org'", "198.51.100.90", "198.51.100.9:60",
     "203.0.113.0/24", "2001:db8::/32"],
)  # fmt: skip
def test_another_endpoint_is_a_deviation_of_a_declared_function(end: str) -> None:
    found = kinds(declared(f"{CONTROL}, endpoints: {end}"), cloud(host="ota.example.org"))
    assert found == [("UNDECLARED_ENDPOINT", "198.51.100.9:6000")]


def test_telephone_numbers_are_compared_by_their_digits() -> None:
    sms = "interface: sms, name: vendor text command"
    assert kinds(declared(f"{sms}, endpoints: '+31 6 0000 0001'"), text_message()) == []
    assert kinds(declared(f"{sms}, endpoints: '0031600000001'"), text_message()) == []
    assert kinds(declared(f"{sms}, endpoints: '+31600000002'"), text_message()) == [
        ("UNDECLARED_ENDPOINT", "+31600000001")
    ]


@pytest.mark.parametrize(
    ("places", "country", "found"),
    [
        ("NL", "NL", []),
        ("EU", "NL", []),
        ("EU", "CN", [("UNDECLARED_COUNTRY", "CN")]),
        ("[EU, CN]", "CN", []),
        ("EU", "", [("UNDECLARED_COUNTRY", "?")]),
        ("NO", "NO", []),
    ],
)
def test_countries_may_be_named_and_an_unknown_one_is_none_of_them(places: str, country: str, found: list[Any]) -> None:
    assert kinds(declared(f"{CONTROL}, countries: {places}"), cloud(country=country)) == found


def test_two_declared_functions_together_cover_their_ends() -> None:
    both = declared(f"{CONTROL}, endpoints: 198.51.100.9", f"{CONTROL}, endpoints: 198.51.100.10")
    other = cloud(endpoint={"address": "198.51.100.10", "port": 1})
    assert kinds(both, cloud(), other) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("interface: can", "give a name, a code, or both subsystem and act"),
        ("interface: bluetooth, name: x", "interface"),
        ("interface: [], name: x", "interface"),
        ("name: x", "interface"),
        ("interface: can, name: x, countries: Netherlands", "give ISO 3166-1 codes such as NL, or EU"),
        ("interface: can, name: x, colour: red", "there is no such field; see docs/inventory.md"),
        ("interface: can, name: x, act: fly", "act"),
    ],
)
def test_a_fault_in_a_declaration_names_its_line_and_field(change: str, words: str) -> None:
    with pytest.raises(DocumentError) as fault:
        declared(change)
    assert words in str(fault.value)
    assert str(fault.value).startswith("vendor.yaml:6: functions.0")


def test_a_function_without_a_purpose_is_refused() -> None:
    head = "declaration: t\nversion: 1\nvendor: v\ndate: 2026-11-01\n"
    with pytest.raises(DocumentError, match="purpose"):
        load_text(f"{head}functions:\n  - {{interface: can, name: x}}\n", "vendor.yaml")
