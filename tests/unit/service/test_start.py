"""A gate that was killed is back soon: what it does not need is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["busgate.service.gate", "busgate.service.keeper"])
def test_a_gate_between_two_buses_loads_no_library_of_other_jobs(module: str) -> None:
    foreign = (
        "{'can', 'cantools', 'scapy', 'pandas', 'numpy', 'asammdf', 'rich', 'dbus_fast', 'maxminddb', 'pycrate_mobile'}"
    )
    program = f"import sys, {module}; print(*{foreign}.intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_vehicle_is_described_without_what_only_recordings_need() -> None:
    program = (
        "import sys; from busgate.service import load; load.vehicle('demo-ebus');"
        "assert 'cantools' in sys.modules; print(*{'pandas', 'numpy', 'asammdf'}.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
