"""The agenda: order, repetition, cancelling, the same day from the same seed."""

from __future__ import annotations

from busgate_sim.world import MILLISECOND, World


def test_what_is_due_is_done_in_order_of_time_and_then_of_noting() -> None:
    world, done = World(), list[str]()
    world.at(20, lambda: done.append("late"))
    world.at(10, lambda: done.append("first of two"))
    world.at(10, lambda: done.append("second of two"))
    world.run(15)
    assert (done, world.now, world.next_due()) == (["first of two", "second of two"], 15, 20)
    world.run(20)
    assert (done[-1], world.next_due()) == ("late", None)


def test_what_is_late_already_is_done_next_and_never_in_the_past() -> None:
    world, seen = World(), list[int]()
    world.run(100)
    world.at(50, lambda: seen.append(world.now))
    world.run(100)
    assert seen == [100]


def test_a_repetition_keeps_its_pace_whatever_its_jitter() -> None:
    world, seen = World(seed=4), list[int]()
    world.every(10 * MILLISECOND, lambda: seen.append(world.now), phase=3 * MILLISECOND, jitter=MILLISECOND)
    world.run(103 * MILLISECOND)
    assert len(seen) in {10, 11}
    for cycle, at in enumerate(seen):
        assert 0 <= at - (3 + 10 * cycle) * MILLISECOND < MILLISECOND


def test_a_cancelled_entry_is_never_done_and_a_cancelled_repetition_ends() -> None:
    world, done = World(), list[int]()
    world.after(5, lambda: done.append(5)).cancel()
    series = world.every(10, lambda: done.append(world.now))
    world.at(25, series.cancel)
    world.run(100)
    assert done == [0, 10, 20]


def test_the_same_seed_gives_the_same_day() -> None:
    def day(seed: int) -> list[int]:
        world, seen = World(seed), list[int]()
        world.every(1000, lambda: seen.append(world.now), jitter=500)
        world.run(50_000)
        return seen

    assert day(1) == day(1)
    assert day(1) != day(2)
