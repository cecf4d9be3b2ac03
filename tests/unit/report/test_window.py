"""How far the log has been sent."""

from __future__ import annotations

from busgate.report.offer import Offer
from busgate.report.window import LIMIT, Window


def test_published_is_what_the_broker_has_without_a_gap() -> None:
    window = Window(10)
    window.sent(1, 5)
    window.sent(2, 5)
    assert (window.next, window.published) == (20, 10)
    assert window.acknowledged(2)
    assert window.published == 10
    assert window.acknowledged(1)
    assert window.published == 20


def test_there_is_room_for_so_many_bundles_and_no_more() -> None:
    window = Window(0)
    for mid in range(LIMIT):
        assert window.room == LIMIT - mid
        window.sent(mid, 1)
    assert window.room == 0
    window.limit = 1
    assert window.room == 0


def test_a_refused_bundle_goes_again() -> None:
    window = Window(0)
    window.sent(1, 5)
    window.sent(2, 5)
    assert window.refused(1)
    assert (window.next, window.published) == (0, 0)
    assert not window.refused(1)
    assert not window.acknowledged(99)


def test_a_rewind_takes_published_back_and_never_leaps_ahead() -> None:
    window = Window(0)
    window.sent(1, 50)
    window.acknowledged(1)
    window.rewind(70)
    assert window.published == 50
    window.rewind(20)
    assert (window.next, window.published) == (20, 20)


def test_a_checkpoint_is_offered_once_and_again_when_nobody_answers() -> None:
    offer = Offer(0)
    assert not offer.due(0, 0.0, waits=True)
    assert offer.due(5, 0.0, waits=True)
    offer.made(7, 5, now=0.0)
    assert not offer.due(6, 9.0, waits=True), "it is still on its way"
    offer.arrived(refused=False)
    assert not offer.due(6, 4.9, waits=True), "one at a time where somebody answers"
    assert offer.due(6, 4.9, waits=False)
    assert not offer.due(5, 4.9, waits=False)
    assert offer.due(5, 5.0, waits=True)


def test_a_cosignature_lets_the_next_checkpoint_go_and_moves_old() -> None:
    offer = Offer(0)
    offer.made(7, 5, now=0.0)
    offer.arrived(refused=False)
    offer.cosigned(5)
    assert offer.old == 5
    assert offer.due(6, 0.1, waits=True)
    assert not offer.due(5, 0.1, waits=True)


def test_a_call_for_entries_offers_the_same_checkpoint_from_there() -> None:
    offer = Offer(9)
    offer.made(7, 12, now=0.0)
    offer.arrived(refused=False)
    offer.refetch(3)
    assert offer.old == 3
    assert offer.due(12, 0.1, waits=True)


def test_a_checkpoint_that_the_broker_did_not_take_is_due_again() -> None:
    offer = Offer(0)
    offer.made(7, 5, now=0.0)
    offer.arrived(refused=True)
    assert offer.due(5, 0.0, waits=True)
