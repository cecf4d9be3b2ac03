"""The T-box's own networks, as options name them: checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable

from busgate.decode.ends import Ends


def networks(texts: Iterable[str]) -> None:
    """Check them.

    Raises:
        BusgateError: one is neither an address nor a network.
    """
    Ends(tuple(texts))
