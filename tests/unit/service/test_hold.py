"""One hand on each interface: a second one is refused by name, and a hand that died has let go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from busgate.model import BusgateError
from busgate.service.hold import Hold, told

ONE, OTHER = f"socketcan:h{os.getpid()}a", f"socketcan:h{os.getpid()}b"
HOLDS = """\
import sys, time
from busgate.service.hold import Hold
with Hold(*sys.argv[1:]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_told_who_has_the_first() -> None:
    with Hold(ONE, OTHER), pytest.raises(BusgateError, match=rf"h\d+b is in the hands of .* \(process {os.getpid()}\)"):
        Hold(OTHER, "socketcan:another")
    Hold(ONE, OTHER).close()


def test_one_wire_that_is_taken_leaves_the_other_one_free() -> None:
    with Hold(OTHER):
        with pytest.raises(BusgateError):
            Hold(ONE, OTHER)
        Hold(ONE).close()


def test_what_is_no_interface_of_the_kernel_is_nobodys() -> None:
    with Hold("virtual:a", "udp_multicast:239.0.0.1"), Hold("virtual:a", "udp_multicast:239.0.0.1"):
        assert told("virtual:a") is None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_died_has_let_go(end: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, ONE, OTHER], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusgateError, match=rf"\(process {holder.pid}\)"):
            Hold(ONE)
        holder.send_signal(end)
        holder.wait(10)
    Hold(ONE, OTHER).close()


def test_who_holds_a_wire_answers_what_it_does() -> None:
    with Hold(ONE) as hold:
        asked: list[object] = []
        asking = threading.Thread(target=lambda: asked.append(told(ONE)))
        asking.start()
        for _ in range(20):
            if not asked:
                hold.answer(lambda: {"mode": "enforce", "rules": {"a": [1, 2]}}, 0.1)
        asking.join()
    assert json.dumps(asked) == '[{"mode": "enforce", "rules": {"a": [1, 2]}}]'
    assert told(ONE) is None


def test_who_does_not_answer_is_there_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("busgate.service.hold._ANSWER_S", 0.05)
    with Hold(ONE):
        assert told(ONE) == {}
