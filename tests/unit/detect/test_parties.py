from __future__ import annotations

import pytest

from busgate.detect.parties import Parties
from busgate.model import Party, Subsystem
from busgate.profile import Ecu, Profile, UdsIds
from support.detected import PROFILE, TBOX, VCU, uds


@pytest.mark.parametrize(
    ("address", "party", "subsystem"),
    [
        (VCU, Party("VCU", VCU), Subsystem.DRIVE),
        (TBOX, Party("T-box", TBOX), Subsystem.TELEMATICS),
        (0xFF, Party("all nodes", 0xFF), Subsystem.UNKNOWN),
        (0x13, Party("steering controller", 0x13), Subsystem.STEERING),
        (0xEE, Party("tachograph", 0xEE), Subsystem.BODY),
        (0xFA, Party("off-board diagnostic tool 2", 0xFA), Subsystem.UNKNOWN),
        (0x99, Party("", 0x99), Subsystem.UNKNOWN),
    ],
)
def test_the_profile_names_an_address_before_the_standard_does(
    address: int, party: Party, subsystem: Subsystem
) -> None:
    assert Parties(PROFILE).at(address) == (party, subsystem)


def test_the_profile_overrides_a_preferred_address() -> None:
    profile = PROFILE.model_copy(update={"ecus": (Ecu(name="GATE", subsystem=Subsystem.BODY, sa=0x13),)})
    assert Parties(profile).at(0x13) == (Party("GATE", 0x13), Subsystem.BODY)


@pytest.mark.parametrize(("address", "party"), [(TBOX, Party("T-box", TBOX)), (None, Party("T-box", None))])
def test_the_t_box_is_one_party_under_any_address(address: int | None, party: Party) -> None:
    assert Parties(PROFILE).tbox(address) == party


def _shared(second: Subsystem) -> Profile:
    pair = UdsIds(request=0x700, response=0x708)
    ecus = (
        Ecu(name="A", subsystem=Subsystem.DRIVE, sa=1, uds=pair),
        Ecu(name="B", subsystem=second, sa=1, uds=pair.model_copy(update={"extended": 5})),
    )
    return PROFILE.model_copy(update={"ecus": ecus})


@pytest.mark.parametrize(
    ("second", "agreed"), [(Subsystem.DRIVE, Subsystem.DRIVE), (Subsystem.DOORS, Subsystem.UNKNOWN)]
)
def test_two_ecus_at_one_place_are_both_named_and_count_as_unknown_unless_they_agree(
    second: Subsystem, agreed: Subsystem
) -> None:
    parties = Parties(_shared(second))
    assert parties.at(1) == (Party("A or B", 1), agreed)
    assert parties.diagnosed(uds(b"\x11\x01", target=0x700)) == (Party("A or B", 0x700), agreed)


def test_a_name_the_profile_does_not_have_is_nobody() -> None:
    assert Parties(PROFILE).named("nobody") == (Party("", None), Subsystem.UNKNOWN)
