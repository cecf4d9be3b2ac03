"""The public form holds no VIN, SIM or telephone number, address, place or undeclared host, however it is rendered."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.cli.inventory_text import as_text
from busgate.report.words import Language
from busgate.service.inventory import Inventory, Source
from busgate.service.inventory_page import page
from busgate.service.inventory_public import HIDDEN, hosts_of, named_by, scrubbed
from busgate.service.inventory_report import report_of
from support.inventory import cloud, declared, drive, placed, text_message

VIN = "LZYTBACR8J1234567"
ICCID = "8931440301234567890"
IMSI = "204043123456789"
IMEI = "356938035643809"
PHONE = "+31612345678"
NATIONAL = "06-12345678"
FOUR = "198.51.100.23"
SIX = "2001:db8:85a3::8a2e:370:7334"
HOST = "fw.secret-vendor.example"
PLACE = "52.090737, 5.121420"
DEGREES = "52°05'26.6\"N"
SECRETS = (VIN, ICCID, IMSI, IMEI, PHONE, NATIONAL, FOUR, SIX, HOST, PLACE, DEGREES)
PATTERNS = {
    "a VIN": r"\b(?=[A-HJ-NPR-Z]*\d)[A-HJ-NPR-Z0-9]{17}\b",
    "an IPv4 address": r"\b\d{1,3}(\.\d{1,3}){3}\b",
    "an IPv6 address": r"\b[0-9a-f]{1,4}:[0-9a-f]{0,4}:[0-9a-f:]+",
    "a SIM, device or telephone number": r"\+\d{6,}|\b\d{9,}\b",
    "a coordinate": r"\b\d{1,3}\.\d{4,}",
}
MADE = "2026-11-25T12:00:00Z"


def everywhere(secret: str) -> list[dict[str, Any]]:
    """Entries with a secret in every field that is text from outside."""
    asked = {"value": {"value": secret, "unit": secret}, secret: {"value": secret, "unit": ""}}
    place = {"address": secret, "port": 443}
    party = {"name": secret, "address": None}
    texts = ("name", "detail", "host", "grant", "reason", "action", "protocol", "provenance", "country", "cause")
    told: dict[str, Any] = dict.fromkeys((*texts, "allow_rule"), secret)
    told |= {"arguments": asked, "target": party, "source": party, "state": {secret: secret}}
    return [
        drive(**(told | {"frame": f"18EF0B4A#{secret.encode().hex()}"})),
        drive(rule="conduct.flood", name=secret),
        drive(rule=f"conduct.{secret}"),
        cloud(**(told | {"endpoint": place, "code": secret})),
        text_message(**(told | {"protocol": "sms", "endpoint": {"address": secret, "port": 0}})),
        {"type": "grant.start", "grant": secret, "holder": secret, "rules": [secret]},
    ]


def renderings(report: dict[str, Any]) -> list[str]:
    languages: tuple[Language, ...] = ("en", "nl")
    told = [json.dumps(report, ensure_ascii=False), json.dumps(report)]
    return told + [make(report, language) for make in (page, as_text) for language in languages]


def shown(secret: str, *, public: bool) -> list[str]:
    inventory = Inventory()
    inventory.add_log(
        Source(f"log-{secret}", origin=f"example/{secret}", fault=secret, verified=False), placed(everywhere(secret))
    )
    quoted = json.dumps(secret, ensure_ascii=False)
    vendor = declared(
        f"interface: ip, name: settings, target: {quoted}, endpoints: [{quoted}, 192.0.2.7], purpose: {quoted}"
        if secret is not HOST
        else f"interface: ip, name: settings, target: {quoted}, endpoints: 192.0.2.7, purpose: {quoted}",
    )
    return renderings(report_of(inventory, vendor, made=MADE, public=public))


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_secret_is_in_the_public_form(secret: str) -> None:
    for told in shown(secret, public=True):
        assert secret.casefold() not in told.casefold()
        assert secret.encode().hex() not in told.casefold()
        for what, pattern in PATTERNS.items():
            body = re.sub(r"(?s)<style>.*?</style>", "", told)
            found = re.search(pattern, body, re.IGNORECASE if "IPv6" in what else 0)
            assert found is None, f"{what}: {found}"


@pytest.mark.parametrize("secret", [VIN, ICCID, PHONE, FOUR, SIX, HOST])
def test_the_whole_form_does_show_it_so_that_the_search_above_means_something(secret: str) -> None:
    whole, _, *pages = shown(secret, public=False)
    assert secret in whole
    assert all(secret in told for told in pages[:2])


def test_times_are_days_and_remote_ends_are_countries() -> None:
    inventory = Inventory()
    inventory.add_log(Source("log"), placed([cloud(), cloud(7, endpoint={"address": "203.0.113.5", "port": 1})]))
    report = report_of(inventory, None, made=MADE, public=True)
    (row,) = report["functions"]
    assert (row["first"], row["last"], report["made"]) == ("2026-03-02", "2026-03-02", "2026-11-25")
    assert row["remotes"] == [{"host": "", "country": "CN", "count": 2}]
    assert {"examples", "records", "grants"}.isdisjoint(row)
    assert set(report["sources"][0]) == {"records", "root", "verified", "test_key"}


def test_a_declared_host_may_stay_and_its_address_may_not() -> None:
    vendor = declared("interface: ip, name: terminal control, endpoints: [ota.example.org:6000, '*.cdn.example.org']")
    inventory = Inventory()
    names = ("ota.example.org", "a1.cdn.example.org", "evil.example.net", "cdn.example.org.evil.example.net")
    used = [cloud(host=name, endpoint=f"198.51.100.{number}:6000") for number, name in enumerate(names)]
    inventory.add_log(Source("log"), placed(used))
    report = report_of(inventory, vendor, made=MADE, public=True)
    assert {remote["host"] for remote in report["functions"][0]["remotes"]} == {
        "ota.example.org",
        "a1.cdn.example.org",
        "",
    }
    assert {each["detail"] for each in report["findings"]} == {""}
    for told in renderings(report):
        assert "ota.example.org" in told
        assert "evil" not in told
        assert "198.51.100" not in told


@pytest.mark.parametrize(
    "text",
    ["TboxDriveCommand", "PGN 0xFECA", "set parameters 0x8103", "speed 50 km/h", "2026-11-25", "version 2.1", "20 °C",
     "VCU (0x27)", "ECU 12 of 14", "jt808", "UNDECLARED_REMOTE_FUNCTION", "12:30", "80 %", "24 V, 3.25 A"],
)  # fmt: skip
def test_harmless_texts_stay(text: str) -> None:
    assert scrubbed(text, frozenset()) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"call {PHONE} now", f"call {HIDDEN} now"),
        ("tel. (0)6 1234 5678", f"tel. {HIDDEN}"),
        ("0031 6 12 34 56 78", HIDDEN),
        (f"http://{FOUR}/{VIN}/fw.bin", HIDDEN),
        (f"via {FOUR}:8080", f"via {HIDDEN}"),
        (f"[{SIX}]:443", f"{HIDDEN}:443"),
        ("::1 and fe80::1%wwan0", f"{HIDDEN} and {HIDDEN}"),
        ("mail ops@example.org", f"mail {HIDDEN}"),
        ("via FW.Example.ORG", f"via {HIDDEN}"),
        ("lat 52.09073 lon 5.12142", f"lat {HIDDEN} lon {HIDDEN}"),
        (VIN.lower(), HIDDEN),
        ("\uff11\uff19\uff12.0.2.1", HIDDEN),
        (f"SIM{ICCID}", f"SIM{HIDDEN}"),
    ],
)
def test_what_identifies_is_hidden_and_the_rest_stays(text: str, left: str) -> None:
    assert scrubbed(text, frozenset()) == left


@given(st.text(max_size=20), st.sampled_from([VIN, PHONE, FOUR, ICCID, IMSI]), st.text(max_size=20))
def test_a_secret_within_any_text_is_hidden_unless_letters_or_digits_adjoin_it(
    before: str, secret: str, after: str
) -> None:
    assert secret not in scrubbed(f"{before} {secret} {after}", frozenset())


def test_only_names_among_the_declared_endpoints_are_hosts() -> None:
    ends = "[ota.example.org:443, '*.cdn.example.org', 192.0.2.7, 2001:db8::7, 192.0.2.0/24, '+31600000001', localhost]"
    hosts = hosts_of(declared(f"interface: ip, name: x, endpoints: {ends}"))
    assert hosts == {"ota.example.org", "*.cdn.example.org"}
    assert named_by(hosts, "OTA.Example.org.") == "ota.example.org"
    assert [named_by(hosts, each) for each in ("cdn.example.org", "", "192.0.2.7", "x.example.org")] == [""] * 4
