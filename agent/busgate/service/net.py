"""The gate of the T-box's IP and cellular side, from its settings to its end.

Law: nothing passes before the fence stands and the policy is in force; with anything wrong at the start nothing passes
at all. Like the gate of the frames it writes no log itself: a keeper does.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from busgate.bridge.countries import Countries, in_eu
from busgate.bridge.firewall import Firewall
from busgate.bridge.inspector import FlowEvent, Happening
from busgate.bridge.modem import Modems
from busgate.bridge.port import BridgeError
from busgate.bridge.relay import Relay
from busgate.bridge.sniffer import Listening, Sniffer
from busgate.detect.causality import Trigger
from busgate.gateway import Gateway
from busgate.model import BusgateError, Event, Loss, Mode, ModemState, Packet, Side, Sms
from busgate.service import exchange as talk
from busgate.service import load
from busgate.service.boundary import fence_of
from busgate.service.companion import Companion
from busgate.service.duty import Stop
from busgate.service.exchange import Exchange, Telling
from busgate.service.fenced import Fenced
from busgate.service.folders import ring_of, spool_of
from busgate.service.gate import keeper_words
from busgate.service.hand import Hand
from busgate.service.inspection import Inspection
from busgate.service.outbox import Outbox, connect_to
from busgate.service.outpost import Outpost
from busgate.service.override import switch_of
from busgate.service.reload import Reload, Wanted
from busgate.service.remembered import Remembered
from busgate.service.supervised import Supervised
from busgate.settings import Air, Settings
from busgate.trust.keys import load_signer

Say = Callable[[str], None]

TURN_S = 0.02
SLOWLY_NS = 1_000_000_000
"""How often what is not urgent is done: a sign of life for the kernel's fence, modems, evidence, memory."""

MEMORY_EVERY_NS = 60_000_000_000
_CHILD_SECONDS = 20.0


def run(settings: Settings, reread: Callable[[], Settings], stop: Stop, say: Say) -> None:
    """Be the gate until `stop`.

    Raises:
        BusgateError: it cannot start, or its keeper cannot.
    """
    network = settings.network
    if network is None:
        raise BusgateError(
            "nobody said what the T-box's network interface is. Next: give --interface, or write `network:` into the "
            "settings file (docs/network.md)"
        )
    described = load.vehicle(str(settings.profile))
    name = settings.device or load_signer(Path(str(settings.key))).name
    adopted = load.policy(Path(str(settings.policy)), operator=str(settings.operator), unsigned=False)
    grants = [load.grant(Path(path), operator=str(settings.operator), unsigned=False) for path in settings.grants]
    mode = settings.mode if settings.mode is not None else Mode(adopted.policy.mode or Mode.ENFORCE)
    countries = Countries.open(*map(Path, network.countries)) if network.countries else None
    start = time.monotonic_ns()
    gateway = Gateway(described.profile, described.database, mode=mode, wall_offset=time.time_ns() - start, device=name)
    gateway.tbox_addresses = network.addresses
    if countries is not None:
        gateway.places(countries.country, in_eu, countries.network)
    with ExitStack() as stack:
        companion = None if settings.keeper else Companion(keeper_words(settings, name))
        outbox = (
            Outbox(connect_to(str(settings.keeper)))
            if companion is None
            else Outbox(companion.connect, companion.start())
        )
        post = Outpost(gateway, outbox)
        stack.callback(lambda: None if companion is None else companion.wait(_CHILD_SECONDS))
        stack.callback(post.close)
        post.record((gateway.set_mode(mode, start, by="busgate net", reason="start"),), start)
        post.record((gateway.adopt(adopted.policy, start, signed=True),), start)
        for grant in grants:
            post.record(gateway.grant(grant, start), start)
        gate = NetGate(settings, network, post, stack, say)
        gate.work(lambda: _wanted(reread()), stop)


def _wanted(settings: Settings) -> Wanted:
    adopted = load.policy(Path(str(settings.policy)), operator=str(settings.operator), unsigned=False)
    grants = tuple(load.grant(Path(path), operator=str(settings.operator), unsigned=False) for path in settings.grants)
    mode = settings.mode if settings.mode is not None else Mode(adopted.policy.mode or Mode.ENFORCE)
    return Wanted(adopted, mode, grants)


