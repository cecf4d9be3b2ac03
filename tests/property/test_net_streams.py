"""The law of the decoders of MQTT, HTTP, TLS, DNS, SMS, banners: the fuzz targets on bytes that hypothesis makes."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import (
    dns_messages,
    http_messages,
    mqtt_packets,
    shell_streams,
    short_messages,
    stream_recognition,
    tls_records,
)

TARGETS = (
    dns_messages,
    http_messages,
    mqtt_packets,
    shell_streams,
    short_messages,
    stream_recognition,
    tls_records,
)


def streams(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Good streams one behind the other, cut off, with octets put in their place and junk between."""

    def changed(parts: list[bytes], places: list[tuple[int, int]], ends: tuple[int, int]) -> bytes:
        stream = bytearray(b"".join(parts))
        for place, octet in places:
            if stream:
                stream[place % len(stream)] = octet
        return bytes(stream[ends[0] : len(stream) - ends[1]])

    part = st.sampled_from(seeds) | st.sampled_from(seeds) | st.binary(max_size=20)
    places = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=3)
    ends = st.just((0, 0)) | st.tuples(st.integers(0, 30), st.integers(0, 30))
    return st.builds(changed, st.lists(part, max_size=4), places, ends)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__.rpartition(".")[2])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_the_law_holds_on_made_streams(target: ModuleType, data: st.DataObject) -> None:
    target.check(data.draw(streams(target.SEEDS)))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__.rpartition(".")[2])
def test_the_law_holds_on_the_seeds_and_says_itself(target: ModuleType) -> None:
    assert target.check.__doc__
    for seed in target.SEEDS:
        target.check(seed)
