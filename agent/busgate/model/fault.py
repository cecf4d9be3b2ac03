"""The one fault that its reader can mend."""

from __future__ import annotations


class BusgateError(Exception):
    """A fault whose message tells its reader what is wrong and what to do next."""
