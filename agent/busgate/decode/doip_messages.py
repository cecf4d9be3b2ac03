"""The messages of DoIP (ISO 13400-2): what each payload type is called, what it holds, and what its codes mean.

Law: a class a payload type; values are in the order of the wire, big endian. Addresses and codes are written in
hexadecimal ("0x0E80"), with the standard's word beside a code as `<name>_name`; identifiers and reserved bytes are
hexadecimal without a prefix; counts are numbers. What is optional is absent. Names are those of the `doipclient`
library where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from busgate.decode.doip_codes import (
    ACTIVATION_RESPONSES,
    ACTIVATIONS,
    DIAGNOSTIC_ACKS,
    DIAGNOSTIC_NACKS,
    FURTHER_ACTIONS,
    GENERIC_NACKS,
    NODES,
    POWER_MODES,
    SYNCHRONISATIONS,
)

ADDRESS = "address"
CODE = "code"
COUNT = "count"
TEXT = "text"
HEX = "hex"

REST = -1
"""A value that takes all that is left."""


@dataclass(frozen=True, slots=True)
class GenericNack:
    """0000: why a header was refused."""

    nack_code: str | None = None
    nack_code_name: str | None = None


@dataclass(frozen=True, slots=True)
class VehicleIdentificationRequest:
    """0001: who is there?"""


@dataclass(frozen=True, slots=True)
class VehicleIdentificationRequestWithEid:
    """0002: is the entity with this identifier (usually its MAC address) there?"""

    eid: str | None = None


@dataclass(frozen=True, slots=True)
class VehicleIdentificationRequestWithVin:
    """0003: is the vehicle with this VIN there?"""

    vin: str | None = None


@dataclass(frozen=True, slots=True)
class VehicleAnnouncement:
    """0004: vehicle announcement, or the answer to 0001 to 0003; the last value is optional."""

    vin: str | None = None
    logical_address: str | None = None
    eid: str | None = None
    gid: str | None = None
    further_action_required: str | None = None
    further_action_required_name: str | None = None
    vin_sync_status: str | None = None
    vin_sync_status_name: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingActivationRequest:
    """0005: a tester wants its diagnostic messages routed; the vehicle maker's bytes are optional."""

    source_address: str | None = None
    activation_type: str | None = None
    activation_type_name: str | None = None
    reserved: str | None = None
    vm_specific: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingActivationResponse:
    """0006: whether they are; the vehicle maker's bytes are optional."""

    client_logical_address: str | None = None
    logical_address: str | None = None
    response_code: str | None = None
    response_code_name: str | None = None
    reserved: str | None = None
    vm_specific: str | None = None


@dataclass(frozen=True, slots=True)
class AliveCheckRequest:
    """0007: is the tester still there?"""


@dataclass(frozen=True, slots=True)
class AliveCheckResponse:
    """0008: it is, under this address."""

    source_address: str | None = None


@dataclass(frozen=True, slots=True)
class EntityStatusRequest:
    """4001: how busy is the entity?"""


@dataclass(frozen=True, slots=True)
class EntityStatusResponse:
    """4002: sockets in number, and the longest payload in bytes, which is optional."""

    node_type: str | None = None
    node_type_name: str | None = None
    max_concurrent_sockets: int | None = None
    currently_open_sockets: int | None = None
    max_data_size: int | None = None


@dataclass(frozen=True, slots=True)
class PowerModeRequest:
    """4003: can diagnosis be done now?"""


@dataclass(frozen=True, slots=True)
class PowerModeResponse:
    """4004: whether it can."""

    diagnostic_power_mode: str | None = None
    diagnostic_power_mode_name: str | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticMessage:
    """8001: a UDS payload from one logical address to another, in hexadecimal."""

    source_address: str | None = None
    target_address: str | None = None
    user_data: str | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticAck:
    """8002: a diagnostic message was taken; it may follow once more, in whole or in part."""

    source_address: str | None = None
    target_address: str | None = None
    ack_code: str | None = None
    ack_code_name: str | None = None
    previous_message_data: str | None = None


@dataclass(frozen=True, slots=True)
class DiagnosticNack:
    """8003: a diagnostic message was not taken, and why."""

    source_address: str | None = None
    target_address: str | None = None
    nack_code: str | None = None
    nack_code_name: str | None = None
    previous_message_data: str | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """A payload type that is reserved, or the vehicle maker's own (F000 to FFFF): its payload in hexadecimal."""

    payload: str = ""


