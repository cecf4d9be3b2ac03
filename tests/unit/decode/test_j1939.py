"""The identifier, the kinds and the table of names, against the published vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busgate.decode.j1939 import Identifier, PgnKind, canonical, pgn_kind, split
from busgate.decode.pgns import GROUPS, CommandClass, command_of, label_of, name_of

VECTORS = Path(__file__).parents[2] / "vectors"
ROWS: list[dict[str, Any]] = json.loads((VECTORS / "j1939.json").read_text())["vectors"]
COMMANDS: list[dict[str, Any]] = json.loads((VECTORS / "j1939_command_pgns.json").read_text())["vectors"]
NOTED = "Electrified Accessory Motor Command PGN 32000 (data filler by us)"  # the row's note, where its name should be


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['can_id']}-{row['source'].rpartition(':')[2]}")
def test_every_row_of_the_public_stacks_splits_and_is_named_as_they_say(row: dict[str, Any]) -> None:
    expected = row["expected"]
    identifier = split(int(row["can_id"], 16))
    assert identifier == Identifier(expected["prio"], expected["pgn"], expected["sa"], expected["da"])
    assert f"0x{identifier.pgn:04X}" == expected["pgn_hex"]
    name = expected["da_known"] if expected["name"] == NOTED else expected["name"]
    assert name_of(identifier.pgn) == name


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row["acronym"])
def test_every_commanding_group_has_its_name_label_and_class(row: dict[str, Any]) -> None:
    assert (name_of(row["pgn"]), label_of(row["pgn"]), command_of(row["pgn"])) == (
        row["acronym"],
        row["label"],
        row["class"],
    )


def test_no_group_commands_that_the_published_table_does_not_list() -> None:
    assert {pgn for pgn, group in GROUPS.items() if group.command} == {row["pgn"] for row in COMMANDS}


def test_every_command_class_is_used() -> None:
    assert {group.command for group in GROUPS.values() if group.command} == set(CommandClass)


def test_no_acronym_names_two_groups_and_every_number_is_canonical() -> None:
    assert len({group.acronym for group in GROUPS.values()}) == len(GROUPS)
    assert all(canonical(pgn) == pgn for pgn in GROUPS)


@pytest.mark.parametrize(
    ("can_id", "expected"),
    [
        (0x18EF0B4A, Identifier(6, 0xEF00, 0x4A, 0x0B)),
        (0x0CF00400, Identifier(3, 0xF004, 0x00, 0xFF)),
        (0x19EF2155, Identifier(6, 0x1EF00, 0x55, 0x21)),
        (0x19FF2155, Identifier(6, 0x1FF21, 0x55, 0xFF)),
        (0x00000000, Identifier(0, 0x0000, 0x00, 0x00)),
        (0x1FFFFFFF, Identifier(7, 0x3FFFF, 0xFF, 0xFF)),
        (0x9CF00400, Identifier(7, 0xF004, 0x00, 0xFF)),  # with the 29-bit flag of SocketCAN
    ],
)
def test_an_identifier_splits_by_its_pdu_format(can_id: int, expected: Identifier) -> None:
    assert split(can_id) == expected


@pytest.mark.parametrize(
    ("pgn", "kind"),
    [
        (0xF004, PgnKind.STANDARD),
        (0xDE00, PgnKind.STANDARD),
        (0xEF00, PgnKind.PROPRIETARY),
        (0x1EF00, PgnKind.PROPRIETARY),
        (0xFF00, PgnKind.PROPRIETARY),
        (0xFFFF, PgnKind.PROPRIETARY),
        (0x1FF00, PgnKind.PROPRIETARY),
        (0x1FFFF, PgnKind.PROPRIETARY),
        (0xEC00, PgnKind.TRANSPORT),
        (0xC700, PgnKind.TRANSPORT),
        (0xFECA, PgnKind.DIAGNOSTIC),
        (0xD900, PgnKind.DIAGNOSTIC),
        (0xDA00, PgnKind.DIAGNOSTIC),
        (0xEA00, PgnKind.REQUEST),
        (0xE800, PgnKind.REQUEST),
        (0xEE00, PgnKind.NETWORK),
        (0xFED8, PgnKind.NETWORK),
        (0xF75E, PgnKind.UNKNOWN),
        (0x20000, PgnKind.UNKNOWN),
        (0x3FF00, PgnKind.NOT_J1939),
    ],
)
def test_a_group_number_has_the_kind_that_the_standards_give_it(pgn: int, kind: PgnKind) -> None:
    assert pgn_kind(pgn) is kind


def test_the_page_of_iso_15765_3_can_be_told_from_j1939() -> None:
    assert not split(0x1BDA10F1).j1939
    assert split(0x18DA10F1).j1939
    assert split(0x19DA10F1).j1939


def test_proprietary_b_has_a_name_for_each_number() -> None:
    assert (name_of(0xFF5C), label_of(0xFF5C), command_of(0xFF5C)) == ("PropB_5C", "Proprietary B", None)
    assert (name_of(0x1FF2E), label_of(0x1FF2E)) == ("PropB2_2E", "Proprietary B2")


def test_a_group_that_nobody_listed_has_no_name() -> None:
    assert (name_of(0xF75E), label_of(0xF75E), command_of(0xF75E)) == (None, None, None)


def test_stray_bits_in_a_payload_do_not_hide_a_group() -> None:
    assert canonical(0xEF23) == 0xEF00
    assert canonical(0xFC1B00) == 0x1B00
    assert canonical(0xFEB2) == 0xFEB2
