from __future__ import annotations

from busgate.detect.flood import SECOND_NS, Excess, Window

MS = 1_000_000


def test_one_identifier_may_send_up_to_its_limit_in_a_second() -> None:
    window = Window(per_id=3, total=100)
    assert [window.add(step * MS, 1) for step in range(5)] == [None, None, None, Excess.OF_ONE, Excess.OF_ONE]


def test_all_together_may_send_up_to_the_total() -> None:
    window = Window(per_id=3, total=4)
    assert [window.add(0, can_id) for can_id in range(6)] == [None] * 4 + [Excess.OF_ALL] * 2


def test_the_second_slides() -> None:
    window = Window(per_id=2, total=100)
    assert window.add(0, 1) is None
    assert window.add(900 * MS, 1) is None
    assert window.add(999 * MS, 1) is Excess.OF_ONE
    assert window.add(SECOND_NS, 1) is None
    assert window.add(1_899 * MS, 1) is Excess.OF_ONE
    assert window.add(1_900 * MS, 1) is None


def test_a_flood_leaves_room_up_to_the_limit_rather_than_none() -> None:
    window = Window(per_id=10, total=100)
    passed = sum(window.add(step * MS, 1) is None for step in range(5_000))
    assert passed == 50


def test_one_flooding_identifier_does_not_use_up_the_others_share() -> None:
    window = Window(per_id=10, total=20)
    for step in range(100):
        window.add(step, 1)
    assert window.add(100, 2) is None


def test_memory_stays_within_the_total_limit_whatever_identifiers_come() -> None:
    window = Window(per_id=5, total=50)
    for step in range(10_000):
        window.add(step * 1_000, step)
    assert len(window._frames) <= 50
    assert len(window._of) <= 50


def test_time_that_goes_back_starts_a_new_second() -> None:
    window = Window(per_id=1, total=10)
    assert window.add(10**18, 1) is None
    assert window.add(0, 1) is None
    assert window.add(1, 1) is Excess.OF_ONE
