"""A recorded trace through the whole gate: the same code as on the vehicle, with the trace as its only clock.

Law: the same trace, policy, profile and key give the same log, byte for byte, at any speed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from busgate.bridge.channels import ALL, SideMap
from busgate.bridge.countries import Countries, in_eu
from busgate.bridge.pcapng import short_message
from busgate.bridge.trace import Trace, merge
from busgate.gateway import Gateway
from busgate.judge.situation import Situation
from busgate.model import Event, Mode, Outcome, Packet, Unit
from busgate.record.log import Log
from busgate.report.uplink import Uplink
from busgate.service import load
from busgate.service.findings import Findings, by_severity, identifier_rows, moment
from busgate.service.station import Station
from busgate.trust.keys import test_signer
from busgate.trust.note import Signer, Verifier

YEAR_2000 = 946_684_800_000_000_000
"""A trace whose times lie before this counts from its own start: it has no wall clock, and no rule may lean on one."""

Watcher = Callable[[Unit, Outcome, Situation], None]


@dataclass(slots=True)
class Job:
    """All that one replay is told."""

    trace: Path
    sides: SideMap
    vehicle: load.Vehicle
    mode: Mode = Mode.MONITOR
    policy: load.Adopted | None = None
    grants: tuple[Any, ...] = ()
    pcap: Path | None = None
    addresses: tuple[str, ...] = ()
    countries: tuple[Path, ...] = ()
    out: Path | None = None
    signer: Signer | None = None
    device: str = "replay"
    speed: float = 0.0
    mqtt: str | None = None
    witnesses: tuple[Verifier, ...] = ()
    listeners: list[Callable[[int, Event], None]] = field(default_factory=list)
    watcher: Watcher | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came out: the report as plain values, the findings behind it, and whether the SOC has it all."""

    report: dict[str, Any]
    findings: Findings
    delivered: bool | None


def replay(job: Job) -> Result:
    """Run one replay to its end. Raises BusgateError for a trace, folder or broker that cannot be used."""
    trace = Trace(job.trace, job.sides)
    packets = Trace(job.pcap, SideMap([ALL])) if job.pcap is not None else None
    units = map(_spoken, iter(trace if packets is None else merge(trace, packets)))
    first = next(units, None)
    start = first.at if first is not None else 0
    wall_offset = 0 if start >= YEAR_2000 else None
    gateway = Gateway(
        job.vehicle.profile, job.vehicle.database, mode=job.mode, wall_offset=wall_offset, device=job.device
    )
    gateway.tbox_addresses = job.addresses
    if job.countries:
        countries = Countries.open(*job.countries)
        gateway.places(countries.country, in_eu, countries.network)
    log = _open_log(job, start, wall_offset)
    uplink = Uplink(job.mqtt, job.device, log, witnesses=job.witnesses) if job.mqtt is not None else None
    station = Station(gateway, log, uplink)
    findings = Findings()
    station.listeners += [findings, *job.listeners]
    if uplink is not None:
        uplink.start()
        uplink.reach(5.0)
    try:
        _set_up(job, station, start)
        end = start if first is None else _run(job, station, first, units)
        station.finish(end)
        delivered = None if uplink is None else uplink.drain(20.0)
        report = _report(job, trace, station, findings, (start, end))
    finally:
        if uplink is not None:
            uplink.close()
        log.close()
    return Result(report, findings, delivered)


def _spoken(unit: Unit) -> Unit:
    """A short message that the evidence ring kept as a packet, as what it is."""
    short = short_message(unit) if isinstance(unit, Packet) else None
    return unit if short is None else short


def _open_log(job: Job, start: int, wall_offset: int | None) -> Log:
    signer = job.signer or test_signer(job.device)
    boot = hashlib.sha256(b"busgate replay\n" + job.device.encode()).hexdigest()[:32]
    return Log.open(job.out, signer, device=job.device, boot=boot, now=start, wall_offset=wall_offset, wq="none")


def _set_up(job: Job, station: Station, start: int) -> None:
    station.record((station.gateway.set_mode(job.mode, start, by="replay", reason="asked for"),), start)
    if job.policy is not None:
        station.record((station.gateway.adopt(job.policy.policy, start, signed=job.policy.signed),), start)
    for grant in job.grants:
        station.record(station.gateway.grant(grant, start), start)


def _run(job: Job, station: Station, first: Unit, rest: Iterable[Unit]) -> int:
    pace = _Pace(first.at, job.speed)
    unit = first
    take = station.take
    if job.speed <= 0 and job.watcher is None:
        take(first)
        for unit in rest:
            take(unit)
        return unit.at
    for unit in (first, *()):
        _watched(job, station, unit, take(unit))
    for unit in rest:
        pace.wait(unit.at)
        _watched(job, station, unit, take(unit))
    return unit.at


def _watched(job: Job, station: Station, unit: Unit, outcome: Outcome) -> None:
    if job.watcher is not None:
        job.watcher(unit, outcome, station.gateway.situation)


class _Pace:
    """Keeps a replay in step with a clock: `speed` 2.0 is twice as fast as it was recorded, 0 does not wait."""

    def __init__(self, start: int, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    def wait(self, at: int) -> None:
        if self._speed <= 0:
            return
        due = self._began + (at - self._start) / 1e9 / self._speed
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)


def _report(job: Job, trace: Trace, station: Station, findings: Findings, span: tuple[int, int]) -> dict[str, Any]:
    gateway, log = station.gateway, station.log
    traffic = gateway.traffic(span[1])
    adopted = job.policy
    return {
        "trace": job.trace.name,
        "start": moment(span[0]),
        "end": moment(span[1]),
        "seconds": round((span[1] - span[0]) / 1e9, 6),
        "mode": job.mode.value,
        "profile": {"name": job.vehicle.profile.profile, "version": job.vehicle.profile.version},
        "policy": None
        if adopted is None
        else {
            "name": adopted.policy.policy,
            "version": adopted.policy.version,
            "sha256": adopted.policy.digest,
            "signed": adopted.signed,
        },
        "frames": sum(traffic.frames.values()),
        "sides": dict(traffic.frames),
        "channels": {str(name): count for name, count in trace.channels.items()},
        "unmapped": {str(name): count for name, count in trace.unmapped.items()},
        "messages": dict(gateway.messages()),
        "verdicts": dict(traffic.verdicts),
        "severities": dict(by_severity(findings.alerts)),
        "alerts": findings.alert_rows(),
        "sessions": findings.session_rows(),
        "network": dict(traffic.network),
        "causes": findings.rows("causes"),
        "updates": findings.rows("updates"),
        "functions": findings.rows("functions"),
        "identifiers": identifier_rows(gateway.stack.routes.known()),
        "warnings": list(trace.warnings),
        "log": {"origin": log.origin, "size": log.size, "root": log.root.hex(), "checkpoint": log.checkpoint},
    }
