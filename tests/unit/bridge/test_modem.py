"""What ModemManager shows becomes news: once each, whole, in order, whatever it shows. A fake stands in for the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busgate.bridge import modem_words as words
from busgate.bridge.modem import Modems, Pause
from busgate.bridge.modem_follower import (
    GPP,
    LOCATION,
    MESSAGING,
    MODEM,
    OBJECTS,
    SIGNAL_STEP,
    SIM,
    Follower,
    Memory,
    News,
    Signal,
)
from busgate.bridge.modem_messages import INCOMPLETE_NS, PROPERTIES, SMS
from busgate.bridge.port import BridgeError
from busgate.model import ModemService, ModemState, Side, Sms

PATH = "/org/freedesktop/ModemManager1/Modem/0"
CARD = "/org/freedesktop/ModemManager1/SIM/0"
TEXT = "/org/freedesktop/ModemManager1/SMS/0"
IMEI = "350000000000001"
READS = {"GetManagedObjects", "GetAll", "GetLocation"}


def modem(**changes: Any) -> dict[str, Any]:
    return {
        MODEM: {
            "EquipmentIdentifier": IMEI,
            "DeviceIdentifier": "d1",
            "PrimaryPort": "cdc-wdm0",
            "Sim": CARD,
            "State": 8,
            "AccessTechnologies": 1 << 14,
            "SignalQuality": [60, True],
            **changes,
        },
        GPP: {"RegistrationState": 1, "OperatorCode": "20404", "OperatorName": "Network A"},
        MESSAGING: {"Messages": []},
        LOCATION: {"Enabled": 0, "SignalsLocation": False, "Location": {}},
    }


def sms(**changes: Any) -> dict[str, Any]:
    return {
        "State": 3,
        "PduType": 1,
        "Number": "+31600000001",
        "Text": "<CMD>CUT</CMD>",
        "Data": b"",
        "Timestamp": "2026-11-25T10:00:00+01",
        "Storage": 2,
        **changes,
    }


@dataclass
class FakeManager:
    """A ModemManager in memory: objects by path, and what a modem answers to GetLocation."""

    managed: Any = field(default_factory=lambda: {PATH: modem()})
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    location: Any = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        del interface, signature
        self.asked.append((path, member))
        match member:
            case "GetManagedObjects":
                return self.managed
            case "GetLocation":
                if isinstance(self.location, BridgeError):
                    raise self.location
                return self.location
            case "GetAll":
                return self.objects.get(path) if body[0] in {SIM, SMS} else self.managed[path].get(body[0])
        raise AssertionError(f"{member} alters something")


class Scene:
    """A follower of a fake, on a clock that is a number."""

    def __init__(self, manager: FakeManager | None = None, memory: Memory | None = None, **options: Any) -> None:
        self.manager = manager or FakeManager()
        self.manager.objects.setdefault(CARD, {"SimIdentifier": "8931000000000000001", "Imsi": "204040000000001"})
        self.now = 1000
        self.told: list[News] = []
        self.memory = memory or Memory()
        self.follower = Follower(self.manager, self.told.append, lambda: self.now, self.memory, **options)

    def run(self, doing: Coroutine[Any, Any, None]) -> list[News]:
        self.told.clear()
        asyncio.run(doing)
        assert {member for _, member in self.manager.asked} <= READS
        return list(self.told)

    def begin(self) -> list[News]:
        async def begun() -> None:
            await self.follower.begin(await self.follower.found())

        return self.run(begun())

    def hear(self, path: str, interface: str, member: str, *body: Any) -> list[News]:
        return self.run(self.follower.take(Signal(path, interface, member, body)))

    def change(self, interface: str, new: dict[str, Any], path: str = PATH, old: Iterable[str] = ()) -> list[News]:
        return self.hear(path, PROPERTIES, "PropertiesChanged", interface, new, list(old))

    def receive(self, path: str = TEXT, *, received: bool = True, **fields: Any) -> list[News]:
        self.manager.objects[path] = sms(**fields)
        return self.hear(PATH, MESSAGING, "Added", path, received)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.begin()
    return made


def test_a_modem_that_is_there_is_told_whole() -> None:
    scene = Scene()
    assert scene.begin() == [
        ModemState(
            at=1000, modem=IMEI, iccid="8931000000000000001", imsi="204040000000001", operator_code="20404",
            operator_name="Network A", registration="home", roaming=False, state="registered", technology="lte",
            signal=60, changed=("added",),
        )
    ]  # fmt: skip


def test_a_manager_that_does_not_show_its_modems_is_a_fault() -> None:
    with pytest.raises(BridgeError, match="Next: mmcli -L"):
        Scene(FakeManager(managed=None)).begin()


def test_another_network_is_told_with_what_changed(scene: Scene) -> None:
    (state,) = scene.change(GPP, {"RegistrationState": 5, "OperatorCode": "26201", "OperatorName": "Network B"})
    assert isinstance(state, ModemState)
    assert (state.roaming, state.registration, state.operator_code) == (True, "roaming", "26201")
    assert set(state.changed) == {"operator_code", "operator_name", "registration", "roaming"}


def test_a_property_that_is_only_said_to_be_old_is_read_anew(scene: Scene) -> None:
    scene.manager.managed[PATH][GPP]["OperatorCode"] = "26202"
    (state,) = scene.change(GPP, {}, old=["OperatorCode"])
    assert isinstance(state, ModemState)
    assert (state.operator_code, state.changed) == ("26202", ("operator_code",))


def test_another_sim_in_the_same_modem_is_told(scene: Scene) -> None:
    other = "/org/freedesktop/ModemManager1/SIM/1"
    scene.manager.objects[other] = {"SimIdentifier": "8986000000000000002", "Imsi": "460000000000002"}
    (state,) = scene.change(MODEM, {"Sim": other})
    assert isinstance(state, ModemState)
    assert (state.iccid, state.imsi, state.changed) == ("8986000000000000002", "460000000000002", ("iccid", "imsi"))


def test_a_sim_taken_out_has_no_numbers(scene: Scene) -> None:
    (state,) = scene.change(MODEM, {"Sim": "/"})
    assert isinstance(state, ModemState)
    assert (state.iccid, state.imsi, state.changed) == ("", "", ("iccid", "imsi"))


def test_an_imsi_that_is_known_after_the_pin_is_told(scene: Scene) -> None:
    (state,) = scene.change(SIM, {"Imsi": "204040000000009"}, path=CARD)
    assert isinstance(state, ModemState)
    assert (state.imsi, state.changed) == ("204040000000009", ("imsi",))


def test_the_signal_breathes_unheard_until_it_has_moved(scene: Scene) -> None:
    assert scene.change(MODEM, {"SignalQuality": [60 + SIGNAL_STEP - 1, True]}) == []
    (state,) = scene.change(MODEM, {"SignalQuality": [60 - SIGNAL_STEP, True]})
    assert isinstance(state, ModemState)
    assert (state.signal, state.changed) == (50, ("signal",))


def test_the_cell_is_asked_for_where_somebody_switched_it_on() -> None:
    manager = FakeManager(location={1: "204,04,FFFE,01D30156,85CD"})
    manager.managed[PATH][LOCATION]["Enabled"] = 1
    scene = Scene(manager)
    (state,) = scene.begin()
    assert isinstance(state, ModemState)
    assert (state.lac, state.cell) == (0x85CD, 0x01D30156)
    manager.location = {1: "204,04,FFFE,01D30157,85CD"}
    (state,) = scene.change(GPP, {"OperatorName": "Network A"})
    assert isinstance(state, ModemState)
    assert (state.cell, state.changed) == (0x01D30157, ("cell",))


def test_a_cell_that_nobody_switched_on_is_not_asked_for(scene: Scene) -> None:
    assert (PATH, "GetLocation") not in scene.manager.asked


def test_a_modem_that_does_not_say_its_cell_is_asked_once_and_followed_all_the_same() -> None:
    manager = FakeManager(location=BridgeError("the bus does not answer"))
    manager.managed[PATH][LOCATION]["Enabled"] = 1
    scene = Scene(manager)
    assert len(scene.begin()) == 1
    assert len(scene.change(GPP, {"OperatorName": "Network B"})) == 1
    assert len(scene.receive()) == 1
    assert manager.asked.count((PATH, "GetLocation")) == 1


def test_a_cell_that_the_modem_signals_is_taken_from_there() -> None:
    manager = FakeManager()
    manager.managed[PATH][LOCATION] = {"Enabled": 3, "SignalsLocation": True, "Location": {1: "310,26,85CD,D30156"}}
    scene = Scene(manager)
    (state,) = scene.begin()
    assert isinstance(state, ModemState)
    assert (state.lac, state.cell) == (0x85CD, 0xD30156)
    (state,) = scene.change(LOCATION, {"Location": {1: "310,26,85CE,D30156"}})
    assert isinstance(state, ModemState)
    assert (state.lac, state.changed) == (0x85CE, ("lac",))
    assert (PATH, "GetLocation") not in manager.asked


def test_a_modem_that_goes_and_comes_back_with_another_sim_says_so(scene: Scene) -> None:
    (gone,) = scene.hear("/", OBJECTS, "InterfacesRemoved", PATH, [MODEM, GPP, MESSAGING, LOCATION])
    assert isinstance(gone, ModemState)
    assert (gone.modem, gone.state, gone.changed) == (IMEI, "removed", ("removed",))
    other = PATH.replace("/0", "/1")
    scene.manager.objects[CARD] = {"SimIdentifier": "8986000000000000002", "Imsi": "460000000000002"}
    (back,) = scene.hear("/", OBJECTS, "InterfacesAdded", other, modem())
    assert isinstance(back, ModemState)
    assert back.changed == ("added", "iccid", "imsi")


def test_a_modem_found_again_after_a_restart_of_modemmanager_is_the_same(scene: Scene) -> None:
    (state,) = Scene(memory=scene.memory).begin()
    assert isinstance(state, ModemState)
    assert state.changed == ("added",)


def test_only_the_modems_that_were_named_are_followed() -> None:
    assert Scene(only=["cdc-wdm1"]).begin() == []
    (state,) = Scene(only=["cdc-wdm0"]).begin()
    assert isinstance(state, ModemState)
    assert state.modem == IMEI


def test_a_message_of_a_modem_that_is_not_followed_is_nothing() -> None:
    scene = Scene(only=["cdc-wdm1"])
    scene.begin()
    assert scene.receive() == []


def test_a_message_received_is_told_as_it_is(scene: Scene) -> None:
    scene.now = 5
    assert scene.receive() == [Sms(5, Side.TBOX, "+31600000001", text="<CMD>CUT</CMD>")]


def test_a_binary_message_keeps_its_bytes(scene: Scene) -> None:
    (told,) = scene.receive(Text="", Data=b"\x7e\x81\x05")
    assert isinstance(told, Sms)
    assert (told.text, told.data) == ("", b"\x7e\x81\x05")


def test_the_same_text_twice_in_a_second_is_two_messages(scene: Scene) -> None:
    assert len(scene.receive()) == 1
    assert len(scene.receive(TEXT.replace("/0", "/1"))) == 1


def test_a_message_announced_twice_is_one(scene: Scene) -> None:
    assert len(scene.receive()) == 1
    assert scene.receive() == []


def test_a_message_in_parts_is_told_when_it_is_whole(scene: Scene) -> None:
    assert scene.receive(State=2, Text="") == []
    assert scene.change(SMS, {"State": 2}, path=TEXT) == []
    scene.manager.objects[TEXT] = sms(Text="part one, part two")
    (told,) = scene.change(SMS, {"State": 3, "Text": "part one, part two"}, path=TEXT)
    assert isinstance(told, Sms)
    assert told.text == "part one, part two"
    assert scene.change(SMS, {"State": 3}, path=TEXT) == []


def test_a_message_that_never_becomes_whole_is_told_as_it_is(scene: Scene) -> None:
    scene.receive(State=2, Text="")
    scene.now += INCOMPLETE_NS - 1
    assert scene.run(scene.follower.tick()) == []
    scene.now += 1
    assert scene.run(scene.follower.tick()) == [Sms(scene.now, Side.TBOX, "+31600000001")]


def test_an_incomplete_message_that_is_deleted_is_told(scene: Scene) -> None:
    scene.receive(State=2, Text="")
    del scene.manager.objects[TEXT]
    (told,) = scene.hear(PATH, MESSAGING, "Deleted", TEXT)
    assert isinstance(told, Sms)
    assert told.number == "+31600000001"


def test_an_incomplete_message_is_told_when_modemmanager_stops(scene: Scene) -> None:
    scene.receive(State=2, Text="")
    scene.told.clear()
    scene.follower.leave()
    assert [type(each) for each in scene.told] == [Sms]


def test_a_message_to_be_sent_is_told_when_it_is_sent_however_late(scene: Scene) -> None:
    assert scene.receive(received=False, PduType=2, State=0, Timestamp="") == []
    scene.now += 10 * INCOMPLETE_NS
    assert scene.run(scene.follower.tick()) == []
    scene.manager.objects[TEXT]["State"] = 4
    (told,) = scene.change(SMS, {"State": 4}, path=TEXT)
    assert isinstance(told, Sms)
    assert (told.outgoing, told.number) == (True, "+31600000001")
    scene.manager.objects[TEXT]["State"] = 5
    assert scene.change(SMS, {"State": 5}, path=TEXT) == []


def test_a_draft_that_is_deleted_was_no_message(scene: Scene) -> None:
    scene.receive(received=False, PduType=2, State=1)
    assert scene.hear(PATH, MESSAGING, "Deleted", TEXT) == []


def stored(**fields: Any) -> FakeManager:
    manager = FakeManager(objects={TEXT: sms(**fields)})
    manager.managed[PATH][MESSAGING]["Messages"] = [TEXT]
    return manager


def test_a_stored_message_is_told_once_over_restarts_of_modemmanager() -> None:
    first = Scene(stored())
    assert [type(each) for each in first.begin()] == [ModemState, Sms]
    again = Scene(stored(), first.memory)
    assert [type(each) for each in again.begin()] == [ModemState]
    assert again.receive(TEXT.replace("/0", "/7"), received=False) == []


@pytest.mark.parametrize(("since", "told"), [("2026-11-25T09:00:00+00", 1), ("2026-11-25T09:00:01+00", 0)])
def test_stored_messages_older_than_asked_for_are_left_out(since: str, told: int) -> None:
    news = Scene(stored(), since=words.moment(since)).begin()
    assert len([each for each in news if isinstance(each, Sms)]) == told


def test_a_received_message_is_told_whatever_its_time_stamp_says() -> None:
    scene = Scene(since=words.moment("2030-01-01T00:00:00+00"))
    scene.begin()
    assert len(scene.receive()) == 1


def test_a_message_that_is_gone_before_it_is_read_is_nothing(scene: Scene) -> None:
    assert scene.hear(PATH, MESSAGING, "Added", TEXT, True) == []


def test_what_is_waited_for_is_bounded_and_the_oldest_is_told(scene: Scene) -> None:
    told = [news for number in range(300) for news in scene.receive(f"/sms/{number}", State=2, Number=str(number))]
    assert [each.number for each in told if isinstance(each, Sms)] == [str(number) for number in range(300 - 256)]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["State", "PduType", "Number", "Text", "Data", "Timestamp"]), anything),
    st.dictionaries(st.sampled_from([MODEM, GPP, MESSAGING, LOCATION, "x"]), anything),
    st.sampled_from(["InterfacesAdded", "InterfacesRemoved", "PropertiesChanged", "Added", "Deleted"]),
    st.lists(anything, max_size=3),
)
def test_whatever_comes_over_the_bus_is_read_or_left_out(
    message: dict[str, Any], tables: dict[str, Any], member: str, body: list[Any]
) -> None:
    scene = Scene(FakeManager(managed={PATH: {**modem(), **tables}}, objects={TEXT: message}))
    scene.begin()
    for interface in (OBJECTS, PROPERTIES, MESSAGING):
        scene.hear(PATH, interface, member, *body)
    scene.hear("/", OBJECTS, "InterfacesAdded", PATH, tables)
    scene.change(MODEM, tables)
    told = scene.hear(PATH, MESSAGING, "Added", TEXT, True)
    assert all(isinstance(each, (Sms, ModemState)) for each in told)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("310,26,85CD,D30156", (0x85CD, 0xD30156)),
        ("204,08,0000,0A1B2C3,0F01", (0x0F01, 0x0A1B2C3)),
        ("204,08,FFFE,0,0", (None, None)),
        ("204,08,FFFE,0123456789,0", (None, None)),
        ("204,08", (None, None)),
        ("", (None, None)),
        (7, (None, None)),
    ],
)
def test_cells_as_they_are_written(written: object, read: tuple[int | None, int | None]) -> None:
    assert words.cell_of(written) == read


@pytest.mark.parametrize(
    ("bits", "read"), [(0, ""), (1 << 14, "lte"), (3 << 14, "lte+5gnr"), (1 << 20 | 2, "gsm+unknown (0x100000)")]
)
def test_access_technologies_in_words(bits: int, read: str) -> None:
    assert words.technology_words(bits) == read


def test_numbers_of_a_later_modemmanager_are_said_to_be_unknown() -> None:
    assert words.state_word(99) == "unknown (99)"
    assert words.registration_of(99) == ("unknown (99)", None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1970-01-01T01:00:01+01", 1_000_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000_000),
        ("2026-11-25T10:00:00", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_time_stamps_need_a_zone(written: str, read: int | None) -> None:
    assert words.moment(written) == read


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "garbage", "tcp:host=127.0.0.1,port=1"])
def test_a_bus_that_is_not_there_is_news_and_no_fault(address: str) -> None:
    with Modems(address, pause=Pause(0.01, 0.02), now=lambda: 7) as modems:
        news = modems.poll(5)
        assert isinstance(news, ModemService)
        assert (news.at, news.available) == (7, False)
        assert address in news.reason
        assert "Next: " in news.reason
        assert len(news.reason.splitlines()) == 1
        assert modems.poll(0.2) is None  # tried again many times, told once


def test_closing_ends_who_reads() -> None:
    modems = Modems("unix:path=/nowhere/at/all").start()
    news = iter(modems)
    assert isinstance(next(news), ModemService)
    modems.close()
    assert list(news) == []


def test_news_that_nobody_takes_are_counted() -> None:
    modems = Modems("unix:path=/nowhere/at/all")
    for _ in range(5000):
        modems._tell(ModemService(0, available=True))
    assert modems.losses() == {"modem_news": 5000 - 4096}
