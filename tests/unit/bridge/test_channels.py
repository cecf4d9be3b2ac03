from __future__ import annotations

import pytest

from busgate.bridge.channels import SideMap
from busgate.bridge.port import BridgeError
from busgate.model import Side


def test_with_nothing_given_every_channel_is_a_tap() -> None:
    sides = SideMap()
    assert [sides("can0"), sides("7"), sides("")] == [Side.TAP] * 3


def test_a_channel_without_a_side_is_left_out() -> None:
    sides = SideMap(tbox=["can1"], vehicle=["can0"])
    assert sides("can1") is Side.TBOX
    assert sides("can0") is Side.VEHICLE
    assert sides("can2") is None


def test_options_repeat_and_hold_lists() -> None:
    sides = SideMap(vehicle=["can0, can2", "can4"])
    assert [sides(f"can{n}") for n in range(5)] == [Side.VEHICLE, None, Side.VEHICLE, None, Side.VEHICLE]


def test_numbers_match_names_that_end_in_them() -> None:
    by_name = SideMap(tbox=["can1"], vehicle=["vcan0"])
    assert [by_name("1"), by_name("01"), by_name("0"), by_name("11")] == [Side.TBOX, Side.TBOX, Side.VEHICLE, None]
    by_number = SideMap(tbox=["1"])
    assert [by_number("can1"), by_number("can11"), by_number("can")] == [Side.TBOX, None, None]


def test_names_do_not_match_other_names() -> None:
    assert SideMap(tbox=["can1"])("vcan1") is None


def test_an_exact_name_outranks_a_number() -> None:
    sides = SideMap(tbox=["can1"], vehicle=["vcan1"])
    assert sides("vcan1") is Side.VEHICLE
    with pytest.raises(BridgeError, match="name it exactly"):
        sides("1")


def test_all_means_the_others() -> None:
    sides = SideMap(tbox=["can1"], vehicle=["all"])
    assert [sides("can1"), sides("can0"), sides("x")] == [Side.TBOX, Side.VEHICLE, Side.VEHICLE]
    assert SideMap.all_tbox()("eth0") is Side.TBOX


@pytest.mark.parametrize(
    ("tbox", "vehicle"), [(["can1"], ["can1"]), (["1"], ["can1"]), (["can01"], ["1"]), (["all"], ["all"])]
)
def test_one_channel_with_two_sides_is_refused(tbox: list[str], vehicle: list[str]) -> None:
    with pytest.raises(BridgeError, match="a channel has one side"):
        SideMap(tbox=tbox, vehicle=vehicle)


def test_the_same_channel_twice_on_one_side_is_fine() -> None:
    assert SideMap(tbox=["can1", "can1,1"])("can1") is Side.TBOX


def test_a_missing_name_is_refused() -> None:
    with pytest.raises(BridgeError, match="a channel name is missing"):
        SideMap(tbox=["can1,"])


def test_names_that_no_channel_has_are_told() -> None:
    assert SideMap(tbox=["can1"], vehicle=["can0"]).unmet(["0", "can5"]) == ("can1",)
