"""The nouns of busgate: what crosses the gate, what it means, what was decided, what happened.

Law of this package: values only. Nothing here reads a clock, a file, a socket or another room.
Time is data: every `at` is an integer in nanoseconds on the timeline of the bridge that made the unit.
"""

from __future__ import annotations

from busgate.model.cloud import CloudMessage, Direction, Endpoint, Flow, Pdu, Span
from busgate.model.commands import Act, Action, Argument, Command, Party, Reason, Severity, Subsystem, Verdict
from busgate.model.events import (
    Alert,
    AlertCount,
    DiagnosticSession,
    Event,
    GrantChange,
    Loss,
    ModeChange,
    Outcome,
    PolicyApplied,
    PolicyRefused,
    Traffic,
)
from busgate.model.fault import BusgateError
from busgate.model.messages import CanMessage, Diagnostic, DiagnosticKind, Message, ParameterGroup
from busgate.model.modem import ModemService, ModemState
from busgate.model.units import (
    BIT_RATE_SWITCH,
    ERROR,
    ERROR_STATE,
    EXTENDED,
    FD_FORMAT,
    GLOBAL_ADDRESS,
    IDENTIFIER,
    REMOTE,
    Frame,
    Malformed,
    Mode,
    Packet,
    Provenance,
    Side,
    Sms,
    Unit,
    Value,
)

__all__ = [
    "BIT_RATE_SWITCH",
    "ERROR",
    "ERROR_STATE",
    "EXTENDED",
    "FD_FORMAT",
    "GLOBAL_ADDRESS",
    "IDENTIFIER",
    "REMOTE",
    "Act",
    "Action",
    "Alert",
    "AlertCount",
    "Argument",
    "BusgateError",
    "CanMessage",
    "CloudMessage",
    "Command",
    "Diagnostic",
    "DiagnosticKind",
    "DiagnosticSession",
    "Direction",
    "Endpoint",
    "Event",
    "Flow",
    "Frame",
    "GrantChange",
    "Loss",
    "Malformed",
    "Message",
    "Mode",
    "ModeChange",
    "ModemService",
    "ModemState",
    "Outcome",
    "Packet",
    "ParameterGroup",
    "Party",
    "Pdu",
    "PolicyApplied",
    "PolicyRefused",
    "Provenance",
    "Reason",
    "Severity",
    "Side",
    "Sms",
    "Span",
    "Subsystem",
    "Traffic",
    "Unit",
    "Value",
    "Verdict",
]
