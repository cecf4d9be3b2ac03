"""Lines of the machine's GPIO pins: a contact that is read, and a relay that is driven, through libgpiod.

Law: a contact that cannot be read is unknown, which whoever asks takes for the safe side. The character device is used,
never the sysfs files; a line is ours alone while it is open.
"""

from __future__ import annotations

from typing import Any, Protocol

from busgate.bridge.port import BridgeError

CONSUMER = "busgate"


class Contact(Protocol):
    """A contact between a pin and ground."""

    def closed(self) -> bool | None:
        """Whether it is closed; None when nobody can say."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class Drive(Protocol):
    """A pin that drives something."""

    def put(self, *, high: bool) -> None:
        """Set its level; what cannot be set is dropped, since whatever hangs on it falls back by itself."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class PinContact:
    """A contact from a pin to ground; the pin is pulled up, so that a broken wire is an open contact."""

    def __init__(self, chip: str, line: int) -> None:
        """Raises BridgeError when the line cannot be had."""
        gpiod = _library()
        line_of = gpiod.line
        self._line = line
        self._closed = line_of.Value.INACTIVE
        self._request = _requested(
            chip, line, gpiod.LineSettings(direction=line_of.Direction.INPUT, bias=line_of.Bias.PULL_UP)
        )

    def closed(self) -> bool | None:
        """As `Contact.closed`."""
        try:
            return bool(self._request.get_value(self._line) == self._closed)
        except OSError:
            return None

    def close(self) -> None:
        """As `Contact.close`."""
        self._request.release()


class PinDrive:
    """A pin that drives a relay or its watchdog."""

    def __init__(self, chip: str, line: int) -> None:
        """Low at first. Raises BridgeError when the line cannot be had."""
        gpiod = _library()
        line_of = gpiod.line
        self._line = line
        self._levels = {True: line_of.Value.ACTIVE, False: line_of.Value.INACTIVE}
        settings = gpiod.LineSettings(direction=line_of.Direction.OUTPUT, output_value=line_of.Value.INACTIVE)
        self._request = _requested(chip, line, settings)

    def put(self, *, high: bool) -> None:
        """As `Drive.put`."""
        try:
            self._request.set_value(self._line, self._levels[high])
        except OSError:
            return

    def close(self) -> None:
        """As `Drive.close`."""
        self._request.release()


def _requested(chip: str, line: int, settings: Any) -> Any:
    gpiod = _library()
    try:
        return gpiod.request_lines(chip, consumer=CONSUMER, config={line: settings})
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise BridgeError(
            f"GPIO line {line} of {chip} cannot be used ({reason}). Next: gpioinfo shows which there are and whose"
        ) from None


def _library() -> Any:
    try:
        import gpiod
    except ImportError:
        raise BridgeError("the key switch and the bypass need the package gpiod. Next: pip install gpiod") from None
    return gpiod
