"""Runs contenders in turns and gives each one's median: what every benchmark here shares."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def medians(contenders: Mapping[str, Callable[[], object]], turns: int = 7) -> dict[str, float]:
    """Seconds of CPU each contender takes, as the median of interleaved turns after one warm-up each."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns + 1):
        for name, contender in contenders.items():
            gc.collect()
            began = time.process_time()
            contender()
            if turn:
                taken[name].append(time.process_time() - began)
    return {name: statistics.median(times) for name, times in taken.items()}
