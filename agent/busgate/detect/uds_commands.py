"""What a diagnostic request asks of an ECU: act, rule and arguments of every service.

Law: a service that no standard names, or that hides its content, counts as altering state. Reads: ISO 14229-1:2020
tables 2 and 23; services 01-0A are OBD's (ISO 15031-5 / SAE J1979). Any payload is taken, whole or only its start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from busgate.detect.j1939_payloads import hex_arguments
from busgate.model import Act, Argument, Diagnostic

Asked = tuple[Act, str]
"""What is asked: the act and the id of the rule that names it."""

_READ: Asked = (Act.READ, "uds.read")
_FLASH: Asked = (Act.FLASH, "uds.programming")
_OTHER: Asked = (Act.SET, "uds.other")

SESSION_CONTROL = 0x10

SERVICES: Mapping[int, Asked] = {
    # OBD: reading, but 04 clears and 08 controls a component.
    **dict.fromkeys((0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x09, 0x0A), _READ),
    0x04: (Act.CLEAR, "uds.clear"),
    0x08: (Act.ROUTINE, "uds.routine"),
    0x11: (Act.RESET, "uds.reset"),
    0x14: (Act.CLEAR, "uds.clear"),
    **dict.fromkeys((0x19, 0x22, 0x23, 0x24, 0x2A, 0x3E), _READ),
    0x27: (Act.UNLOCK, "uds.unlock"),
    0x28: (Act.SILENCE, "uds.silence"),
    0x29: (Act.UNLOCK, "uds.unlock"),
    0x2C: _OTHER,
    0x2E: (Act.WRITE, "uds.write"),
    0x2F: (Act.IO_CONTROL, "uds.io-control"),
    0x31: (Act.ROUTINE, "uds.routine"),
    **dict.fromkeys((0x34, 0x35, 0x36, 0x37, 0x38), _FLASH),
    0x3D: (Act.WRITE, "uds.write"),
    0x83: _OTHER,
    # Secured data transmission hides the service it carries: told as the most there usually is in it, a write.
    0x84: (Act.WRITE, "uds.write"),
    0x85: (Act.SILENCE, "uds.silence"),
    0x86: _OTHER,
    0x87: _OTHER,
}
"""All services but session control, which depends on the session."""

_SESSIONS = {1: "default", 2: "programming", 3: "extended", 4: "safety system"}
_RESETS = {1: "hard", 2: "key off on", 3: "soft", 4: "enable rapid shutdown", 5: "disable rapid shutdown"}
_COMMUNICATION = {
    0: "enable receiving and sending",
    1: "enable receiving, disable sending",
    2: "disable receiving, enable sending",
    3: "disable receiving and sending",
}
_ROUTINES = {1: "start", 2: "stop", 3: "request results"}
_SETTINGS = {1: "on", 2: "off"}
_IO_CONTROLS = {0: "return to ECU", 1: "reset to default", 2: "freeze", 3: "short term adjustment"}
_FILE_OPERATIONS = {1: "add", 2: "delete", 3: "replace", 4: "read", 5: "read directory", 6: "resume"}

MOST_DIDS = 8
"""How many data identifiers an argument lists."""

_PROGRAMMING = 0x02
_DEFAULT = 0x01


def asked(message: Diagnostic) -> Asked:
    """The act of a request and the rule that names it."""
    if message.sid == SESSION_CONTROL:
        match subfunction(message):
            case 0x01:
                return Act.ENABLE, "uds.default-session"
            case 0x02:
                return _FLASH
            case _:
                return Act.ENABLE, "uds.session"
    return SERVICES.get(message.sid, _OTHER)


def subfunction(message: Diagnostic) -> int | None:
    """The sub-function without the bit that suppresses its answer; None if the payload does not reach it."""
    if message.subfunction is not None:
        return message.subfunction & 0x7F
    return message.data[1] & 0x7F if len(message.data) > 1 else None


def arguments_of(message: Diagnostic) -> dict[str, Argument]:
    """The arguments of a request, as far as its bytes show."""
    arguments: dict[str, Argument] = {}
    if message.dids:
        shown = " ".join(f"0x{did:04X}" for did in message.dids[:MOST_DIDS])
        more = len(message.dids) - MOST_DIDS
        arguments["did"] = Argument(f"{shown} and {more} more" if more > 0 else shown)
    reader = _READERS.get(message.sid)
    if reader is not None:
        arguments.update(reader(message))
    if not message.complete or message.length > len(message.data):
        arguments["length"] = Argument(message.length, "bytes")
    return arguments


def _labelled(name: str, labels: Mapping[int, str]) -> Callable[[Diagnostic], dict[str, Argument]]:
    def read(message: Diagnostic) -> dict[str, Argument]:
        value = subfunction(message)
        return {} if value is None else {name: Argument(labels.get(value, f"0x{value:02X}"))}

    return read


def _security(message: Diagnostic) -> dict[str, Argument]:
    """ISO 14229-1:2020, 10.4: odd sub-functions request a seed, even ones send the key to it."""
    level = subfunction(message)
    if level is None:
        return {}
    step = "request seed" if level % 2 else "send key"
    return {"level": Argument((level + 1) // 2), "step": Argument(step)}


def _routine(message: Diagnostic) -> dict[str, Argument]:
    arguments = _labelled("control", _ROUTINES)(message)
    if message.routine is not None:
        arguments["routine"] = Argument(f"0x{message.routine:04X}")
    return arguments | _rest(message, 4)


def _communication(message: Diagnostic) -> dict[str, Argument]:
    arguments = _labelled("control", _COMMUNICATION)(message)
    if len(message.data) > 2:
        arguments["communication_type"] = Argument(f"0x{message.data[2]:02X}")
    return arguments


def _io_control(message: Diagnostic) -> dict[str, Argument]:
    """ISO 14229-1:2020, 13.2: after the identifier one byte says what becomes of the input or output."""
    if len(message.data) < 4:
        return {}
    control = message.data[3]
    return {"control": Argument(_IO_CONTROLS.get(control, f"0x{control:02X}"))} | _rest(message, 4)


def _group(message: Diagnostic) -> dict[str, Argument]:
    """ISO 14229-1:2020, 12.2: three bytes, FFFFFF for all."""
    return {"group": Argument(f"0x{message.data[1:4].hex().upper()}")} if len(message.data) >= 4 else {}


def _memory(offset: int) -> Callable[[Diagnostic], dict[str, Argument]]:
    """ISO 14229-1:2020, annex H.1: one byte tells how many bytes the size (high nibble) and the address (low) take."""

    def read(message: Diagnostic) -> dict[str, Argument]:
        data = message.data
        if len(data) <= offset:
            return {}
        address_end = offset + 1 + (data[offset] & 0x0F)
        size_end = address_end + (data[offset] >> 4)
        if len(data) < size_end:
            return {}
        return {
            "address": Argument(f"0x{data[offset + 1 : address_end].hex().upper()}"),
            "size": Argument(int.from_bytes(data[address_end:size_end], "big"), "bytes"),
        }

    return read


def _block(message: Diagnostic) -> dict[str, Argument]:
    return {"block": Argument(message.data[1])} if len(message.data) > 1 else {}


def _file(message: Diagnostic) -> dict[str, Argument]:
    """ISO 14229-1:2020, 14.6: mode of operation, length of the path, path."""
    data = message.data
    if len(data) < 2:
        return {}
    arguments = {"operation": Argument(_FILE_OPERATIONS.get(data[1], f"0x{data[1]:02X}"))}
    path = data[4 : 4 + int.from_bytes(data[2:4], "big")]
    if path:
        text = path.decode("ascii", "replace")
        arguments["file"] = Argument(text if text.isprintable() and text.isascii() else path.hex())
    return arguments


def _rest(message: Diagnostic, start: int) -> dict[str, Argument]:
    rest = message.data[start:]
    return hex_arguments(rest, len(rest))


def _from(start: int) -> Callable[[Diagnostic], dict[str, Argument]]:
    return lambda message: _rest(message, start)


_READERS: Mapping[int, Callable[[Diagnostic], dict[str, Argument]]] = {
    0x10: _labelled("session", _SESSIONS),
    0x11: _labelled("reset", _RESETS),
    0x14: _group,
    0x23: _memory(1),
    0x27: _security,
    0x28: _communication,
    0x29: _labelled("task", {}),
    0x2C: _labelled("definition", {1: "by identifier", 2: "by memory address", 3: "clear"}),
    0x2E: _from(3),
    0x2F: _io_control,
    0x31: _routine,
    0x34: _memory(2),
    0x35: _memory(2),
    0x36: _block,
    0x38: _file,
    0x3D: _memory(1),
    0x83: _labelled("timing", {}),
    0x84: _from(1),
    0x85: _labelled("setting", _SETTINGS),
    0x86: _labelled("event", {}),
    0x87: _labelled("link", {}),
}
