from __future__ import annotations

import pytest

from busgate.decode.ends import Ends
from busgate.model import BusgateError, Direction, Endpoint

UP, DOWN, UNKNOWN = Direction.UP, Direction.DOWN, Direction.UNKNOWN


@pytest.mark.parametrize(
    ("source", "target", "opener", "expected"),
    [
        # What is configured decides, whatever else speaks against it.
        (("198.51.100.7", 443), ("10.0.0.1", 5000), None, ("198.51.100.7", UP, "configured")),
        (("10.0.0.1", 5000), ("198.51.100.7", 443), "source", ("198.51.100.7", DOWN, "configured")),
        (("2001:db8:7::1", 1), ("2001:db8:9::1", 2), None, ("2001:db8:7::1", UP, "configured")),
        (("::ffff:198.51.100.7", 1), ("203.0.114.9", 2), None, ("::ffff:198.51.100.7", UP, "configured")),
        # One end that the internet does not route.
        (("10.64.0.2", 443), ("8.8.8.8", 50000), None, ("10.64.0.2", UP, "private")),
        (("8.8.8.8", 443), ("100.70.0.2", 50000), "source", ("100.70.0.2", DOWN, "private")),
        (("fd00::2", 443), ("2606:4700::1", 50000), None, ("fd00::2", UP, "private")),
        (("169.254.3.3", 1), ("1.1.1.1", 1), None, ("169.254.3.3", UP, "private")),
        # The end that opened.
        (("10.0.0.1", 5000), ("10.0.0.2", 443), "target", ("10.0.0.2", DOWN, "opened")),
        (("8.8.8.8", 443), ("1.1.1.1", 5000), "source", ("8.8.8.8", UP, "opened")),
        # Ports.
        (("10.0.0.1", 8808), ("10.0.0.2", 50000), None, ("10.0.0.2", DOWN, "port")),
        (("10.0.0.1", 50000), ("10.0.0.2", 8808), None, ("10.0.0.1", UP, "port")),
        # Nothing at all.
        (("10.0.0.9", 0), ("10.0.0.2", 0), None, ("10.0.0.2", UNKNOWN, "unknown")),
        (("not an address", 7), ("8.8.8.8", 7), None, ("8.8.8.8", UNKNOWN, "unknown")),
    ],
)
def test_the_rules_in_their_order(
    source: tuple[str, int], target: tuple[str, int], opener: str | None, expected: tuple[str, Direction, str]
) -> None:
    ends = Ends(["198.51.100.0/24", "2001:db8:7::/48"])
    first, second = Endpoint(*source), Endpoint(*target)
    placed = ends.place("tcp", first, second, {"source": first, "target": second, None: None}[opener])
    assert (placed.flow.tbox.address, placed.direction, placed.how) == expected
    assert placed.flow.transport == "tcp"
    assert {placed.flow.tbox, placed.flow.remote} == {first, second}


def test_two_ends_in_the_networks_of_the_tbox_are_told_apart_by_the_opener() -> None:
    ends = Ends(["10.0.0.0/8"])
    first, second = Endpoint("10.0.0.1", 5000), Endpoint("10.0.0.2", 5000)
    assert ends.place("udp", first, second, second).how == "opened"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(BusgateError, match=r"'tbox\.local' is neither an IP address nor a network"):
        Ends(["tbox.local"])


def test_forged_addresses_take_no_memory() -> None:
    ends = Ends()
    for number in range(40_000):
        ends.place("udp", Endpoint(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1), Endpoint("8.8.8.8", 2))
    assert len(ends._kinds) <= 1 << 14
