from __future__ import annotations

from busgate.judge.limits import Rate
from busgate.judge.usage import Usage


def rate(count: int, per: str) -> Rate:
    return Rate.model_validate({"count": count, "per": per})


S = 1_000_000_000


def test_one_at_a_time() -> None:
    usage, one = Usage(), rate(1, "1 s")
    assert usage.take("a", one, 0)
    assert not usage.take("a", one, S - 1)
    assert usage.take("a", one, S)
    assert not usage.take("a", one, S)


def test_the_window_slides_over_the_last_passes() -> None:
    usage, three = Usage(), rate(3, "10 s")
    taken = [at for at in range(30) if usage.take("a", three, at * S)]
    assert taken == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_a_refusal_takes_no_place() -> None:
    usage, two = Usage(), rate(2, "10 s")
    assert [usage.take("a", two, at * S) for at in (0, 8, 9, 10, 11)] == [True, True, False, True, False]


def test_each_rule_has_its_own_count() -> None:
    usage, one = Usage(), rate(1, "1 s")
    assert usage.take("a", one, 0)
    assert usage.take("b", one, 0)
    assert not usage.take("a", one, 0)


def test_an_equal_rate_goes_on_and_another_one_starts_afresh() -> None:
    usage = Usage()
    assert usage.take("a", rate(1, "1 h"), 0)
    assert not usage.take("a", rate(1, "60 min"), 1)
    assert usage.take("a", rate(2, "1 h"), 2)
    assert usage.take("a", rate(2, "1 h"), 3)
    assert not usage.take("a", rate(2, "1 h"), 4)
