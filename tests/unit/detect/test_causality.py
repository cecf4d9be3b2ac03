from __future__ import annotations

from math import exp

import pytest

from busgate.detect.causality import (
    BURST_NS,
    LEAST_CONFIDENCE,
    MOST,
    MOST_CONFIDENT,
    SETTLED_NS,
    WINDOW_NS,
    Causality,
    Trigger,
    fitting,
)
from busgate.model import Act, Command, Endpoint, Flow, Party, Subsystem
from support.detected import group, uds

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
FLOW = Flow("tcp", Endpoint("10.0.0.2", 40_000), Endpoint("203.0.113.10", 6808))
OTHER = Flow("tcp", Endpoint("10.0.0.2", 40_001), Endpoint("203.0.113.20", 443))
START = 1_000 * SECOND


def order(
    at: int, subsystem: Subsystem = Subsystem.DRIVE, act: Act = Act.STOP, way: str = "message", *, carries: bool = False
) -> Trigger:
    return Trigger(at, way, FLOW, subsystem, act, {"name": act.value}, carries)


def burst(at: int, flow: Flow = FLOW) -> Trigger:
    return Trigger(at, "burst", flow, Subsystem.UNKNOWN, Act.SET, {})


def frame(subsystem: Subsystem = Subsystem.DRIVE, act: Act = Act.STOP, *, diagnostic: bool = False) -> Command:
    message = uds(b"\x31\x01\x02\x03") if diagnostic else group(0xEF00)
    return Command(message, "frame", subsystem, act, "rule", Party("T-box", 0x4A), Party("VCU", 0x27))


def after(*triggers: Trigger) -> Causality:
    causality = Causality()
    causality.listening(0)
    for trigger in triggers:
        causality.over_the_air(trigger)
    return causality


# ---------------------------------------------------------------- how well it fits


@pytest.mark.parametrize(
    ("trigger", "command", "fit"),
    [
        (order(0), frame(), 1.0),
        (order(0), frame(act=Act.LIMIT), 0.9),
        (order(0), frame(act=Act.ENABLE), 0.5),
        (order(0), frame(Subsystem.DOORS, Act.UNLOCK), 0.0),
        (order(0), frame(Subsystem.UNKNOWN, Act.STOP), 0.3),
        (order(0), frame(Subsystem.UNKNOWN, Act.WRITE), 0.0),
        (order(0, Subsystem.UNKNOWN, Act.SET), frame(), 0.6),
        (order(0, Subsystem.UNKNOWN, Act.STOP), frame(), 0.7),
        (order(0, Subsystem.TELEMATICS, Act.FLASH), frame(diagnostic=True), 0.95),
        (order(0, Subsystem.TELEMATICS, Act.FLASH), frame(), 0.0),
        (order(0, Subsystem.UNKNOWN, Act.SET, carries=True), frame(diagnostic=True), 0.95),
        (order(0, Subsystem.UNKNOWN, Act.SET, carries=True), frame(), 0.6),
    ],
)
def test_how_well_an_order_fits_a_frame(trigger: Trigger, command: Command, fit: float) -> None:
    assert fitting(trigger, command) == fit


# ---------------------------------------------------------------- how long ago


@pytest.mark.parametrize("lag", [0, 1, MILLISECOND, SETTLED_NS])
def test_a_lag_of_up_to_a_second_loses_nothing(lag: int) -> None:
    cause = after(order(START)).on_the_wire(frame(), START + lag)
    assert cause is not None
    assert (cause.lag, cause.confidence, cause.news) == (lag, MOST_CONFIDENT["message"], True)


def test_a_longer_lag_loses_by_a_power_of_e() -> None:
    cause = after(order(START)).on_the_wire(frame(), START + 5 * SECOND)
    assert cause is not None
    assert cause.confidence == round(exp(-(5 - 1) / 4), 2)
    assert after(order(START)).on_the_wire(frame(), START + 10 * SECOND) is None


def test_nothing_is_claimed_beyond_the_window_or_before_the_message() -> None:
    causality = after(order(START))
    assert causality.on_the_wire(frame(), START - 1) is None
    assert causality.on_the_wire(frame(), START + WINDOW_NS + 1) is None


def test_nothing_is_claimed_of_what_does_not_fit() -> None:
    assert after(order(START)).on_the_wire(frame(Subsystem.DOORS, Act.UNLOCK), START + 1) is None


# ---------------------------------------------------------------- how likely by chance


