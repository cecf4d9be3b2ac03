"""The committed recording is what its generator makes, byte for byte."""

from __future__ import annotations

import pytest

from busgate_sim import demo_day

BUILT = dict(zip(("demo-day.log", "demo-day.labels.yaml"), demo_day.build(), strict=True))


@pytest.mark.parametrize("name", BUILT)
def test_the_committed_scenario_is_what_the_generator_makes(name: str) -> None:
    committed = (demo_day.SCENARIOS / name).read_bytes()
    # Compared by lines first: the first one that differs says more than two megabytes that do.
    for number, (made, kept) in enumerate(
        zip(BUILT[name].splitlines(), committed.decode().splitlines(), strict=False), 1
    ):
        assert made == kept, f"line {number} differs; run `make fixtures` and look at the difference"
    assert BUILT[name].encode() == committed


def test_building_twice_gives_the_same() -> None:
    assert demo_day.build() == tuple(BUILT.values())
