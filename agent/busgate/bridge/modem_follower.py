"""ModemManager's objects and signals to short messages and modem states, whatever brings the signals.

Law: it only reads: properties, the list of objects, and GetLocation. It sends nothing, deletes nothing, sets nothing.
Whatever comes over the bus is read or left out; nothing raises but the link's own fault. Memory is bounded: 16 modems,
and what `Messages` holds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from busgate.bridge import modem_words as words
from busgate.bridge.modem_messages import PROPERTIES, SMS, Link, Messages, Told
from busgate.bridge.modem_words import mapping, remember, text, texts, whole
from busgate.bridge.port import BridgeError
from busgate.model import ModemService, ModemState, Sms

SERVICE = "org.freedesktop.ModemManager1"
ROOT = "/org/freedesktop/ModemManager1"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
MODEM = f"{SERVICE}.Modem"
GPP = f"{MODEM}.Modem3gpp"
MESSAGING = f"{MODEM}.Messaging"
LOCATION = f"{MODEM}.Location"
SIM = f"{SERVICE}.Sim"

SIGNAL_STEP = 10
"""Signal quality breathes; a change of fewer percent points is no news by itself."""

_MODEMS = 16
_SILENT = frozenset({"at", "changed"})

Tables = Mapping[str, Mapping[str, Any]]
"""An object: its interfaces, each with its properties."""

News = Sms | ModemState | ModemService


class Signal(NamedTuple):
    """A signal of ModemManager's, its values without their D-Bus types."""

    path: str
    interface: str
    member: str
    body: tuple[Any, ...]


