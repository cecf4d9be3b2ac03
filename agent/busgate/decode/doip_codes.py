"""What the codes in DoIP messages mean.

Law: facts of ISO 13400-2:2019 and nothing else; a code that is not here is reserved or the vehicle maker's own.
"""

from __future__ import annotations

from collections.abc import Mapping

GENERIC_NACKS: Mapping[int, str] = {
    0: "incorrect pattern format",
    1: "unknown payload type",
    2: "message too large",
    3: "out of memory",
    4: "invalid payload length",
}
FURTHER_ACTIONS: Mapping[int, str] = {0x00: "none", 0x10: "routing activation for central security"}
SYNCHRONISATIONS: Mapping[int, str] = {0x00: "synchronised", 0x10: "incomplete"}
ACTIVATIONS: Mapping[int, str] = {0x00: "default", 0x01: "required by regulation", 0xE0: "central security"}
ACTIVATION_RESPONSES: Mapping[int, str] = {
    0x00: "denied: unknown source address",
    0x01: "denied: all sockets are in use",
    0x02: "denied: source address differs from the socket's",
    0x03: "denied: source address is active on another socket",
    0x04: "denied: authentication is missing",
    0x05: "denied: confirmation was rejected",
    0x06: "denied: activation type is not supported",
    0x07: "denied: TLS is required",
    0x10: "activated",
    0x11: "activated once confirmed",
}
NODES: Mapping[int, str] = {0: "gateway", 1: "node"}
POWER_MODES: Mapping[int, str] = {0: "not ready", 1: "ready", 2: "not supported"}
DIAGNOSTIC_ACKS: Mapping[int, str] = {0: "acknowledged"}
DIAGNOSTIC_NACKS: Mapping[int, str] = {
    2: "invalid source address",
    3: "unknown target address",
    4: "message too large",
    5: "out of memory",
    6: "target unreachable",
    7: "unknown network",
    8: "transport protocol error",
}
