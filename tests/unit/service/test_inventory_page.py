"""The page: whole HTML, nothing fetched, all from outside escaped, both languages, and the sentences that matter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from busgate.cli.inventory_text import WIDTH, as_text
from busgate.model import Act, Subsystem
from busgate.report.words import ACTIONS, Language, Words
from busgate.service import inventory_words as words
from busgate.service.declaration import Declaration, Deviation
from busgate.service.inventory import Inventory, Source
from busgate.service.inventory_page import page
from busgate.service.inventory_report import report_of
from busgate.service.remote_function import Interface, Kind
from support.inventory import cloud, declared, drive, placed, text_message

MADE = "2026-11-25T12:00:00Z"
LANGUAGES: tuple[Language, ...] = ("en", "nl")
VENDOR = declared(
    "interface: can, name: TboxDriveCommand, act: limit",
    "interface: ip, protocol: jt808, code: 0x8105, endpoints: ota.example.org",
    "interface: sms, name: preheat, purpose: Heating before the first trip",
)
_VOID = frozenset({"meta", "br"})


class Outline(HTMLParser):
    """Whether every element is closed in its turn, and what is in the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def reported(*entries: dict[str, Any], vendor: Declaration | None = VENDOR, **source: Any) -> dict[str, Any]:
    inventory = Inventory()
    origin = Source("busgate-log", root="cm9vdA==", verified=True)
    inventory.add_log(replace(origin, **source), placed(entries))
    return report_of(inventory, vendor, made=MADE, public=False)


def pages(report: dict[str, Any]) -> Iterator[tuple[Language, str]]:
    for language in LANGUAGES:
        yield language, page(report, language)
        yield language, as_text(report, language)


def test_the_page_is_whole_and_fetches_nothing() -> None:
    for language in LANGUAGES:
        told = page(reported(drive(), cloud(), text_message()), language)
        outline = Outline(told)
        assert outline.open == []
        tags = {tag for tag, _ in outline.seen}
        assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form", "a"})
        assert outline.seen[0] == ("html", {"lang": language})
        attributes = {name for _, given in outline.seen for name in given}
        assert attributes.isdisjoint({"src", "href", "style", "onload"})
        assert not re.search(r"url\(|@import|https?:", told)
        assert "default-src 'none'" in told
        assert "@page { size: A4 landscape" in told


def test_what_came_off_a_wire_is_text_and_nothing_else() -> None:
    nasty = "<script>alert(1)</script>\x1b[31m\u202e[bold]"
    vendor = declared(f"interface: can, name: other, purpose: {json.dumps(nasty)}")
    report = reported(
        drive(name=nasty), cloud(host=nasty, protocol=nasty), drive(rule="conduct.flood", name=nasty), vendor=vendor
    )
    for _, told in pages(report):
        assert "\x1b" not in told
        assert "\u202e" not in told
    assert "<script" not in page(report, "en")
    assert Outline(page(report, "en")).open == []
    assert "[bold]" in as_text(report, "en")


def test_the_figures_are_those_of_the_report() -> None:
    report = reported(drive(), cloud(), text_message())
    assert "<dt>functions seen</dt><dd>3</dd>" in page(report, "en")
    assert '<div class="matters"><dt>not declared</dt><dd>2</dd></div>' in page(report, "en")
    assert "<dt>opgegeven, niet waargenomen</dt><dd>2</dd>" in page(report, "nl")
    assert as_text(report, "en").splitlines()[1] == (
        "functions seen: 3; not declared: 2; declared, not observed: 2; recorded: 0 s"
    )


def test_deviations_are_named_by_their_codes() -> None:
    told = as_text(reported(drive(), cloud()), "en")
    assert (
        "UNDECLARED_REMOTE_FUNCTION  CAN  TboxDriveCommand  (drive: stop); a declared function differs only in its act"
        in told
    )
    assert "UNDECLARED_ENDPOINT  IP  terminal control  (drive: stop); 198.51.100.9:6000" in told
    written = page(reported(drive(), cloud()), "nl")
    assert "UNDECLARED_REMOTE_FUNCTION" in written
    assert "<code>UNDECLARED_ENDPOINT</code>" in written
    assert "een opgegeven functie verschilt alleen in handeling" in written


def test_that_absence_proves_nothing_is_said_in_both_languages() -> None:
    for language, told in pages(reported(drive())):
        flat = " ".join(told.split())
        assert words.ABSENCE.in_(language) in flat
        assert words.LIMITS[0].in_(language) in flat
        assert words.BLIND.in_(language) in flat
        assert "preheat" in flat
        assert "Heating before the first trip" in flat


def test_with_traffic_of_the_other_side_blindness_is_not_claimed() -> None:
    for language, told in pages(reported(cloud())):
        assert words.BLIND.in_(language)[:40] not in " ".join(told.split())


def test_without_a_declaration_nothing_is_called_declared_or_not() -> None:
    for language, told in pages(reported(drive(), vendor=None)):
        assert words.UNDECLARED.in_(language) not in told
        assert words.H_NOT_OBSERVED.in_(language) not in told


def test_when_all_is_declared_and_seen_that_is_said() -> None:
    vendor = declared("interface: can, name: TboxDriveCommand")
    for language, told in pages(reported(drive(), vendor=vendor)):
        assert words.NONE_UNDECLARED.in_(language) in told
        assert words.ALL_OBSERVED.in_(language) in told


def test_a_log_that_is_not_as_it_was_signed_is_said_first_and_with_its_fault() -> None:
    for language, told in pages(reported(drive(), verified=False, fault="record 3 was changed")):
        flat = " ".join(told.split())
        assert flat.index(words.DOUBT.in_(language)) < flat.index("TboxDriveCommand")
        assert words.NOT_VERIFIED.in_(language).format("record 3 was changed") in flat


def test_the_text_fits_its_width_and_ends_its_lines_cleanly() -> None:
    lines = as_text(reported(drive(), cloud(name="x" * 300), text_message()), "nl").splitlines()
    assert max(len(line) for line in lines) <= WIDTH
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("table", "members"),
    [
        (words.PARTS, Subsystem),
        (words.DEEDS, Act),
        (words.KINDS, [kind.value for kind in Kind]),
        (words.INTERFACES, [each.value for each in Interface]),
        (words.SHORT_INTERFACES, [each.value for each in Interface]),
        (words.OUTCOMES, ACTIONS),
        (words.FINDINGS, [each.value for each in Deviation]),
    ],
)
def test_every_member_of_a_closed_set_has_words(table: Any, members: Any) -> None:
    assert set(table) == set(members)


def test_a_text_has_the_same_blanks_in_both_languages() -> None:
    texts = [text for text in vars(words).values() if isinstance(text, Words)]
    assert len(texts) > 40
    for text in texts:
        assert sorted(re.findall(r"\{\w*\}", text.en)) == sorted(re.findall(r"\{\w*\}", text.nl)), text
