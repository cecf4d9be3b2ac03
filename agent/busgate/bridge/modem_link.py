"""One connection to the bus on which ModemManager is, through dbus-fast.

Law: every fault of the bus, and every answer that does not come in time, is a BridgeError; a call that ModemManager
refuses answers None. Only calls that read are made by whoever uses this; nothing is started by asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from dbus_fast import BusType, Message, MessageFlag, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError
from dbus_fast.unpack import unpack_variants

from busgate.bridge.modem_follower import SERVICE, Signal
from busgate.bridge.port import BridgeError

ANSWER_S = 10.0
"""How long ModemManager may take to answer; a modem that is busy answers late."""

TICK_S = 15.0
_SIGNALS = 4096
_DBUS = "org.freedesktop.DBus"
_DBUS_PATH = "/org/freedesktop/DBus"


class Heard(NamedTuple):
    """A signal, and whose it is (a unique name of the bus)."""

    sender: str
    signal: Signal


class Link:
    """One connection; `address` None is the system bus.

    What it hears stands in line: signals, and as a text the new owner of ModemManager's name ("" for nobody).
    """

    def __init__(self, address: str | None) -> None:
        """Nothing is opened yet."""
        self._address = address
        self._bus: MessageBus | None = None
        self._line: asyncio.Queue[Heard | str] = asyncio.Queue(_SIGNALS)
        self._overrun = False
        self._gone: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and subscribe."""
        with self._faults():
            self._bus = MessageBus(bus_address=self._address, bus_type=BusType.SYSTEM)
            await asyncio.wait_for(self._bus.connect(), ANSWER_S)
        self._bus.add_message_handler(self._take)
        self._gone = asyncio.create_task(_ended(self._bus))
        for rule in (
            f"type='signal',sender='{SERVICE}'",
            f"type='signal',sender='{_DBUS}',member='NameOwnerChanged',arg0='{SERVICE}'",
        ):
            await self._ask(_DBUS, _DBUS_PATH, _DBUS, "AddMatch", "s", rule)

    def close(self) -> None:
        """Let go."""
        if self._gone is not None:
            self._gone.cancel()
        if self._bus is not None and self._bus.connected:
            self._bus.disconnect()

    async def owner(self) -> str:
        """Whose ModemManager's name is; "" where nobody's."""
        reply = await self._ask(_DBUS, _DBUS_PATH, _DBUS, "GetNameOwner", "s", SERVICE)
        return reply if isinstance(reply, str) else ""

    async def next_owner(self) -> str:
        """Wait until somebody has the name."""
        while True:
            heard = await self.heard(TICK_S)
            if isinstance(heard, str) and heard:
                return heard

    async def heard(self, seconds: float) -> Heard | str | None:
        """The next in line, or None after some seconds."""
        if self._overrun:
            raise BridgeError(f"more came over {self._where} than could be read; it is all read anew")
        if not self._line.empty():
            return self._line.get_nowait()
        waits = asyncio.create_task(self._line.get())
        try:
            await asyncio.wait(
                {waits} if self._gone is None else {waits, self._gone},
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waits.done():
                return waits.result()
        finally:
            waits.cancel()
        if self._gone is not None and self._gone.done():
            raise BridgeError(f"{self._where} has ended. Next: systemctl status dbus")
        return None

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        """As `modem_follower.Link` has it."""
        return await self._ask(SERVICE, path, interface, member, signature, *body)

    async def _ask(self, to: str, path: str, interface: str, member: str, signature: str, *body: Any) -> Any:
        with self._faults():
            if self._bus is None:
                return None
            message = Message(
                destination=to,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
                flags=MessageFlag.NO_AUTOSTART,
            )
            reply = await asyncio.wait_for(self._bus.call(message), ANSWER_S)
        if reply is None or reply.message_type is not MessageType.METHOD_RETURN or not reply.body:
            return None
        return unpack_variants(reply.body[0])

    def _take(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        body = tuple(unpack_variants(message.body))
        if message.sender != _DBUS:
            signal = Signal(message.path or "", message.interface or "", message.member or "", body)
            self._line_up(Heard(message.sender or "", signal))
        elif message.member == "NameOwnerChanged" and len(body) == 3 and body[0] == SERVICE:
            self._line_up(str(body[2]))

    def _line_up(self, heard: Heard | str) -> None:
        try:
            self._line.put_nowait(heard)
        except asyncio.QueueFull:
            self._overrun = True

    @property
    def _where(self) -> str:
        return "the system bus" if self._address is None else f"the bus at {self._address}"

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Faults of the bus in words."""
        try:
            yield
        except TimeoutError:
            raise BridgeError(f"{self._where} does not answer. Next: systemctl status dbus ModemManager") from None
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise BridgeError(
                f"{self._where} cannot be reached ({reason}). Next: apt-get install dbus modemmanager"
            ) from None
        except EOFError:
            raise BridgeError(f"{self._where} has ended. Next: systemctl status dbus") from None
        except DBusFastError as fault:
            raise BridgeError(
                f"{self._where} cannot be used ({fault}). Next: check its address, and who may connect to it"
            ) from None


async def _ended(bus: MessageBus) -> None:
    """Done when the bus has gone, however it went."""
    with suppress(OSError, EOFError, DBusFastError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
