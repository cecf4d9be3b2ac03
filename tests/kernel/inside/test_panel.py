"""The key switch on a simulated GPIO chip, where the guest's kernel has one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from busgate.bridge.gpio import PinContact, PinDrive
from support.kernel import sh

CONFIG = Path("/sys/kernel/config/gpio-sim")


@pytest.fixture
def chip() -> Iterator[tuple[str, Path]]:
    """A chip with eight lines: its character device, and the folder that pulls them."""
    subprocess.run(["modprobe", "-d", "/run/modules", "gpio-sim"], capture_output=True, check=False)
    subprocess.run(["mount", "-t", "configfs", "none", "/sys/kernel/config"], capture_output=True, check=False)
    if not CONFIG.is_dir():
        pytest.skip("this kernel has no gpio-sim")
    bank = CONFIG / "busgate" / "bank"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text("8")
    (bank.parent / "live").write_text("1")
    name = (bank / "chip_name").read_text().strip()
    yield f"/dev/{name}", Path(f"/sys/devices/platform/{(bank.parent / 'dev_name').read_text().strip()}/{name}")
    (bank.parent / "live").write_text("0")
    sh(f"rmdir {bank} {bank.parent}")


def test_a_contact_and_a_relay_on_a_simulated_chip(chip: tuple[str, Path]) -> None:
    device, pulls = chip
    contact = PinContact(device, 3)
    (pulls / "sim_gpio3" / "pull").write_text("pull-up")
    assert contact.closed() is False
    (pulls / "sim_gpio3" / "pull").write_text("pull-down")
    assert contact.closed() is True
    drive = PinDrive(device, 4)
    for high in (True, False):
        drive.put(high=high)
        assert (pulls / "sim_gpio4" / "value").read_text().strip() == str(int(high))
    contact.close()
    drive.close()
