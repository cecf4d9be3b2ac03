"""Reading a trace file, against python-can's own reader on the same file."""

from __future__ import annotations

from typing import Any

import can
from turns import medians

from busgate.bridge.channels import SideMap
from busgate.bridge.trace import Trace
from busgate.service.places import scenario


def rows() -> list[dict[str, Any]]:
    path = scenario("demo-day.log")
    frames = sum(1 for _ in Trace(path, SideMap()))
    took = medians(
        {
            "ours": lambda: sum(1 for _ in Trace(path, SideMap())),
            "python-can": lambda: sum(1 for _ in can.LogReader(str(path))),
        }
    )
    ours, theirs = frames / took["ours"], frames / took["python-can"]
    return [
        {
            "name": ".log read",
            "value": ours,
            "unit": "frames/s",
            "peer": "python-can CanutilsLogReader",
            "ratio": ours / theirs,
        }
    ]
