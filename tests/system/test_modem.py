"""The modems of a real D-Bus: a ModemManager of python-dbusmock on a private bus, restarted, killed, gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from dbus_fast import Variant

from busgate.bridge.modem import Modems, Pause
from busgate.bridge.modem_follower import News
from busgate.model import ModemService, ModemState, Side, Sms
from support.modem_manager import GPP, LOCATION, MODEM, ROOT, SMS, MockManager, PrivateBus, missing

pytestmark = pytest.mark.skipif(bool(why := missing()), reason=why)

Kind = TypeVar("Kind", Sms, ModemState, ModemService)
QUICKLY = Pause(0.05, 0.2)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PrivateBus]:
    made = PrivateBus(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def manager(bus: PrivateBus, tmp_path: Path) -> Iterator[MockManager]:
    made = MockManager(bus, tmp_path / "dbusmock.log")
    made.start()
    made.add_sim()
    yield made
    made.stop()


@pytest.fixture
def modems(bus: PrivateBus) -> Iterator[Modems]:
    """A watch that has looked already: dbusmock builds its objects step by step, and a later look sees half of one."""
    with Modems(bus.address, pause=QUICKLY) as watched:
        awaited(watched, ModemService)
        yield watched


def awaited(modems: Modems, kind: type[Kind], told: Callable[[Kind], bool] = lambda _: True) -> Kind:
    """The next news of a kind that is as told."""
    others: list[News] = []
    while (news := modems.poll(10)) is not None:
        if isinstance(news, kind) and told(news):
            return news
        others.append(news)
    raise AssertionError(f"it never came; instead: {others}")


def quiet(modems: Modems) -> list[News]:
    """What still comes in half a second."""
    return [news for _ in range(5) if (news := modems.poll(0.1)) is not None]


def test_a_modem_with_sim_and_network_is_told(manager: MockManager, bus: PrivateBus) -> None:
    manager.add_modem()
    with Modems(bus.address) as modems:
        assert awaited(modems, ModemService).available
        state = awaited(modems, ModemState)
    assert state._replace(at=0) == ModemState(
        at=0, modem="350000000000001", iccid="8931000000000000001", imsi="204040000000001", operator_code="20404",
        operator_name="Network A", registration="home", roaming=False, state="registered", technology="lte", signal=70,
        changed=("added",),
    )  # fmt: skip


def test_roaming_network_technology_and_signal_are_told_as_they_change(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    first = awaited(modems, ModemState)
    manager.update(
        path, GPP, RegistrationState=Variant("u", 5), OperatorCode=Variant("s", "26201"),
        OperatorName=Variant("s", "Network B"),
    )  # fmt: skip
    state = awaited(modems, ModemState)
    assert (state.operator_code, state.operator_name, state.registration, state.roaming) == (
        "26201", "Network B", "roaming", True,
    )  # fmt: skip
    assert state.at > first.at
    manager.update(path, MODEM, AccessTechnologies=Variant("u", 1 << 5))
    assert awaited(modems, ModemState).changed == ("technology",)
    manager.update(path, MODEM, SignalQuality=Variant("(ub)", [20, True]))
    assert awaited(modems, ModemState).signal == 20
    manager.update(path, MODEM, State=Variant("i", 11))
    assert awaited(modems, ModemState).state == "connected"


def test_another_sim_is_told(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    awaited(modems, ModemState)
    other = manager.add_sim(1, "8986000000000000002", "460000000000002")
    manager.update(path, MODEM, Sim=Variant("o", other))
    state = awaited(modems, ModemState)
    assert (state.iccid, state.imsi, state.changed) == ("8986000000000000002", "460000000000002", ("iccid", "imsi"))


def test_the_cell_is_told_once_somebody_switched_it_on(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    assert awaited(modems, ModemState).cell is None
    manager.update(path, LOCATION, Enabled=Variant("u", 1))
    state = awaited(modems, ModemState)
    assert (state.lac, state.cell, state.changed) == (0x85CD, 0x1D30156, ("lac", "cell"))
    assert manager.calls(path) == ["GetLocation"]


def test_a_message_is_told_with_its_number_and_content(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    manager.add_sms(path, 0, Text="<CMD>CUT ÖL</CMD>")
    told = awaited(modems, Sms)
    assert told._replace(at=0) == Sms(0, Side.TBOX, "+31600000001", text="<CMD>CUT ÖL</CMD>")
    manager.add_sms(path, 1, Data=bytes.fromhex("7e810500017e"))
    assert awaited(modems, Sms).data.hex() == "7e810500017e"


def test_a_message_in_parts_is_told_when_modemmanager_has_joined_it(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    message = manager.add_sms(path, 0, State=2)
    assert [news for news in quiet(modems) if isinstance(news, Sms)] == []
    manager.update(message, SMS, State=Variant("u", 3), Text=Variant("s", "first half, second half"))
    assert awaited(modems, Sms).text == "first half, second half"


def test_a_message_of_our_side_is_told_when_it_goes_out(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    message = manager.add_sms(path, 0, received=False, PduType=2, State=0, Text="REG OK", Timestamp="")
    assert [news for news in quiet(modems) if isinstance(news, Sms)] == []
    manager.update(message, SMS, State=Variant("u", 4))
    told = awaited(modems, Sms)
    assert (told.outgoing, told.text) == (True, "REG OK")
    manager.update(message, SMS, State=Variant("u", 5))
    assert quiet(modems) == []


def test_watching_sends_stores_and_deletes_nothing(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    message = manager.add_sms(path, 0, Text="x")
    awaited(modems, Sms)
    assert manager.calls(message) == []
    assert manager.calls(path) == []
    assert manager.calls(ROOT) == ["GetManagedObjects"]


def test_a_modem_that_goes_and_comes_is_told(manager: MockManager, modems: Modems) -> None:
    path = manager.add_modem()
    awaited(modems, ModemState)
    manager.remove_modem(path)
    gone = awaited(modems, ModemState)
    assert (gone.state, gone.changed) == ("removed", ("removed",))
    manager.add_sim(1, "8986000000000000002", "460000000000002")
    manager.add_modem(1, sim=1)
    back = awaited(modems, ModemState)
    assert (back.modem, back.changed) == (gone.modem, ("added", "iccid", "imsi"))


def test_modemmanager_may_stop_and_start_and_a_stored_message_is_told_once(
    manager: MockManager, modems: Modems
) -> None:
    path = manager.add_modem()
    manager.add_sms(path, 0, Text="x")
    awaited(modems, Sms)
    manager.stop()
    away = awaited(modems, ModemService, lambda service: not service.available)
    assert away.reason == "ModemManager is not running. Next: systemctl status ModemManager"
    manager.start()
    assert awaited(modems, ModemService).available
    manager.add_sim()
    path = manager.add_modem(1)
    assert awaited(modems, ModemState).changed == ("added",)
    manager.add_sms(path, 0, received=False, Text="x")
    assert quiet(modems) == []
    manager.add_sms(path, 1, Text="y")
    assert awaited(modems, Sms).text == "y"


def test_the_bus_may_end_and_come_back(bus: PrivateBus, manager: MockManager, modems: Modems, tmp_path: Path) -> None:
    manager.add_modem()
    awaited(modems, ModemState)
    bus.stop()
    assert "Next: " in awaited(modems, ModemService, lambda service: bus.address in service.reason).reason
    bus.start()
    again = MockManager(bus, tmp_path / "again.log")
    again.start()
    try:
        again.add_sim()
        again.add_modem()
        assert awaited(modems, ModemService, lambda service: service.available).reason == ""
        assert awaited(modems, ModemState).imsi == "204040000000001"
    finally:
        again.stop()


def test_without_modemmanager_that_is_told_once_and_it_may_come_later(bus: PrivateBus, tmp_path: Path) -> None:
    with Modems(bus.address, pause=QUICKLY) as modems:
        service = awaited(modems, ModemService)
        assert (service.available, "not running" in service.reason) == (False, True)
        assert quiet(modems) == []
        late = MockManager(bus, tmp_path / "late.log")
        late.start()
        try:
            assert awaited(modems, ModemService).available
        finally:
            late.stop()


def test_signals_of_somebody_else_are_not_modemmanagers(
    bus: PrivateBus, manager: MockManager, modems: Modems, tmp_path: Path
) -> None:
    """A second dbusmock under another name shows a modem at the same path; its word is not taken."""
    path = manager.add_modem()
    awaited(modems, ModemState)
    stranger = MockManager(bus, tmp_path / "stranger.log", name="org.example.Stranger")
    stranger.start()
    try:
        stranger.add_sim()
        stranger.add_modem()
        stranger.add_sms(path, 9, Text="not from the modem")
        assert quiet(modems) == []
    finally:
        stranger.stop()