def test_what_comes_all_the_time_is_no_cause() -> None:
    heartbeat = [order(START + at * SECOND) for at in range(300)]
    cause = after(*heartbeat).on_the_wire(frame(), START + 299 * SECOND + 900 * MILLISECOND)
    assert cause is not None
    # One of them a second (since the listening began), 0.9 s before: 1 - exp(-0.9 x its rate).
    assert 0.3 <= cause.confidence <= 0.6


def test_the_chance_is_that_of_its_own_kind_alone() -> None:
    others = [order(START + at * SECOND, Subsystem.DOORS, Act.UNLOCK) for at in range(100)]
    cause = after(*others, order(START + 100 * SECOND)).on_the_wire(frame(), START + 100 * SECOND + 1)
    assert cause is not None
    assert cause.confidence == MOST_CONFIDENT["message"]


def test_a_flood_that_fills_the_memory_is_not_taken_for_rare() -> None:
    """More than it remembers, a hundred a second: by what is left, the rate is still a hundred a second."""
    flood = [order(START + at * 10 * MILLISECOND) for at in range(10 * MOST)]
    last = flood[-1].at
    cause = after(*flood).on_the_wire(frame(), last + 900 * MILLISECOND)
    assert cause is None or cause.confidence < 0.3


def test_the_latest_of_those_that_are_about_as_likely_is_taken() -> None:
    cause = after(order(START), order(START + SECOND)).on_the_wire(frame(), START + SECOND + 100 * MILLISECOND)
    assert cause is not None
    assert cause.lag == 100 * MILLISECOND


def test_what_fits_better_wins_over_what_came_later() -> None:
    unknown = order(START + SECOND, Subsystem.UNKNOWN, Act.SET)
    cause = after(order(START), unknown).on_the_wire(frame(), START + SECOND + 1)
    assert cause is not None
    assert cause.trigger.subsystem is Subsystem.DRIVE


def test_a_cyclic_frame_is_linked_once_as_news_and_a_new_order_takes_over() -> None:
    causality = after(order(START))
    told = [causality.on_the_wire(frame(), START + at * 100 * MILLISECOND) for at in range(1, 4)]
    assert [cause is not None and cause.news for cause in told] == [True, False, False]
    causality.over_the_air(order(START + SECOND))
    cause = causality.on_the_wire(frame(), START + SECOND + MILLISECOND)
    assert cause is not None
    assert (cause.lag, cause.news) == (MILLISECOND, True)


# ---------------------------------------------------------------- bursts


def test_an_encrypted_burst_is_never_proof() -> None:
    cause = after(burst(START)).on_the_wire(frame(), START + 200 * MILLISECOND)
    assert cause is not None
    assert (cause.trigger.way, cause.confidence) == ("burst", MOST_CONFIDENT["burst"])


def test_bytes_close_together_are_one_burst_as_late_as_its_last() -> None:
    pieces = [burst(START + at * BURST_NS) for at in range(5)]
    causality = after(*pieces)
    cause = causality.on_the_wire(frame(), pieces[-1].at + MILLISECOND)
    assert cause is not None
    assert cause.lag == MILLISECOND
    assert cause.confidence == MOST_CONFIDENT["burst"]  # the others were no bursts of their own


def test_bursts_of_two_conversations_are_two() -> None:
    causality = after(burst(START), burst(START + MILLISECOND, OTHER), burst(START + 2 * MILLISECOND))
    cause = causality.on_the_wire(frame(), START + 3 * MILLISECOND)
    assert cause is not None
    assert (cause.trigger.flow, cause.lag) == (FLOW, MILLISECOND)


def test_a_busy_link_explains_nothing() -> None:
    busy = [burst(START + at * 100 * MILLISECOND) for at in range(1000)]
    cause = after(*busy).on_the_wire(frame(), busy[-1].at + 90 * MILLISECOND)
    assert cause is None or cause.confidence < 0.7


def test_a_short_message_is_a_little_less_sure_than_a_message() -> None:
    cause = after(order(START, way="sms")).on_the_wire(frame(), START + 1)
    assert cause is not None
    assert cause.confidence == MOST_CONFIDENT["sms"]


def test_whatever_comes_the_memory_is_bounded_and_confidence_between_its_bounds() -> None:
    causality = after(*[order(START + at, Subsystem.UNKNOWN) for at in range(5 * MOST)])
    for at in range(2 * MOST):
        cause = causality.on_the_wire(frame(), START + 5 * MOST + at)
        assert cause is None or LEAST_CONFIDENCE <= cause.confidence <= 0.99
    kept = [len(each) for each in vars(causality).values() if hasattr(each, "__len__")]
    assert max(kept) <= 4 * MOST
