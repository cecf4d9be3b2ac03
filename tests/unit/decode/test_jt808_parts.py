"""Long messages in parts: any order, twice, interleaved, too many."""

from dataclasses import replace
from itertools import permutations

import pytest

from busgate.decode import jt808
from busgate.decode.jt808_parts import Reassembler
from busgate.model import Pdu
from busgate_sim.cloud import jt808 as sim
from busgate_sim.cloud.jt808_bodies import message_of
from busgate_sim.cloud.jt808_commands import Upgrade
from busgate_sim.cloud.jt808_stream import split

UPGRADE = message_of(Upgrade(0, "MAKER", "v2", bytes(range(256)) * 2), "013800138000", 0xFFFE)


def parts(message: sim.Message = UPGRADE, most: int = 200) -> list[Pdu]:
    found = [jt808.read(sim.encode(part)) for part in split(message, most)]
    return [pdu for pdu in found if pdu is not None]


def test_a_part_says_which_it_is_and_is_no_command_yet() -> None:
    first, second, third = parts()
    assert (first.name, first.fields["part"], first.fields["parts"]) == ("send terminal upgrade package", 1, 3)
    assert first.body is None
    assert "version" not in first.fields
    assert second.fields["serial"] == 0xFFFF
    assert third.fields["serial"] == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_gives_the_whole_once(order: tuple[int, ...]) -> None:
    reassembler, found = Reassembler(), parts()
    wholes = [whole for at in order if (whole := reassembler.take(found[at])) is not None]
    assert len(wholes) == 1
    assert wholes[0].fields["version"] == "v2"
    assert wholes[0].fields["data"] == (bytes(range(256)) * 2).hex()
    assert (wholes[0].fields["reassembled"], wholes[0].fields["serial"]) == (True, 0xFFFE)
    assert wholes[0].flaws == ()
    assert reassembler.held == 0


def test_a_part_that_comes_twice_changes_nothing() -> None:
    reassembler, (first, second, third) = Reassembler(), parts()
    assert [reassembler.take(pdu) for pdu in (first, first, second, first, second)] == [None] * 5
    assert reassembler.take(third) is not None


def test_messages_of_two_terminals_do_not_mix() -> None:
    reassembler = Reassembler()
    other = parts(replace(UPGRADE, phone="013900139000"))
    found = parts()
    assert [reassembler.take(pdu) for pdu in (found[0], other[0], found[1], other[1])] == [None] * 4
    whole = reassembler.take(other[2])
    assert whole is not None
    assert whole.fields["phone"].endswith("13900139000")
    assert reassembler.take(found[2]) is not None


def test_two_messages_of_one_terminal_do_not_mix() -> None:
    reassembler = Reassembler()
    later = parts(replace(UPGRADE, serial=100))
    found = parts()
    assert [reassembler.take(pdu) for pdu in (found[0], found[1], later[0], later[1])] == [None] * 4
    whole = reassembler.take(later[2])
    assert whole is not None
    assert whole.fields["serial"] == 100


@pytest.mark.parametrize("serials", [(7, 7, 7), (7, 300, 20)])
def test_serials_that_are_the_same_or_follow_no_rule(serials: tuple[int, ...]) -> None:
    reassembler = Reassembler()
    numbered = [
        replace(pdu, fields={**pdu.fields, "serial": serial}) for pdu, serial in zip(parts(), serials, strict=True)
    ]
    wholes = [reassembler.take(pdu) for pdu in numbered]
    assert wholes[:2] == [None, None]
    assert wholes[2] is not None
    assert bool(wholes[2].flaws) is (len(set(serials)) > 1)


def test_what_waited_longest_gives_way() -> None:
    reassembler = Reassembler(messages=2)
    for serial in (10, 20, 30):
        reassembler.take(parts(replace(UPGRADE, serial=serial))[0])
    assert reassembler.dropped == 1
    assert all(reassembler.take(pdu) is None for pdu in parts(replace(UPGRADE, serial=10))[1:])


def test_octets_are_bounded_too() -> None:
    reassembler = Reassembler(octets=1000)
    for serial in range(0, 100, 10):
        reassembler.take(parts(replace(UPGRADE, serial=serial))[0])
        assert reassembler.held <= 1000
    assert reassembler.dropped > 0


def test_a_whole_message_is_not_its_business() -> None:
    pdu = jt808.read(sim.encode(sim.Message(0x8104, "1", 1)))
    assert pdu is not None
    assert Reassembler().take(pdu) is None


def test_an_encrypted_message_is_joined_and_stays_hexadecimal() -> None:
    reassembler = Reassembler()
    wholes = [reassembler.take(pdu) for pdu in parts(replace(UPGRADE, encryption=1))]
    assert wholes[2] is not None
    assert wholes[2].fields["encrypted"] is True
    assert wholes[2].body is None
    assert bytes.fromhex(wholes[2].fields["body_hex"]) == UPGRADE.body


def test_flaws_of_parts_stay_with_the_whole() -> None:
    reassembler, (first, second, third) = Reassembler(), parts()
    reassembler.take(replace(first, flaws=("checksum is 00, should be 01",)))
    reassembler.take(second)
    whole = reassembler.take(third)
    assert whole is not None
    assert whole.flaws == ("part 1: checksum is 00, should be 01",)
