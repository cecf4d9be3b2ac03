"""Measures busgate against named peers in the same run and writes `build/bench.json`.

Law: contenders take turns (A B A B …), each figure is the median of its turns, and only ratios of one run are compared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
import bench_decode
import bench_forward
import bench_gateway
import bench_packets
import bench_relay
import bench_trace

OUT = Path(__file__).parents[2] / "build" / "bench.json"


def main() -> None:
    rows: list[dict[str, Any]] = []
    parts = (
        bench_decode.rows,
        bench_gateway.rows,
        bench_trace.rows,
        bench_packets.rows,
        bench_relay.rows,
        bench_forward.rows,
        bench_forward.guest_rows,
    )
    for part in parts:
        for row in part():
            rows.append(row)
            print(
                f"{row['name']:<58} {row['value']:>12,.1f} {row['unit']:<10} {row['ratio']:>6.1f}x  vs {row['peer']}",
                flush=True,
            )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(f"written to {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")


if __name__ == "__main__":
    main()
