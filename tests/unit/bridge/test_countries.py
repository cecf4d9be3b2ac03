"""Tables of countries as operators have them, made here by mmdb_writer: right, wrong, damaged, of several makers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]  # mmdb_writer's own way to name networks

from busgate.bridge.countries import EU, Countries, Origin, in_eu
from busgate.bridge.port import BridgeError

NETHERLANDS = {"country": {"iso_code": "NL", "is_in_european_union": True}}
CHINA = {"country": {"iso_code": "CN"}}
HOSTER = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"}


def table(path: Path, rows: Mapping[str, Any], version: int = 6) -> Path:
    writer = MMDBWriter(version, "Test-Country", ipv4_compatible=version == 6)
    for network, record in rows.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def countries(tmp_path: Path) -> Countries:
    rows = {
        "192.0.2.0/24": NETHERLANDS,
        "198.51.100.0/24": CHINA,
        "203.0.113.0/24": {"country": {"iso_code": "DE"}},
        "2001:db8:1::/48": CHINA,
        "10.0.0.0/8": CHINA,
        "fe80::/10": CHINA,
    }
    return Countries.open(table(tmp_path / "country.mmdb", rows))


@pytest.mark.parametrize(
    ("address", "country", "member"),
    [
        ("192.0.2.1", "NL", True),
        ("198.51.100.9", "CN", False),
        ("203.0.113.7", "DE", True),
        ("2001:db8:1::5", "CN", False),
        ("::ffff:198.51.100.9", "CN", False),
        ("64:ff9b::192.0.2.1", "NL", True),
    ],
)
def test_the_country_of_an_address(countries: Countries, address: str, country: str, member: bool) -> None:
    assert countries.of(address) == Origin(country, member)
    assert countries.country(address) == country


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "127.0.0.1", "169.254.1.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.1", "224.0.0.1",
     "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%wwan0", "fd00::1", "ff02::1", "::ffff:10.1.2.3", "8.8.8.8",
     "2001:db8:2::1", "+31600000001", "ota.example.org", "", "999.1.1.1"],
)  # fmt: skip
def test_an_address_in_no_country_or_in_no_table_has_none(countries: Countries, address: str) -> None:
    assert countries.of(address) == Origin()


def test_places_may_be_countries_or_the_union(countries: Countries) -> None:
    dutch, chinese, german = (countries.of(each) for each in ("192.0.2.1", "198.51.100.1", "203.0.113.1"))
    assert [each.within({"EU"}) for each in (dutch, chinese, german)] == [True, False, True]
    assert chinese.within({"EU", "CN"})
    assert not dutch.within({"DE"})
    assert not Origin().within({"EU", ""})


def test_the_union_has_twenty_seven_members() -> None:
    assert len(EU) == 27
    assert in_eu("GR")
    assert not any(in_eu(code) for code in ("GB", "EL", "EU", "CH", "NO", "TR", "CN", "", "nl"))


def test_the_tables_own_word_on_membership_goes_first(tmp_path: Path) -> None:
    rows = {
        "192.0.2.0/25": {"country": {"iso_code": "RE", "is_in_european_union": True}},
        "192.0.2.128/25": {"country": {"iso_code": "NL", "is_in_european_union": False}},
    }
    countries = Countries.open(table(tmp_path / "t.mmdb", rows))
    assert (countries.of("192.0.2.1").in_eu, countries.of("192.0.2.200").in_eu) == (True, False)


def test_several_tables_complete_each_other(tmp_path: Path) -> None:
    countries = Countries.open(
        table(tmp_path / "asn.mmdb", {"192.0.2.0/24": HOSTER}),
        table(tmp_path / "c.mmdb", {"192.0.2.0/24": NETHERLANDS}),
    )
    assert countries.of("192.0.2.1") == Origin("NL", True, 64500, "Example Hosting")
    assert (countries.network("192.0.2.1"), countries.network("10.0.0.1")) == ("AS64500 Example Hosting", "")
    assert countries.built > 1_700_000_000


def test_flat_tables_are_read(tmp_path: Path) -> None:
    rows = {
        "192.0.2.0/25": {"country": "Netherlands", "country_code": "NL", "asn": "AS64501", "as_name": "Example"},
        "192.0.2.128/25": {"country": "cn"},
    }
    countries = Countries.open(table(tmp_path / "lite.mmdb", rows))
    assert countries.of("192.0.2.1") == Origin("NL", True, 64501, "Example")
    assert countries.of("192.0.2.200") == Origin("CN", False)


def test_a_table_without_ipv6_says_nothing_of_it(tmp_path: Path) -> None:
    countries = Countries.open(table(tmp_path / "four.mmdb", {"192.0.2.0/24": NETHERLANDS}, version=4))
    assert countries.of("2001:db8::1") == Origin()
    assert (countries.country("192.0.2.1"), countries.damage) == ("NL", "")


@pytest.mark.parametrize(
    "record",
    [{"country": {"iso_code": 7}}, {"country": {"iso_code": "NLD"}}, {"country": ["NL"]}, {"country": {}}, {}, "NL", 5,
     {"asn": "ASx", "as_name": 3}, {"country": {"iso_code": "N1"}}],
)  # fmt: skip
def test_records_of_another_kind_say_nothing(tmp_path: Path, record: Any) -> None:
    assert Countries.open(table(tmp_path / "odd.mmdb", {"192.0.2.0/24": record})).of("192.0.2.1") == Origin()


def test_no_table_knows_no_country() -> None:
    assert Countries.open().of("192.0.2.1") == Origin()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"", "no table"), (b"network,country\n192.0.2.0/24,NL\n" * 50, "no table")],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "wrong.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BridgeError) as fault:
        Countries.open(path)
    assert words in str(fault.value)
    assert "Next: " in str(fault.value)
    assert len(str(fault.value).splitlines()) == 1


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="cannot be read"):
        Countries.open(tmp_path)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_a_damaged_table_is_a_sentence_or_says_nothing_but_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, seed: int, hits: int
) -> None:
    chance = random.Random(seed)
    path = tmp_path_factory.getbasetemp() / "damaged.mmdb"
    rows = {f"192.0.{number}.0/24": NETHERLANDS | HOSTER for number in range(4)}
    raw = bytearray(table(path, rows).read_bytes())
    for _ in range(hits):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    path.write_bytes(raw[: chance.randrange(len(raw))] if seed % 4 == 0 else raw)
    try:
        countries = Countries.open(path)
    except BridgeError as fault:
        said = str(fault)
        assert len(said.splitlines()) == 1, said
        return
    for number in range(8):
        assert isinstance(countries.of(f"192.0.{number}.1"), Origin)
        assert isinstance(countries.of(f"2001:db8:{number}::1"), Origin)
    assert len(countries.damage.splitlines()) <= 1


def test_answers_are_kept_and_their_number_is_bounded(countries: Countries) -> None:
    for number in range(9000):
        countries.of(f"198.51.{number >> 8}.{number & 0xFF}")
    kept = countries._answer.cache_info()
    assert (kept.currsize, kept.maxsize) == (4096, 4096)
    countries.of("198.51.35.39")
    assert countries._answer.cache_info().hits == kept.hits + 1


class BrokenReader:
    """A table whose damage is met only by a later look."""

    def get(self, _: object) -> object:
        raise IndexError

    def metadata(self) -> BrokenReader:
        return self

    ip_version = 6
    build_epoch = 0


def test_a_table_that_turns_out_damaged_says_nothing_from_then_on(tmp_path: Path) -> None:
    countries = Countries.open(table(tmp_path / "asn.mmdb", {"192.0.2.0/24": HOSTER}))
    countries._readers.insert(0, (tmp_path / "bad.mmdb", BrokenReader()))  # type: ignore[arg-type]
    assert countries.of("192.0.2.1") == Origin(asn=64500, organisation="Example Hosting")
    assert "bad.mmdb: this table is damaged (IndexError). Next: " in countries.damage
    assert len(countries._readers) == 1
