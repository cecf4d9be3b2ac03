"""Messages over the air to commands: what each asks of the T-box and of the vehicle behind it.

Law: every downlink message becomes at least one command; what nobody describes is one too (`cloud.unknown`), never
ordinary traffic. The order of knowledge: what the profile says of its vendor's forms, then the standards, then words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from busgate.detect import cloud_gb, cloud_jt, cloud_jt905, cloud_other
from busgate.detect.parties import NOBODY
from busgate.detect.wanted import CARRIED, COMMAND, SERVICE, UPDATE, Wanted, service, unknown
from busgate.model import Act, Argument, CloudMessage, Command, Direction, Party, Pdu, Subsystem
from busgate.profile import CloudMark, Profile

_READERS: Mapping[str, Callable[[Pdu], tuple[Wanted, ...]]] = {
    "jt808": cloud_jt.asked,
    "jt905": cloud_jt905.asked,
    "gb32960": cloud_gb.asked,
    "mqtt": cloud_other.of_mqtt,
    "http": cloud_other.of_http,
    "doip": cloud_other.of_doip,
    "sms": cloud_other.of_sms,
}
_SERVICES = frozenset({"tls", "dns", "ntp", "ssh", "telnet", "adb", "shell"})
"""Judged as conversations, by who talks with whom: their single messages say nothing."""


class CloudDetector:
    """Names the commands among the messages towards one vehicle's T-box."""

    def __init__(self, profile: Profile) -> None:
        """`profile.cloud` says what the vendor's own forms mean, where the operator knows."""
        self._tbox = Party(profile.tbox.name, None)
        self._marks = profile.cloud

    def commands(self, message: CloudMessage) -> tuple[Command, ...]:
        """What a downlink message asks for; nothing for what the T-box says itself."""
        if message.direction is Direction.UP:
            return ()
        source = Party(f"{message.host} ({message.flow.remote})" if message.host else str(message.flow.remote), None)
        by_text = message.flow.transport == "sms"
        readings = (message, *(replace(message, pdu=pdu) for pdu in cloud_jt.doubtful(message.pdu)))
        return tuple(
            self._command(reading, source, each, by_text=by_text)
            for reading in readings
            for each in self.wanted(reading.pdu)
        )

    def wanted(self, pdu: Pdu) -> tuple[Wanted, ...]:
        """What a unit asks for, whoever sent it."""
        reader = _READERS.get(pdu.protocol)
        if reader is not None:
            return tuple(self._explained(pdu, each) for each in reader(pdu))
        return (service(f"{pdu.protocol} {pdu.name}"),) if pdu.protocol in _SERVICES else (unknown(pdu.name),)

    def _explained(self, pdu: Pdu, wanted: Wanted) -> Wanted:
        """What the vehicle's own description says of a vendor's form."""
        for mark in self._marks:
            if mark.protocol == pdu.protocol and mark.code in {None, pdu.code} and _fits(mark, wanted):
                rule = UPDATE if mark.act is Act.FLASH else CARRIED if wanted.rule == CARRIED else COMMAND
                return Wanted(mark.name, mark.subsystem, mark.act, rule, wanted.arguments)
        return wanted

    def _command(self, message: CloudMessage, source: Party, wanted: Wanted, *, by_text: bool) -> Command:
        rule = (
            "sms.command" if by_text and wanted.rule != SERVICE and not wanted.rule.startswith("sms.") else wanted.rule
        )
        return Command(
            message,
            wanted.name,
            wanted.subsystem,
            wanted.act,
            rule,
            source,
            self._tbox if wanted.subsystem is Subsystem.TELEMATICS else NOBODY,
            wanted.arguments,
        )


def _fits(mark: CloudMark, wanted: Wanted) -> bool:
    if mark.asks is not None and mark.asks != wanted.name:
        return False
    return all(_value(wanted.arguments.get(name)) in values for name, values in mark.where.items())


def _value(argument: Argument | None) -> object:
    return None if argument is None else argument.value