class Value(NamedTuple):
    """One value: its name, how many bytes it has, how it is shown, and what it means."""

    name: str
    size: int
    form: str = ADDRESS
    names: Mapping[int, str] = {}


class Message(NamedTuple):
    """A payload type: its name, its class, its values, and how many of them must be there."""

    name: str
    kind: type[Any]
    values: tuple[Value, ...] = ()
    needed: int = 0

    def fits(self, length: int) -> bool:
        """Whether a payload can be this long: all values up to one that is there, and no byte more."""
        sizes = [value.size for value in self.values]
        if REST in sizes:
            return length >= sum(sizes[:-1])
        return length in {sum(sizes[:count]) for count in range(self.needed, len(sizes) + 1)}


DIAGNOSTIC = 0x8001

_SOURCE = Value("source_address", 2)
_TARGET = Value("target_address", 2)
_VIN = Value("vin", 17, TEXT)
_EID = Value("eid", 6, HEX)
_RESERVED = Value("reserved", 4, HEX)
_MAKERS = Value("vm_specific", 4, HEX)
_PREVIOUS = Value("previous_message_data", REST, HEX)

MESSAGES: Mapping[int, Message] = {
    0x0000: Message("generic negative acknowledge", GenericNack, (Value("nack_code", 1, CODE, GENERIC_NACKS),), 1),
    0x0001: Message("vehicle identification request", VehicleIdentificationRequest),
    0x0002: Message("vehicle identification request with EID", VehicleIdentificationRequestWithEid, (_EID,), 1),
    0x0003: Message("vehicle identification request with VIN", VehicleIdentificationRequestWithVin, (_VIN,), 1),
    0x0004: Message(
        "vehicle announcement",
        VehicleAnnouncement,
        (
            _VIN,
            Value("logical_address", 2),
            _EID,
            Value("gid", 6, HEX),
            Value("further_action_required", 1, CODE, FURTHER_ACTIONS),
            Value("vin_sync_status", 1, CODE, SYNCHRONISATIONS),
        ),
        5,
    ),
    0x0005: Message(
        "routing activation request",
        RoutingActivationRequest,
        (_SOURCE, Value("activation_type", 1, CODE, ACTIVATIONS), _RESERVED, _MAKERS),
        3,
    ),
    0x0006: Message(
        "routing activation response",
        RoutingActivationResponse,
        (
            Value("client_logical_address", 2),
            Value("logical_address", 2),
            Value("response_code", 1, CODE, ACTIVATION_RESPONSES),
            _RESERVED,
            _MAKERS,
        ),
        4,
    ),
    0x0007: Message("alive check request", AliveCheckRequest),
    0x0008: Message("alive check response", AliveCheckResponse, (_SOURCE,), 1),
    0x4001: Message("entity status request", EntityStatusRequest),
    0x4002: Message(
        "entity status response",
        EntityStatusResponse,
        (
            Value("node_type", 1, CODE, NODES),
            Value("max_concurrent_sockets", 1, COUNT),
            Value("currently_open_sockets", 1, COUNT),
            Value("max_data_size", 4, COUNT),
        ),
        3,
    ),
    0x4003: Message("power mode request", PowerModeRequest),
    0x4004: Message(
        "power mode response", PowerModeResponse, (Value("diagnostic_power_mode", 1, CODE, POWER_MODES),), 1
    ),
    DIAGNOSTIC: Message("diagnostic message", DiagnosticMessage, (_SOURCE, _TARGET, Value("user_data", REST, HEX)), 2),
    0x8002: Message(
        "diagnostic message acknowledge",
        DiagnosticAck,
        (_SOURCE, _TARGET, Value("ack_code", 1, CODE, DIAGNOSTIC_ACKS), _PREVIOUS),
        3,
    ),
    0x8003: Message(
        "diagnostic message negative acknowledge",
        DiagnosticNack,
        (_SOURCE, _TARGET, Value("nack_code", 1, CODE, DIAGNOSTIC_NACKS), _PREVIOUS),
        3,
    ),
}
"""ISO 13400-2:2019, clause 9: the payload types that have a meaning."""
