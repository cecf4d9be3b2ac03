from __future__ import annotations

import socket
from pathlib import Path

import pytest

from busgate.service.supervised import Supervised


def test_systemd_hears_that_it_began_and_that_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        told = Supervised()
        told.ready()
        for now in (5, 6, 10**9 + 4, 10**9 + 5, 10**9 + 6):
            told.works(now)
        heard = [systemd.recv(100) for _ in range(3)]
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    told.works(10**12)  # systemd has gone: that is no fault of ours


def test_without_systemd_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "nonsense")
    told = Supervised()
    told.ready()
    told.works(1)
    assert (told._door, told._every) == ("", 0)
