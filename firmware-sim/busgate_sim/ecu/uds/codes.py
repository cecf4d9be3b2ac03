"""Sessions, services and negative response codes of UDS (ISO 14229-1:2013), and how a request is refused.

Law: names are the standard's; what is not in this file is not spoken.
"""

from __future__ import annotations

from enum import IntEnum

SUPPRESS = 0x80
"""The bit of a sub-function that asks for no positive answer (8.2.2)."""


class Session(IntEnum):
    """Diagnostic sessions (9.2.2.2)."""

    DEFAULT = 1
    PROGRAMMING = 2
    EXTENDED = 3


class Service(IntEnum):
    """Request service identifiers (Table 1)."""

    SESSION = 0x10
    RESET = 0x11
    CLEAR_FAULTS = 0x14
    READ_FAULTS = 0x19
    READ = 0x22
    UNLOCK = 0x27
    SILENCE = 0x28
    WRITE = 0x2E
    CONTROL = 0x2F
    ROUTINE = 0x31
    DOWNLOAD = 0x34
    TRANSFER = 0x36
    TRANSFER_EXIT = 0x37
    TESTER_PRESENT = 0x3E
    FAULT_SETTING = 0x85


class Code(IntEnum):
    """Negative response codes (annex A)."""

    SERVICE_NOT_SUPPORTED = 0x11
    SUBFUNCTION_NOT_SUPPORTED = 0x12
    INCORRECT_LENGTH = 0x13
    RESPONSE_TOO_LONG = 0x14
    CONDITIONS_NOT_CORRECT = 0x22
    SEQUENCE_ERROR = 0x24
    OUT_OF_RANGE = 0x31
    ACCESS_DENIED = 0x33
    INVALID_KEY = 0x35
    TOO_MANY_ATTEMPTS = 0x36
    DELAY_NOT_EXPIRED = 0x37
    NOT_ACCEPTED = 0x70
    TRANSFER_SUSPENDED = 0x71
    PROGRAMMING_FAILURE = 0x72
    WRONG_BLOCK = 0x73
    PENDING = 0x78
    SUBFUNCTION_NOT_IN_SESSION = 0x7E
    SERVICE_NOT_IN_SESSION = 0x7F


UNSAID_TO_ALL = frozenset(
    {
        Code.SERVICE_NOT_SUPPORTED,
        Code.SUBFUNCTION_NOT_SUPPORTED,
        Code.OUT_OF_RANGE,
        Code.SUBFUNCTION_NOT_IN_SESSION,
        Code.SERVICE_NOT_IN_SESSION,
    }
)
"""What an ECU keeps to itself when all were asked (7.5.5)."""


class Refusal(Exception):  # noqa: N818 - a service's answer, not a fault of the program
    """The request is answered with a negative response."""

    def __init__(self, code: Code) -> None:
        """With this code."""
        super().__init__(code.name)
        self.code = code


def demand(condition: object, code: Code) -> None:
    """Go on only if the condition holds.

    Raises:
        Refusal: with `code`, if it does not.
    """
    if not condition:
        raise Refusal(code)
