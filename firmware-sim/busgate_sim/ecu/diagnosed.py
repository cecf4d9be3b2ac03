"""The control units' diagnostics on their wire: who is asked by which identifier, and whom the answer goes to.

Law: an ECU answers whoever asks; with 29-bit identifiers each tester's address is a conversation of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from busgate.model import EXTENDED, IDENTIFIER
from busgate_sim.ecu.isotp import Endpoint
from busgate_sim.ecu.isotp_frames import Address, normal_fixed
from busgate_sim.ecu.says import ADDRESSES
from busgate_sim.ecu.uds.offers import Offers
from busgate_sim.ecu.uds.server import Server
from busgate_sim.encoder import Sent
from busgate_sim.wire import Outlet
from busgate_sim.world import World

IDENTIFIERS = {"BODY": (0x710, 0x718), "HVAC": (0x711, 0x719)}
"""Those that are asked by 11-bit identifiers: request and answer. All others are asked by their J1939 address."""

TO_ALL_11, TO_ALL_29 = 0x7DF, 0xFF

_PHYSICAL, _FUNCTIONAL = 0xDA, 0xDB


class Diagnosed:
    """All ECUs' diagnostics on one wire."""

    def __init__(
        self,
        world: World,
        outlets: Mapping[str, Outlet],
        offers: Mapping[str, Offers],
        speaks: Callable[[str, bool], None],
    ) -> None:
        """Answers go out by each ECU's own outlet; `speaks` is told whose cyclic messages come and go."""
        self.servers: dict[str, Server] = {}
        self._world = world
        self._outlets = outlets
        self._by_address = {ADDRESSES[name]: name for name in offers if name not in IDENTIFIERS}
        self._by_identifier: dict[int, list[Endpoint]] = {TO_ALL_11: []}
        self._conversations: dict[tuple[str, int], Endpoint] = {}
        for name, each in offers.items():
            each.speaks = partial(speaks, name)
            self.servers[name] = Server(world, each)
        for name, (request, answer) in IDENTIFIERS.items():
            endpoint = self._endpoint(name, Address(answer, request, TO_ALL_11))
            self._by_identifier[request] = [endpoint]
            self._by_identifier[TO_ALL_11].append(endpoint)

    def hear(self, sent: Sent) -> None:
        """Take a frame of the wire."""
        identifier = sent.can_id & IDENTIFIER
        if not sent.can_id & EXTENDED:
            for endpoint in self._by_identifier.get(identifier, ()):
                endpoint.hear(sent)
            return
        kind = identifier >> 16 & 0x3FF
        if kind in {_PHYSICAL, _FUNCTIONAL}:
            for name in self._asked(kind, identifier >> 8 & 0xFF):
                self._converse(name, identifier & 0xFF, sent, physical=kind == _PHYSICAL)

    def _asked(self, kind: int, target: int) -> Iterable[str]:
        if kind == _FUNCTIONAL:
            return self._by_address.values() if target == TO_ALL_29 else ()
        return (self._by_address[target],) if target in self._by_address else ()

    def _converse(self, name: str, tester: int, sent: Sent, *, physical: bool) -> None:
        endpoint = self._conversations.get((name, tester))
        if endpoint is None:
            endpoint = self._endpoint(name, normal_fixed(ADDRESSES[name], tester, to_all=TO_ALL_29))
            self._conversations[name, tester] = endpoint
        # Any priority is heard (ISO 15765-2, 10.3.3), while the endpoint knows the usual one only.
        heard = endpoint.address.hears if physical else endpoint.address.to_all
        endpoint.hear(Sent(heard or 0, sent.data, sent.flags))

    def _endpoint(self, name: str, address: Address) -> Endpoint:
        endpoint = Endpoint(self._world, self._outlets[name], address, _unheard)
        server = self.servers[name]
        endpoint.received = partial(server.ask, reply=endpoint.send)
        endpoint.received_by_all = partial(server.ask, reply=endpoint.send, to_all=True)
        return endpoint


def _unheard(_: bytes) -> None:
    """Replaced before anything is heard."""
