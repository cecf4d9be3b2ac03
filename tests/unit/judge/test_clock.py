from __future__ import annotations

from busgate.judge.clock import REORDER, Clock, Elapsed, Moment

HOUR = 3600 * 1_000_000_000


def test_elapsed_time_is_the_sum_of_forward_steps() -> None:
    elapsed = Elapsed()
    assert [elapsed.at(1000), elapsed.at(1000), elapsed.at(1500)] == [0, 0, 500]
    assert (elapsed.total, elapsed.setbacks) == (500, 0)


def test_a_clock_may_count_from_anywhere() -> None:
    elapsed = Elapsed()
    assert [elapsed.at(-5 * HOUR), elapsed.at(-4 * HOUR)] == [0, HOUR]


def test_a_frame_read_out_of_order_lies_before_the_end() -> None:
    elapsed = Elapsed()
    elapsed.at(0)
    elapsed.at(2 * REORDER)
    assert elapsed.at(REORDER) == REORDER
    assert (elapsed.total, elapsed.setbacks) == (2 * REORDER, 0)
    assert elapsed.at(2 * REORDER + 7) == 2 * REORDER + 7


def test_a_larger_step_back_is_a_clock_set_back_and_time_runs_on_from_there() -> None:
    elapsed = Elapsed()
    elapsed.at(0)
    elapsed.at(2 * REORDER)
    assert elapsed.at(REORDER - 1) == 2 * REORDER
    assert (elapsed.total, elapsed.setbacks) == (2 * REORDER, 1)
    assert elapsed.at(REORDER + 4) == 2 * REORDER + 5


def test_each_set_back_is_counted() -> None:
    elapsed = Elapsed()
    for now in (0, -2 * REORDER, -4 * REORDER, -4 * REORDER + 1):
        elapsed.at(now)
    assert (elapsed.total, elapsed.setbacks) == (1, 2)


def test_a_moment_holds_all_that_is_known_of_the_time() -> None:
    clock = Clock()
    assert clock.latest is None
    assert clock.read(10, None) == Moment(10, 0, None, None)
    assert clock.read(12, 5000) == Moment(12, 2, 5000, 5000)
    assert clock.latest == 5000


def test_trusted_time_takes_over_wherever_it_is_later() -> None:
    clock = Clock()
    clock.read(0, 5000)
    assert clock.read(1, 5000).latest == 5000
    assert clock.read(2, 9000).latest == 9000


def test_the_latest_time_runs_on_while_the_trusted_clock_is_behind_it() -> None:
    clock = Clock()
    clock.read(0, 5000)
    assert clock.read(100, 4000) == Moment(100, 100, 4000, 5100)
    assert clock.read(150, 4050) == Moment(150, 150, 4050, 5150)
    assert clock.read(160, 5160).latest == 5160


def test_the_latest_time_runs_on_while_no_clock_is_trusted() -> None:
    clock = Clock()
    clock.read(0, 5000)
    assert clock.read(100, None) == Moment(100, 100, None, 5100)
    assert clock.read(200, None).latest == 5200


def test_the_latest_time_does_not_fall_when_both_clocks_are_set_back() -> None:
    clock = Clock()
    clock.read(10 * HOUR, 20 * HOUR)
    assert clock.read(HOUR, 11 * HOUR).latest == 20 * HOUR
    assert clock.read(2 * HOUR, 12 * HOUR).latest == 21 * HOUR


def test_what_an_earlier_run_knew_is_a_floor() -> None:
    assert Clock(5000).read(0, None).latest == 5000
    assert Clock(5000).read(0, 4000).latest == 5000
    assert Clock(5000).read(0, 6000).latest == 6000


def test_the_floor_waits_for_a_trusted_clock_before_it_runs_on() -> None:
    """A bridge's clock may jump from 1970 to the present when it is first set."""
    clock = Clock(5000)
    clock.read(0, None)
    assert clock.read(56 * HOUR, None).latest == 5000
    assert clock.read(57 * HOUR, 4000).latest == 5000
    assert clock.read(58 * HOUR, 4000).latest == 5000 + HOUR
    assert clock.read(59 * HOUR, None).latest == 5000 + 2 * HOUR