class Memory:
    """What outlives a restart of ModemManager: the modems as last told, and the messages told."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.modems: OrderedDict[str, ModemState] = OrderedDict()
        self.told: Told = OrderedDict()


class Follower:
    """One run of ModemManager's. `tell` takes the news in their order.

    `only` names the modems to follow (IMEI, device identifier, device or primary port); empty for all of them.
    `since` is Unix time in ns: stored messages whose time stamp is older are not told.
    """

    def __init__(  # noqa: PLR0913 - one parameter a neighbour
        self,
        link: Link,
        tell: Callable[[News], None],
        now: Callable[[], int],
        memory: Memory,
        *,
        only: Collection[str] = (),
        since: int | None = None,
    ) -> None:
        """Nothing is read before `begin`."""
        self._link, self._tell, self._now, self._memory = link, tell, now, memory
        self._only = frozenset(only)
        self._objects: dict[str, dict[str, dict[str, Any]]] = {}
        self._names: dict[str, str] = {}
        self._silent: set[str] = set()
        self._messages = Messages(link, tell, now, memory.told, since)

    async def found(self) -> Mapping[Any, Any]:
        """What is there already, for `begin`. Raises BridgeError when ModemManager does not say it."""
        managed = await self._link.call(ROOT, OBJECTS, "GetManagedObjects")
        if not isinstance(managed, Mapping):
            raise BridgeError("ModemManager does not show its modems. Next: mmcli -L, as the user that busgate runs as")
        return managed

    async def begin(self, managed: Mapping[Any, Any]) -> None:
        """Take in what was found."""
        for path, tables in sorted(managed.items()):
            await self._appeared(path, mapping(tables))

    async def take(self, signal: Signal) -> None:
        """Follow one signal; those of objects that are not followed are nothing."""
        match signal:
            case Signal(_, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", (str(path), dict(tables))):
                await self._appeared(path, tables)
            case Signal(_, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", (str(path), list(gone))):
                self._vanished(path, gone)
            case Signal(
                path, "org.freedesktop.DBus.Properties", "PropertiesChanged", (str(name), dict(new), list(old))
            ):
                await self._changed(path, name, new, old)
            case Signal(path, interface, "Added", (str(message), bool(received))) if interface == MESSAGING:
                if path in self._names:
                    await self._messages.found(message, stored=not received)
            case Signal(_, interface, "Deleted", (str(message), *_)) if interface == MESSAGING:
                await self._messages.deleted(message)
            case _:
                return

    async def tick(self) -> None:
        """Called now and then: what has waited too long is told."""
        await self._messages.tick()

    def leave(self) -> None:
        """ModemManager is gone: what was waited for is told."""
        self._messages.leave()

    async def _appeared(self, path: str, tables: Tables) -> None:
        objects = self._objects.setdefault(path, {})
        fresh = MODEM not in objects and MODEM in tables
        objects.update({name: dict(mapping(values)) for name, values in tables.items()})
        modem = objects.get(MODEM)
        if modem is None or (self._only and not self._only & _names(modem)) or len(self._objects) > _MODEMS:
            del self._objects[path]
            return
        if fresh or MODEM in tables:
            self._names[path] = _name(modem, path)
            await self._read_sim(path)
        if LOCATION in tables:
            await self._read_location(path)
        self._tell_modem(path, "added" if fresh else "")
        for message in texts(objects.get(MESSAGING, {}).get("Messages")) if MESSAGING in tables else ():
            await self._messages.found(message, stored=True)

    def _vanished(self, path: str, interfaces: list[Any]) -> None:
        objects = self._objects.get(path, {})
        for name in interfaces:
            objects.pop(str(name), None)
        if MODEM in objects or path not in self._names:
            self._tell_modem(path, "")
            return
        self._objects.pop(path, None)
        self._silent.discard(path)
        last = self._memory.modems.get(self._names.pop(path))
        if last is not None:
            self._tell(last._replace(at=self._now(), state="removed", changed=("removed",)))

    async def _changed(self, path: str, interface: str, new: Mapping[str, Any], old: list[Any]) -> None:
        if interface == SMS:
            await self._messages.changed(path)
            return
        if interface == SIM:
            for modem in [each for each, tables in self._objects.items() if tables[MODEM].get("Sim") == path]:
                self._objects[modem].setdefault(SIM, {}).update(new)
                self._tell_modem(modem, "")
            return
        tables = self._objects.get(path)
        if tables is None:
            return
        if old:
            new = {**mapping(await self._link.call(path, PROPERTIES, "GetAll", "s", interface)), **new}
        tables.setdefault(interface, {}).update(new)
        if interface == MODEM and "EquipmentIdentifier" in new:
            self._names[path] = _name(tables[MODEM], path)
        if interface == MODEM and "Sim" in new:
            await self._read_sim(path)
        if interface in {GPP, LOCATION} or "AccessTechnologies" in new:
            await self._read_location(path)
        self._tell_modem(path, "")

    async def _read_sim(self, path: str) -> None:
        """The SIM is an object of its own; `/` stands for none."""
        sim = self._objects[path][MODEM].get("Sim")
        read = await self._link.call(sim, PROPERTIES, "GetAll", "s", SIM) if isinstance(sim, str) and sim != "/" else {}
        if path in self._objects:
            self._objects[path][SIM] = dict(mapping(read))

    async def _read_location(self, path: str) -> None:
        """The cell, where somebody has switched that source on; switching it on is not ours to do.

        The property holds it only where the modem signals locations; else it has to be asked for. A modem that does not
        answer is not asked again: a cell is not worth the wait, in which no message would be heard.
        """
        location = self._objects[path].get(LOCATION, {})
        signalled = not whole(location.get("Enabled")) & words.LAC_CI or location.get("SignalsLocation") is True
        if signalled or path in self._silent:
            return
        try:
            read = await self._link.call(path, LOCATION, "GetLocation")
        except BridgeError:
            self._silent.add(path)
            return
        if isinstance(read, Mapping):
            location["Location"] = dict(read)

    def _tell_modem(self, path: str, happened: str) -> None:
        tables, name = self._objects.get(path), self._names.get(path)
        if tables is None or name is None:
            return
        state = _state(name, tables, self._now())
        last = self._memory.modems.get(name)
        changed = () if last is None else _differences(last, state)
        if happened or last is None:  # of a modem that came its own state is no news, and all is new of an unknown one
            changed = (happened or "added", *(field for field in changed if field != "state"))
        if changed:
            remember(self._memory.modems, name, state, _MODEMS)
            self._tell(state._replace(changed=changed))


def _state(name: str, tables: Tables, at: int) -> ModemState:
    modem, gpp, sim = tables[MODEM], tables.get(GPP, {}), tables.get(SIM, {})
    location = tables.get(LOCATION, {})
    registration, roaming = words.registration_of(gpp.get("RegistrationState"))
    quality = modem.get("SignalQuality")
    enabled = whole(location.get("Enabled")) & words.LAC_CI
    lac, cell = words.cell_of(mapping(location.get("Location")).get(words.LAC_CI)) if enabled else (None, None)
    return ModemState(
        at=at,
        modem=name,
        iccid=text(sim.get("SimIdentifier")),
        imsi=text(sim.get("Imsi")),
        operator_code=text(gpp.get("OperatorCode")),
        operator_name=text(gpp.get("OperatorName")),
        registration=registration,
        roaming=roaming,
        state=words.state_word(modem.get("State")),
        technology=words.technology_words(modem.get("AccessTechnologies")),
        signal=quality[0] if isinstance(quality, (list, tuple)) and quality and isinstance(quality[0], int) else None,
        lac=lac,
        cell=cell,
    )


def _names(modem: Mapping[str, Any]) -> frozenset[str]:
    """All that a modem can be called by."""
    fields = ("EquipmentIdentifier", "DeviceIdentifier", "Device", "PrimaryPort")
    return frozenset(name for field in fields if (name := text(modem.get(field))))


def _name(modem: Mapping[str, Any], path: str) -> str:
    return text(modem.get("EquipmentIdentifier")) or text(modem.get("DeviceIdentifier")) or path


def _differences(last: ModemState, state: ModemState) -> tuple[str, ...]:
    """The fields that changed; none where the signal only breathed."""
    changed = tuple(
        field
        for field, before, now in zip(state._fields, last, state, strict=True)
        if field not in _SILENT and now != before
    )
    breathed = None not in {last.signal, state.signal} and abs((state.signal or 0) - (last.signal or 0)) < SIGNAL_STEP
    return () if changed == ("signal",) and breathed else changed
