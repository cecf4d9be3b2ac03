"""A ModemManager of python-dbusmock on a bus of its own: nothing of this machine's buses is touched.

Law: what has no counterpart in dbusmock (Messaging, Sms, Sim) is added object by object, as ModemManager shows it. Both
processes are ended by their own ids. Source of interfaces and types: ModemManager's D-Bus reference, 1.22.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

SERVICE = "org.freedesktop.ModemManager1"
ROOT = "/org/freedesktop/ModemManager1"
MODEM, SIM, SMS = f"{SERVICE}.Modem", f"{SERVICE}.Sim", f"{SERVICE}.Sms"
GPP, MESSAGING, LOCATION = f"{MODEM}.Modem3gpp", f"{MODEM}.Messaging", f"{MODEM}.Location"
MOCK = "org.freedesktop.DBus.Mock"
MOCK_OWN = "org.example.Change"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
PYTHON = "/usr/bin/python3"
"""The system's own, for which Debian's python3-dbusmock is installed."""

DAEMON = shutil.which("dbus-daemon")
Values = Mapping[str, Variant]


def missing() -> str:
    """Why no such ModemManager can be had here, or ""."""
    if DAEMON is None:
        return "dbus-daemon is not installed here (apt-get install dbus-daemon)"
    found = Path(PYTHON).exists() and subprocess.run(
        [PYTHON, "-c", "import dbusmock"], capture_output=True, check=False
    )
    return (
        "" if found and found.returncode == 0 else "dbusmock is not installed here (apt-get install python3-dbusmock)"
    )


class PrivateBus:
    """A bus at a socket in a folder; it can end and come back at the same address."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:path={folder / 'bus'}"
        self._socket = folder / "bus"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert DAEMON is not None
        self._socket.unlink(missing_ok=True)
        command = [DAEMON, "--session", "--nofork", "--nopidfile", f"--address={self.address}"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(self._answers)

    def stop(self) -> None:
        ended(self._process)
        self._process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as wire:
            return wire.connect_ex(str(self._socket)) == 0


class MockManager:
    """ModemManager's name on a bus, and what stands behind it."""

    def __init__(self, bus: PrivateBus, log: Path, name: str = SERVICE) -> None:
        self._bus, self._log, self._name = bus, log, name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Without modems, until `add_modem`."""
        command = [PYTHON, "-m", "dbusmock", "--session", "-m", "-l", str(self._log), self._name, ROOT, SERVICE]
        self._process = subprocess.Popen(command, env={"DBUS_SESSION_BUS_ADDRESS": self._bus.address})
        until(lambda: self._told(ROOT, "org.freedesktop.DBus.Peer", "Ping", "") is not None)

    def stop(self) -> None:
        ended(self._process)
        self._process = None

    def add_modem(self, number: int = 0, imei: str = "350000000000001", *, sim: int = 0, **changes: Variant) -> str:
        """A modem with its SIM, registered at home. The Messaging methods that alter something are there to be seen."""
        path = f"{ROOT}/Modem/{number}"
        values = {
            "EquipmentIdentifier": Variant("s", imei),
            "DeviceIdentifier": Variant("s", f"device-{number}"),
            "Device": Variant("s", f"/sys/devices/usb/{number}"),
            "PrimaryPort": Variant("s", f"cdc-wdm{number}"),
            "Sim": Variant("o", f"{ROOT}/SIM/{sim}"),
            "State": Variant("i", 8),
            "AccessTechnologies": Variant("u", 1 << 14),
            "SignalQuality": Variant("(ub)", [70, True]),
            **changes,
        }
        self.add_object(path, MODEM, values)
        network = {
            "RegistrationState": Variant("u", 1),
            "OperatorCode": Variant("s", "20404"),
            "OperatorName": Variant("s", "Network A"),
        }
        self._mock(path, "AddProperties", "sa{sv}", GPP, network)
        messages = {"Messages": Variant("ao", [])}
        self._mock(path, "AddProperties", "sa{sv}", MESSAGING, messages)
        for name in ("Delete", "Create", "SetDefaultStorage"):
            self._mock(path, "AddMethod", "sssss", MESSAGING, name, "", "", "")
        place = {
            "Enabled": Variant("u", 0),
            "SignalsLocation": Variant("b", False),
            "Location": Variant("a{uv}", {}),
        }
        self._mock(path, "AddProperties", "sa{sv}", LOCATION, place)
        self._mock(
            path, "AddMethod", "sssss", LOCATION, "GetLocation", "", "a{uv}", "ret = {1: '204,04,FFFE,1D30156,85CD'}"
        )
        self._mock(path, "AddMethod", "sssss", LOCATION, "Setup", "ub", "", "")
        tables = {MODEM: values, GPP: network, MESSAGING: messages, LOCATION: place}
        added = [Variant("o", path), Variant("a{sa{sv}}", tables)]
        self._mock(ROOT, "EmitSignal", "sssav", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", added)
        return path

    def add_sim(self, number: int = 0, iccid: str = "8931000000000000001", imsi: str = "204040000000001") -> str:
        path = f"{ROOT}/SIM/{number}"
        self.add_object(path, SIM, {"SimIdentifier": Variant("s", iccid), "Imsi": Variant("s", imsi)})
        return path

    def add_sms(self, modem: str, number: int, *, received: bool = True, **fields: Any) -> str:
        """A message, announced as ModemManager does: `received` is False for one of our own and for stored ones."""
        path = f"{ROOT}/SMS/{number}"
        values: dict[str, Any] = {
            "State": 3, "PduType": 1, "Number": "+31600000001", "Text": "", "Data": b"",
            "Timestamp": "2026-11-25T10:00:00+01", "Storage": 2, **fields,
        }  # fmt: skip
        types = {"State": "u", "PduType": "u", "Storage": "u", "Data": "ay"}
        self.add_object(path, SMS, {name: Variant(types.get(name, "s"), value) for name, value in values.items()})
        self._mock(path, "AddMethods", "sa(ssss)", SMS, [["Send", "", "", ""], ["Store", "u", "", ""]])
        self._mock(modem, "EmitSignal", "sssav", MESSAGING, "Added", "ob", [Variant("o", path), Variant("b", received)])
        return path

    def delete_sms(self, modem: str, path: str) -> None:
        self._mock(ROOT, "RemoveObject", "s", path)
        self._mock(modem, "EmitSignal", "sssav", MESSAGING, "Deleted", "o", [Variant("o", path)])

    def remove_modem(self, path: str) -> None:
        self._mock(ROOT, "RemoveObject", "s", path)
        gone = [Variant("o", path), Variant("as", [MODEM, GPP, MESSAGING, LOCATION])]
        self._mock(ROOT, "EmitSignal", "sssav", OBJECTS, "InterfacesRemoved", "oas", gone)

    def add_object(self, path: str, interface: str, values: Values) -> None:
        self._mock(ROOT, "AddObject", "ssa{sv}a(ssss)", path, interface, dict(values), [])

    def update(self, path: str, interface: str, **values: Variant) -> None:
        """Change properties, with the signal of it (dbusmock's own way knows neither paths nor structures)."""
        code = f"self.props[{interface!r}].update(args[0])"
        self._mock(path, "AddMethod", "sssss", MOCK_OWN, "Change", "a{sv}", "", code)
        assert self._told(path, MOCK_OWN, "Change", "a{sv}", values) is not None
        changed = [Variant("s", interface), Variant("a{sv}", values), Variant("as", [])]
        self._mock(path, "EmitSignal", "sssav", PROPERTIES, "PropertiesChanged", "sa{sv}as", changed)

    def calls(self, path: str) -> list[str]:
        """The methods, but those of properties and objects, that were called at a path."""
        return [name for _, name, _ in self._told(path, MOCK, "GetCalls", "").body[0] if name != "Change"]

    def _mock(self, path: str, member: str, signature: str, *body: Any) -> None:
        assert self._told(path, MOCK, member, signature, *body) is not None, f"{member} at {path} was refused"

    def _told(self, path: str, interface: str, member: str, signature: str, *body: Any) -> Any:
        """A call from a connection of its own; None when it is refused."""

        async def told() -> Message | None:
            bus = await MessageBus(bus_address=self._bus.address).connect()
            try:
                message = Message(
                    destination=self._name, path=path, interface=interface, member=member, signature=signature,
                    body=list(body),
                )  # fmt: skip
                return await bus.call(message)
            finally:
                bus.disconnect()

        reply = asyncio.run(told())
        return reply if reply is not None and reply.message_type is MessageType.METHOD_RETURN else None


def ended(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        process.wait(10)


def until(holds: Any, seconds: float = 10.0) -> None:
    """Wait for something of another process."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)
