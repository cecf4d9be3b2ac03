"""One forwarder between two sequenced sockets: `forward_worker.py busgate|python-can TBOX_FD VEHICLE_FD`.

Sockets of this kind carry the same bytes as CAN sockets do, on any kernel. A further word, `busy`, has python-can's
process decode without end beside its forwarding; busgate's analysis is another process, which the caller starts.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from busgate.bridge.rawcan import RawWire
from busgate.bridge.rawport import RawPort
from busgate.gateway import Gateway
from busgate.judge.policy import load_policy
from busgate.model import Mode, Side
from busgate.service import load
from busgate.service.companion import Companion, take_priority
from busgate.service.gate import keeper_words
from busgate.service.live import Line
from busgate.service.outbox import Outbox
from busgate.service.outpost import Outpost
from busgate.settings import Settings
from busgate.trust.keys import new_key

POLICY = """\
policy: bench
version: 1
allow:
  - {id: judged, why: a rate has to be counted, pgn: 0xFEE6, rate: {count: 10000, per: 1 s}}
"""


def busgate(wires: list[socket.socket]) -> None:
    """The gate as it runs on a vehicle: raw wires, judgement, a keeper process; without the kernel's part."""
    described = load.vehicle("demo-ebus")
    flood = described.profile.flood.model_copy(update={"per_id": 1_000_000, "total": 1_000_000})
    profile = described.profile.model_copy(update={"flood": flood})
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "device.key"
        new_key("bench", key)
        settings = Settings(key=str(key), log=f"{folder}/log")
        port = RawPort(
            [RawWire(side, "none", wire) for side, wire in zip((Side.TBOX, Side.VEHICLE), wires, strict=True)]
        )
        gateway = Gateway(profile, described.database, mode=Mode.ENFORCE, wall_offset=port.wall() - port.now())
        gateway.adopt(load_policy(POLICY), port.now(), signed=True)
        companion = Companion(keeper_words(settings, "bench"))
        post = Outpost(gateway, Outbox(companion.connect, companion.start()))
        take_priority()
        parent = os.getppid()
        print("between", flush=True)
        Line(port, post).run(lambda: os.getppid() == parent)
        post.close()


def python_can(wires: list[socket.socket], *, busy: bool) -> None:  # noqa: C901 - a bridge in one piece, as it is written
    """A Notifier on both buses, and cantools for each frame; the frames' bytes are python-can's own codec's."""
    import can
    import cantools
    from can.interfaces.socketcan.socketcan import build_can_frame, dissect_can_frame

    class Bus(can.BusABC):
        def __init__(self, wire: socket.socket) -> None:
            super().__init__("sequenced", None)
            self._wire = wire

        def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
            ready, _, _ = select.select([self._wire], [], [], timeout)
            if not ready:
                return None, False
            can_id, _, flags, data = dissect_can_frame(self._wire.recv(72))
            extended = bool(can_id & 0x8000_0000)
            message = can.Message(
                timestamp=time.time(), arbitration_id=can_id & (0x1FFF_FFFF if extended else 0x7FF),
                is_extended_id=extended, is_fd=len(data) > 8, bitrate_switch=bool(flags & 1), data=data,
            )  # fmt: skip
            return message, False

        def send(self, msg: can.Message, timeout: float | None = None) -> None:
            del timeout
            self._wire.send(build_can_frame(msg))

    folder = load.vehicle("demo-ebus").folder
    database: Any = cantools.database.Database()
    for name in ("ebus-j1939.dbc", "ebus-body11.dbc"):
        database.add_dbc_string((folder / name).read_text(encoding="utf-8"))
    by_id = {each.frame_id: each for each in database.messages}
    buses = [Bus(wire) for wire in wires]

    def onto(bus: Bus) -> Any:
        def forward(message: can.Message) -> None:
            try:
                bus.send(message)
                layout = by_id.get(message.arbitration_id)
                if layout is not None:
                    layout.decode(bytes(message.data), decode_choices=False)
            except (OSError, ValueError, KeyError, cantools.database.DecodeError):
                return

        return forward

    notifiers = [can.Notifier(buses[0], [onto(buses[1])]), can.Notifier(buses[1], [onto(buses[0])])]
    print("between", flush=True)
    layout = next(each for each in database.messages if each.length == 8)
    while busy:
        layout.decode(bytes(8), decode_choices=False)
    threading.Event().wait()
    del notifiers


if __name__ == "__main__":
    ends = [socket.socket(fileno=int(word)) for word in sys.argv[2:4]]
    if sys.argv[1] == "busgate":
        for end in ends:
            end.setblocking(False)
        busgate(ends)
    else:
        python_can(ends, busy="busy" in sys.argv)
