from __future__ import annotations

import pytest

from busgate.judge.allowlist import Allowlist
from busgate.judge.policy import load_policy
from busgate.model import EXTENDED, CanMessage, Command, Side
from support.judging import command_of, group, message, policy_of, uds


def selected(command: Command, *rules: str, own: tuple[int, ...] = ()) -> list[str]:
    allowlist = Allowlist(load_policy(policy_of(*rules)).allow, own)
    return [rule.id for rule in allowlist.selecting(command)]


def test_an_empty_allowlist_selects_nothing() -> None:
    for command in (message("M"), group(0xFEE0), uds("14FFFFFF")):
        assert list(Allowlist().selecting(command)) == []


def test_all_rules_of_a_name_a_group_or_a_service_are_selected_in_order() -> None:
    rules = [
        "id: b\nmessage: M",
        "id: a\npgn: 0xFEE0",
        "id: d\nuds: {target: BMS, services: [0x14, 0x11]}",
        "id: c\nmessage: M",
        "id: e\npgn: [0xFEE1, 0xFEE0]",
        "id: f\nuds: {target: BMS, services: 0x14}",
    ]
    assert selected(message("M"), *rules) == ["b", "c"]
    assert selected(group(0xFEE0), *rules) == ["a", "e"]
    assert selected(group(0xFEE0, name="M"), *rules) == ["b", "a", "c", "e"]
    assert selected(uds("14FFFFFF"), *rules) == ["d", "f"]
    assert selected(uds("1101"), *rules) == ["d"]


def test_what_a_rule_lists_twice_is_tried_once() -> None:
    assert selected(group(0xFEE0), "id: a\npgn: [0xFEE0, 0xFEE0]") == ["a"]
    assert selected(uds("14FFFFFF"), "id: a\nuds: {target: BMS, services: [0x14, 0x14]}") == ["a"]


def test_while_the_profile_knows_no_address_of_the_t_box_any_may_send() -> None:
    assert selected(group(0xFEE0, sa=0x99), "id: a\npgn: 0xFEE0") == ["a"]
    assert selected(group(0xFEE0, sa=0x99), "id: a\npgn: 0xFEE0", own=(0x4A, 0x4B)) == []
    assert selected(group(0xFEE0, sa=0x4B), "id: a\npgn: 0xFEE0", own=(0x4A, 0x4B)) == ["a"]


def test_what_a_rule_says_of_the_sender_stands_above_the_profile() -> None:
    assert selected(group(0xFEE0, sa=0x99), "id: a\npgn: 0xFEE0\nsa: 0x99", own=(0x4A,)) == ["a"]
    assert selected(group(0xFEE0, sa=0x4A), "id: a\npgn: 0xFEE0\nsa: 0x99", own=(0x4A,)) == []


CLEAR = "id: a\nuds: {target: BMS, services: 0x14}"


def test_a_diagnostic_request_is_the_t_boxs_own_unless_its_rule_names_another_tester() -> None:
    assert selected(uds("14FFFFFF", source=0xF9), CLEAR) == ["a"]
    assert selected(uds("14FFFFFF", source=0xF9), CLEAR, own=(0x4A,)) == []
    assert selected(uds("14FFFFFF", source=0x4A), CLEAR, own=(0x4A,)) == ["a"]
    assert selected(uds("14FFFFFF", source=0xF9), f"{CLEAR}\nsa: 0xF9", own=(0x4A,)) == ["a"]
    assert selected(uds("14FFFFFF", source=0x4A), f"{CLEAR}\nsa: 0xF9", own=(0x4A,)) == []
    assert selected(uds("14FFFFFF", source=0), CLEAR, own=(0x4A,)) == []


def test_an_11_bit_request_names_no_tester_so_a_rule_that_asks_for_one_does_not_select_it() -> None:
    assert selected(uds("14FFFFFF", source=-1), CLEAR, own=(0x4A,)) == ["a"]
    assert selected(uds("14FFFFFF", source=-1), f"{CLEAR}\nsa: any", own=(0x4A,)) == ["a"]
    assert selected(uds("14FFFFFF", source=-1), f"{CLEAR}\nsa: 0xF9", own=(0x4A,)) == []


@pytest.mark.parametrize("name", [None, "BodyCommand"])
def test_a_raw_identifier_is_selected_whether_a_dbc_names_it_or_not(name: str | None) -> None:
    rules = ("id: raw\ncan_id: [0x1A5, 0x1FFFFFF0]", "id: named\nmessage: BodyCommand")
    assert selected(message(name), *rules) == (["raw"] if name is None else ["raw", "named"])


def test_another_identifier_or_the_same_number_with_29_bits_is_not_selected() -> None:
    rules = ("id: raw\ncan_id: 0x1A5", "id: long\ncan_id: 0x800")
    for can_id, ids in ((0x1A5, ["raw"]), (0x1A6, []), (0x1A5 | EXTENDED, []), (0x800 | EXTENDED, ["long"])):
        assert selected(command_of(CanMessage(0, Side.TBOX, can_id, b"")), *rules) == ids
