"""What the gate of the frames and that of the air side tell each other: two processes, datagrams, nobody waits.

Law: nothing here blocks, raises or grows; what cannot be said is counted. What is heard is data: a message that is not
understood is nothing. Only who may write the folder can say anything here, and all that it can do is say what came over
the air or what the vehicle does; no message here is a verdict.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from busgate.detect.causality import Trigger
from busgate.detect.updates import Origin, Updates
from busgate.gateway import Gateway
from busgate.judge.situation import Situation
from busgate.model import Act, BusgateError, Endpoint, Event, Flow, Subsystem, UpdateSession
from busgate.profile import StateName

FRAMES, AIR = "frames.sock", "air.sock"
FACTS_EVERY_NS = 200_000_000
LOOKS_EVERY_NS = 10_000_000
_MOST_BYTES = 8192
_A_TURN = 64
_FACTS = frozenset(get_args(StateName))


class Exchange:
    """One end: a socket of its own in the folder, and the other's beside it."""

    def __init__(self, folder: Path, own: str, peer: str) -> None:
        """Raises BusgateError when no socket can be made there."""
        self._own = folder / own
        self._peer = os.fspath(folder / peer)
        self.unsaid = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._own.unlink(missing_ok=True)
            self._socket.bind(os.fspath(self._own))
            self._own.chmod(0o660)
        except OSError as fault:
            self._socket.close()
            raise BusgateError(
                f"{self._own}: no socket can be made there: {fault.strerror}. Next: check the folder"
            ) from None
        self._socket.setblocking(False)

    def say(self, **what: Any) -> None:
        """Tell the other, if it is there."""
        try:
            self._socket.sendto(json.dumps(what, separators=(",", ":")).encode(), self._peer)
        except (OSError, ValueError, TypeError):
            self.unsaid += 1

    def hear(self) -> Iterator[Mapping[str, Any]]:
        """What the other said since the last time, a bounded number of messages."""
        for _ in range(_A_TURN):
            try:
                data = self._socket.recv(_MOST_BYTES)
            except OSError:
                return
            try:
                said = json.loads(data)
            except (ValueError, RecursionError):
                continue
            if isinstance(said, dict):
                yield said

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        self._own.unlink(missing_ok=True)


class Telling(Updates):
    """The air side's half of the updates: what it knows is told to the gate of the frames, which joins the record."""

    def __init__(self, exchange: Exchange) -> None:
        """Nothing is told yet."""
        super().__init__(lambda _: {})
        self._exchange = exchange

    def ordered(self, at: int, what: str, origin: Origin) -> tuple[UpdateSession, ...]:
        """Somebody told the T-box to load software."""
        self._exchange.say(update="ordered", at=at, what=what, origin=origin)
        return ()

    def loaded(self, at: int, url: str, origin: Origin, size: int, sha256: str) -> tuple[UpdateSession, ...]:
        """So many bytes of a download have come."""
        self._exchange.say(update="loaded", at=at, url=url, origin=origin, size=size, sha256=sha256)
        return ()

    def piece(self, at: int, url: str, origin: Origin, size: int) -> tuple[UpdateSession, ...]:
        """So many bytes more of software that comes in messages."""
        self._exchange.say(update="piece", at=at, url=url, origin=origin, size=size)
        return ()


class FramesEnd:
    """The gate of the frames at its end: what came over the air goes to its gateway, what the vehicle does goes out."""

    def __init__(self, folder: str | None, gateway: Gateway, record: Callable[[tuple[Event, ...], int], None]) -> None:
        """Without a folder nothing is exchanged. Raises BusgateError when no socket can be made there."""
        self._exchange = None if folder is None else Exchange(Path(folder), FRAMES, AIR)
        self._gateway = gateway
        self._record = record
        self._told = 0
        self._heard = 0

    def look(self, now: int) -> None:
        """Called between frames, often; it does something a hundred times a second at most, and never waits."""
        if self._exchange is None or now - self._heard < LOOKS_EVERY_NS:
            return
        self._heard = now
        air = self._gateway.air
        for said in self._exchange.hear():
            trigger = trigger_of(said)
            if trigger is not None:
                air.causality.over_the_air(trigger)
            elif events := updated(air.updates, said):
                self._record(events, now)
        if now - self._told >= FACTS_EVERY_NS:
            self._told = now
            self._exchange.say(**facts(self._gateway.situation, now))

    def close(self) -> None:
        """Hang up."""
        if self._exchange is not None:
            self._exchange.close()


def said_of(trigger: Trigger) -> dict[str, Any]:
    """A trigger as it is told."""
    flow = trigger.flow
    return {
        "trigger": trigger.way,
        "at": trigger.at,
        "flow": [flow.transport, *flow.tbox, *flow.remote],
        "subsystem": trigger.subsystem.value,
        "act": trigger.act.value,
        "told": {name: value for name, value in trigger.told.items() if name != "bytes"},
        "carries": trigger.carries,
    }


def trigger_of(said: Mapping[str, Any]) -> Trigger | None:
    """A trigger out of what was told; None for anything else."""
    try:
        transport, tbox, tbox_port, remote, remote_port = said["flow"]
        flow = Flow(str(transport), Endpoint(str(tbox), int(tbox_port)), Endpoint(str(remote), int(remote_port)))
        way = str(said["trigger"])
        told = {str(name): value for name, value in dict(said["told"]).items() if isinstance(value, (int, float, str))}
        if way not in {"message", "sms", "burst"}:
            return None
        subsystem, act = Subsystem(said["subsystem"]), Act(said["act"])
        return Trigger(int(said["at"]), way, flow, subsystem, act, told, said.get("carries") is True)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def updated(updates: Updates, said: Mapping[str, Any]) -> tuple[Event, ...]:
    """What the air side told of an update, joined to the record."""
    try:
        at = int(said["at"])
        source, approval = said["origin"]
        origin = Origin(str(source), str(approval))
        match said["update"]:
            case "ordered":
                return updates.ordered(at, str(said["what"]), origin)
            case "loaded":
                size = int(said["size"])
                return updates.loaded(at, str(said["url"]), origin, size, str(said["sha256"]))
            case "piece":
                return updates.piece(at, str(said["url"]), origin, int(said["size"]))
            case _:
                return ()
    except (KeyError, ValueError, TypeError, OverflowError):
        return ()


def facts(situation: Situation, now: int) -> dict[str, Any]:
    """What the vehicle does, as it is told to the air side."""
    return {"at": now, "facts": situation.snapshot(now, FACTS_EVERY_NS * 5)}


def learn(situation: Situation, said: Mapping[str, Any], now: int) -> None:
    """Take what the gate of the frames told of the vehicle; a fact that it does not know any more is unknown here."""
    told = said.get("facts")
    at = said.get("at")
    if not isinstance(told, dict) or not isinstance(at, int):
        return
    for name in _FACTS:
        value = told.get(name)
        situation.update(name, value if isinstance(value, (bool, int, float)) else None, min(at, now))