class NetGate:
    """What is joined while the gate works: fence, relay, listening, modems, evidence, the local hand."""

    def __init__(self, settings: Settings, network: Air, post: Outpost, stack: ExitStack, say: Say) -> None:
        """Put up what the settings ask for; whatever was put up is let go of by `stack`.

        Raises:
            BridgeError: something of it cannot be had.
        """
        self._network = network
        self._post = post
        self._gateway = post.gateway
        self._say = say
        self._slow = 0
        self._behind = False
        self._kept = 0
        self._returns = 0
        self._told: dict[str, int] = {}
        self._exchange = self._join(network, stack)
        self._memory = Remembered(network.memory, say)
        self._gateway.air.novelty = self._memory.recall()
        self._sniffer = Sniffer.open(Side.TBOX, network.tbox)
        stack.callback(self._sniffer.close)
        self._ring = None if network.evidence is None else stack.enter_context(ring_of(network.evidence))
        self._outside = None if self._ring is None else _outside_of(network.uplink, stack)
        self._modems = stack.enter_context(Modems(only=network.modems)) if network.modem else None
        self._fenced: Fenced | None = None
        self._relay: Relay | None = None
        self._inspection: Inspection | None = None
        self._hand = Hand(switch_of(settings), post, None, self._gateway.mode)
        if network.uplink is not None and self._gateway.mode is not Mode.OBSERVE:
            self._stand(network, network.uplink, stack)

    def _stand(self, network: Air, uplink: str, stack: ExitStack) -> None:
        """Stand in line: the fence first, then the relay."""
        spool = None if network.hold is None else spool_of(network.hold)
        firewall = Firewall(fence_of(network, uplink, self._gateway.network, self._gateway.mode))
        self._fenced = Fenced(firewall, lambda event: self._record((event,), event.at), self._say)
        self._gateway.air.on_name = self._fenced.heard_name
        if not _is_there(uplink):
            self._say(f"{uplink} (uplink) is not there now; nothing passes until it is")
        inspection = Inspection(self._gateway, self._post.record, spool=spool, splice=network.splice)
        inspection.before = self._listen
        self._inspection = inspection
        stack.callback(self._hang_up)
        self._relay = Relay.open(network.tbox, network.port, uplink, inspection, self._flow)
        self._gateway.air.in_line = True

    def _hang_up(self) -> None:
        if self._relay is not None:
            self._relay.close()

    def _back(self) -> None:
        """The T-box's interface has come back: what listened on the one before it hears nothing any more."""
        network, inspection = self._network, self._inspection
        self._returns = self._sniffer.returns
        if inspection is None or network.uplink is None:
            return
        self._hang_up()
        self._relay = None
        self._relay = Relay.open(network.tbox, network.port, network.uplink, inspection, self._flow)
        self._say(f"{network.tbox} has come back; the relay listens there again")

    def work(self, read: Callable[[], Wanted], stop: Stop) -> None:
        """Work until stopped."""
        reload = Reload(self._post, read, self._adopt, self._enter)
        supervised = Supervised()
        supervised.ready()
        self._say(self._standing())
        while stop():
            if self._relay is not None:
                self._relay.turn(TURN_S)
            else:
                self._sniffer.wait(TURN_S)
            now = time.monotonic_ns()
            mode = self._gateway.mode
            self._hand.look(now)
            if self._gateway.mode is not mode and (why := self._refenced()):
                self._say(why)
            self._listen()
            if self._exchange is not None:
                for said in self._exchange.hear():
                    talk.learn(self._gateway.situation, said, now)
            self._post.idle(now)
            supervised.works(now)
            if stop.again:
                self._say(reload.ask(now, self._hand.ordinary))
            reload.look(now)
            if now - self._slow >= SLOWLY_NS:
                self._slow = now
                self._slowly(now)
        now = time.monotonic_ns()
        self._memory.keep(self._gateway.air.novelty)
        self._post.finish(now)

    # ------------------------------------------------------------------ what comes in

    def _listen(self) -> None:
        """All that the interface has heard by now."""
        offset = time.time_ns() - time.monotonic_ns()
        packets = self._sniffer.read(0)
        if not packets:
            self._sniffer.again()
        for packet in packets:
            if self._ring is not None:
                self._ring.keep(packet, 0, self._network.tbox)
            self._take(packet._replace(at=packet.at - offset))
        self._keep_outside()

    def _keep_outside(self) -> None:
        """What the uplink has heard, also what is cut out of it: kept as evidence, and read by nobody."""
        if self._outside is None or self._ring is None:
            return
        packets = self._outside.read(0)
        if not packets:
            self._outside.again()
        for packet in packets:
            self._ring.keep(packet, 0, self._outside.name)

    def _take(self, unit: Packet | Sms) -> None:
        outcome = self._gateway.receive(unit)
        if outcome.events:
            self._post.record(outcome.events, unit.at)

    def _slowly(self, now: int) -> None:
        if self._fenced is not None:
            self._fenced.keep(now)
            if self._behind and (why := self._refenced()):
                self._say(why)
        if self._sniffer.returns != self._returns:
            self._back()
        self._hear_modems()
        if self._ring is not None:
            self._ring.tick(time.time_ns())
        if self._exchange is not None and self._exchange.unsaid:
            self._exchange.unsaid = 0
        self._losses(now)
        if now - self._kept >= MEMORY_EVERY_NS:
            self._kept = now
            self._memory.keep(self._gateway.air.novelty)

    def _hear_modems(self) -> None:
        for _ in range(64):
            news = None if self._modems is None else self._modems.poll(0)
            match news:
                case Sms():
                    if self._ring is not None:
                        self._ring.keep(news, time.time_ns() - time.monotonic_ns(), "sms")
                    self._take(news)
                case ModemState():
                    self._record(self._gateway.cellular.changed(news), news.at)
                case None:
                    return
                case _:
                    if not news.available:
                        self._say(f"no modem can be watched: {news.reason}")

    def _record(self, events: Iterable[Event], now: int) -> None:
        told = tuple(events)
        if told:
            self._post.record(told, now)

    def _flow(self, event: FlowEvent) -> None:
        if event.what is Happening.FAULT:
            self._say(f"a conversation could not be judged and was ended: {event.detail}")
            self._record((Loss(event.at, {"relay_faults": 1}),), event.at)

    def _losses(self, now: int) -> None:
        """What was lost on the way here, since it was last told."""
        counts = {f"capture_{name}": count for name, count in self._sniffer.losses().items()}
        if self._outside is not None:
            counts |= {f"uplink_{name}": count for name, count in self._outside.losses().items()}
        if self._ring is not None:
            counts |= {f"evidence_{name}": count for name, count in self._ring.losses().items()}
        if self._modems is not None:
            counts |= {f"modem_{name}": count for name, count in self._modems.losses().items()}
        fresh = {name: count for name, count in counts.items() if count > self._told.get(name, 0)}
        if fresh:
            self._told |= fresh
            self._record((Loss(now, fresh),), now)

    # ------------------------------------------------------------------ what the operator sets

    def _adopt(self, wanted: Wanted, now: int) -> str:
        self._post.record((self._gateway.adopt(wanted.adopted.policy, now, signed=True),), now)
        for grant in wanted.grants:
            self._post.record(self._gateway.grant(grant, now), now)
        return self._refenced()

    def _refenced(self) -> str:
        """Have the kernel follow; why it does not."""
        network, uplink, gateway = self._network, self._network.uplink, self._gateway
        if self._fenced is None or uplink is None:
            return ""
        why = self._fenced.change(lambda: fence_of(network, uplink, gateway.network, gateway.mode))
        self._behind = bool(why)
        return why

    def _enter(self, mode: Mode, now: int) -> None:
        if self._fenced is None and self._network.uplink is not None and mode is not Mode.OBSERVE:
            raise BridgeError("nothing stands in line since it began in observe. Next: restart busgate net")
        self._hand.ordinary = mode
        if self._gateway.mode is not Mode.LOCAL:
            self._post.record((self._gateway.set_mode(mode, now, by="settings", reason="read again"),), now)
        if why := self._refenced():
            self._say(why)
        self._say(self._standing())

    # ------------------------------------------------------------------ what is remembered and exchanged

    def _join(self, network: Air, stack: ExitStack) -> Exchange | None:
        if network.exchange is None:
            return None
        made = Exchange(Path(network.exchange), talk.AIR, talk.FRAMES)
        stack.callback(made.close)
        self._gateway.air.updates = Telling(made)
        here = self._gateway.air.causality.over_the_air

        def both(trigger: Trigger) -> None:
            here(trigger)
            made.say(**talk.said_of(trigger))

        self._gateway.air.on_trigger = both
        return made

    def _standing(self) -> str:
        mode = self._gateway.mode.value
        if self._relay is None:
            said = f"{mode}: listening to {self._network.tbox}; nothing is stopped here"
            earlier = "; a fence that an earlier run left stays until busgate net --clear"
            return said if self._network.uplink is None else said + earlier
        between = f"between {self._network.tbox} (T-box) and {self._network.uplink} (uplink)"
        return f"{mode} {between}: the kernel drops what no rule names, the relay judges the rest"


def _outside_of(uplink: str | None, stack: ExitStack) -> Sniffer | None:
    """What listens to the uplink; it may come later, or come and go."""
    if uplink is None:
        return None
    made = Sniffer(Side.TAP, uplink, Listening())
    made.again()
    stack.callback(made.close)
    return made


def _is_there(interface: str) -> bool:
    try:
        socket.if_nametoindex(interface)
    except OSError:
        return False
    return True
