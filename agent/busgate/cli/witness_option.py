"""`--witness`: whose cosignature makes a record acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from busgate.model import BusgateError
from busgate.trust.keys import load_verifier
from busgate.trust.note import Verifier

witness_option: Callable[[Any], Any] = click.option(
    "--witness",
    "witnesses",
    metavar="VKEY",
    multiple=True,
    help="The SOC's public key, text or file: what it has cosigned is acknowledged. May be given for each witness.",
)


def witnesses_of(given: tuple[str, ...], mqtt: str | None) -> tuple[Verifier, ...]:
    """The witnesses' keys; raises TrustError, and BusgateError where there is no broker to hear them through."""
    if given and mqtt is None:
        raise BusgateError("--witness needs --mqtt: a witness answers through the broker. Next: give --mqtt URL")
    return tuple(load_verifier(each) for each in given)
