"""The recorded reflash of one ECU: its frames and the payloads they carry, as its publisher reassembled them."""

import json
from pathlib import Path

VECTORS = Path(__file__).parents[1] / "vectors"


def frames() -> list[tuple[int, bytes]]:
    """(identifier, data) in recorded order; every time stamp of the recording is 0."""
    lines = (VECTORS / "ecu_trace.candump").read_text(encoding="ascii").splitlines()
    words = [line.split()[2].split("#") for line in lines if line.strip()]
    return [(int(identifier, 16), bytes.fromhex(data)) for identifier, data in words]


def payloads() -> list[tuple[int, bytes]]:
    """(identifier, payload) in the order their last frames came."""
    rows = json.loads((VECTORS / "isotp_ecu_trace.json").read_text(encoding="utf-8"))["vectors"]
    return [(row["rx_id"], bytes.fromhex(row["hex"])) for row in rows]
