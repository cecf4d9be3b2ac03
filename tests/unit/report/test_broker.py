"""Addresses of brokers: what is taken, and what is said of the rest."""

from __future__ import annotations

import pytest

from busgate.report.broker import Address, BrokerError, Connection, Tls, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://localhost", Address("localhost", 1883, tls=False, user=None, password=None, version=4)),
        ("mqtts://h", Address("h", 8883, tls=True, user=None, password=None, version=4)),
        ("mqtt://u:p%40ss@h:99?v=5", Address("h", 99, tls=False, user="u", password="p@ss", version=5)),  # noqa: S106
        ("mqtt://[::1]:7/", Address("::1", 7, tls=False, user=None, password=None, version=4)),
        ("mqtt://h?v=3.1.1", Address("h", 1883, tls=False, user=None, password=None, version=4)),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "h", "http://h", "mqtt://", "mqtt://u:sesame@h:x", "mqtt://h:0", "mqtt://h:99999", "mqtt://h/topic",
     "mqtt://u:sesame@h?v=4", "mqtt://h#x", "mqtt://u:sesame@[h", "u:sesame@h"],
)  # fmt: skip
def test_an_unusable_address_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(BrokerError) as raised:
        parse_address(url)
    assert "\n" not in str(raised.value)
    assert "sesame" not in str(raised.value)


def test_the_text_of_an_address_has_no_password() -> None:
    assert str(parse_address("mqtts://u:sesame@[::1]")) == "mqtts://[::1]:8883"


def test_tls_files_that_are_not_there_are_said_in_one_line() -> None:
    with pytest.raises(BrokerError, match="TLS files for mqtts://h:8883 cannot be used"):
        Connection(parse_address("mqtts://h"), "x", tls=Tls(ca="/nowhere/ca.pem"))
