"""The signed log as the uplink sees it.

Law: only what is durable and signed is shown here, so that nothing is published which the device could still lose.
The rooms `record` and `report` do not know each other: `busgate.record.log.Log` fits this by its shape.
"""

from __future__ import annotations

from typing import Protocol


class Body(Protocol):
    """An add-checkpoint body (C2SP tlog-witness)."""

    @property
    def text(self) -> str:
        """The body, verbatim."""
        ...


class Journal(Protocol):
    """One log, open in this process."""

    @property
    def origin(self) -> str:
        """The log's name, `…/log/<device>/<incarnation>`."""
        ...

    @property
    def incarnation(self) -> str:
        """The last part of the origin."""
        ...

    @property
    def boot_number(self) -> int:
        """The how-manieth start of the device this is."""
        ...

    @property
    def size(self) -> int:
        """How many entries are durable and signed."""
        ...

    @property
    def checkpoint(self) -> str:
        """The signed note of that size."""
        ...

    def entries(self, first: int, count: int) -> list[bytes]:
        """Up to `count` signed entries from `first` on."""
        ...

    def submission(self, old: int) -> Body:
        """The newest checkpoint for a witness that knows the log at size `old`."""
        ...

    def cursor(self, name: str) -> int:
        """How far the reader `name` has come; 0 at first."""
        ...

    def set_cursor(self, name: str, value: int) -> None:
        """Remember, durably, how far the reader `name` has come."""
        ...
