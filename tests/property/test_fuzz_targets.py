"""Every fuzz target on its seeds and some hundred mutations, always the same ones: `tests/fuzz/run.py`, in short."""

from __future__ import annotations

import random
from importlib import import_module

import pytest

from fuzz import run

MUTATIONS = 200


@pytest.mark.parametrize("name", run.targets())
def test_the_invariant_of_a_target_holds(name: str) -> None:
    target = import_module(f"fuzz.{name}")
    assert (target.check.__doc__ or "").splitlines()[0].endswith(".")
    assert target.SEEDS
    chance, pool = random.Random(name), [*target.SEEDS, b""]
    for data in (*pool, *(run.mutated(chance, pool)[:512] for _ in range(MUTATIONS))):
        try:
            target.check(data)
        except BaseException as fault:
            fault.add_note(f"input: {data.hex()}")
            raise
