"""What a self-test concludes from what it heard: on invented frames and a machine made of values."""

from __future__ import annotations

import pytest

from busgate.bridge.links import Link, described
from busgate.bridge.port import BridgeError
from busgate.model import BIT_RATE_SWITCH, EXTENDED, FD_FORMAT, REMOTE, Frame, Side
from busgate.service import load
from busgate.service.rehearsal import commands, denied_commands
from busgate.service.selftest import Check, Heard, State, bitrate, bits_of, health, side_finder
from busgate.trust.keys import new_key
from support.gate import demo_ebus

CAN0 = Link("can0", "can", up=True, bitrate=500_000, state="ERROR-ACTIVE", counters={"tx_errors": 0, "rx_errors": 0})
CAN1 = Link("can1", "can", up=True, bitrate=500_000, state="ERROR-ACTIVE")

# As iproute2 6.x prints it for a controller (ip/iplink_can.c), shortened.
SHOWN = {
    "ifname": "can0",
    "flags": ["NOARP", "UP", "LOWER_UP", "ECHO"],
    "linkinfo": {
        "info_kind": "can",
        "info_data": {
            "ctrlmode": ["LISTEN-ONLY", "FD"],
            "state": "ERROR-WARNING",
            "berr_counter": {"tx": 3, "rx": 97},
            "restart_ms": 100,
            "bittiming": {"bitrate": 500000, "sample_point": "0.875"},
            "data_bittiming": {"bitrate": 2000000},
        },
        "info_xstats": {"restarts": 1, "bus_error": 7, "arbitration_lost": 0, "error_warning": 2, "error_passive": 0,
                        "bus_off": 1},
    },
}  # fmt: skip


def frames(*identifiers: int, times: int = 10) -> list[Frame]:
    return [Frame(0, Side.TAP, can_id, bytes(8)) for can_id in identifiers] * times


def heard(link: Link, *identifiers: int, times: int = 10, seconds: float = 1, **losses: int) -> Heard:
    return Heard(link, frames(*identifiers, times=times), losses, seconds)


def checks(which: Heard) -> dict[str, Check]:
    return {check.name.split()[1]: check for check in health(which)}


def test_a_link_as_ip_shows_it() -> None:
    link = described(SHOWN)
    assert (link.name, link.hardware, link.up, link.listen_only) == ("can0", True, True, True)
    assert (link.bitrate, link.data_bitrate, link.state) == (500_000, 2_000_000, "ERROR-WARNING")
    assert (link.counters["rx_errors"], link.counters["bus_off"]) == (97, 1)
    virtual = described({"ifname": "vcan0", "flags": ["UP"], "linkinfo": {"info_kind": "vcan"}})
    assert (virtual.hardware, virtual.bitrate, virtual.state) == (False, None, "")


def test_a_healthy_bus_and_one_that_is_down_or_silent() -> None:
    assert {check.state for check in health(heard(CAN0, 0x123))} == {State.OK}
    (down,) = health(heard(Link("can0", "can", up=False)))
    assert (down.state, down.next) == (State.FAILED, "ip link set can0 up")
    assert checks(heard(CAN0))["alive"].state is State.FAILED


def test_a_full_bus_is_a_warning_and_a_virtual_one_has_no_load() -> None:
    full = checks(heard(CAN0, 0x123, times=4000))["load"]
    assert (full.state, full.seen) == (State.WARNING, "about 99% of 500 kbit/s")
    assert checks(heard(CAN0, 0x123, times=400))["load"].state is State.OK
    assert checks(heard(Link("vcan0", "vcan", up=True), 0x123))["load"].state is State.SKIPPED


@pytest.mark.parametrize(
    ("link", "losses", "state"),
    [
        (CAN0, {}, State.OK),
        (described(SHOWN), {}, State.WARNING),
        (Link("can0", "can", up=True, bitrate=1, state="BUS-OFF"), {}, State.FAILED),
        (Link("can0", "can", up=True, bitrate=1, counters={"tx_errors": 128}), {}, State.FAILED),
        (CAN0, {"bus_off": 1, "error_frames": 1}, State.FAILED),
        (CAN0, {"error_frames": 3}, State.WARNING),
        (CAN0, {"receive_queue_full": 3}, State.WARNING),
    ],
)
def test_errors_by_how_grave_they_are(link: Link, losses: dict[str, int], state: State) -> None:
    found = checks(heard(link, 0x123, **losses))["errors"]
    assert found.state is state
    assert bool(found.next) is (state is not State.OK)


@pytest.mark.parametrize(
    ("frame", "least", "most"),
    [
        # ISO 11898-1: without stuffing 47 + 8n bits (11-bit), 67 + 8n (29-bit), with the worst 55 + 10n, 80 + 10n.
        (Frame(0, Side.TAP, 0x123, bytes(8)), 111, 135),
        (Frame(0, Side.TAP, 0x123, b""), 47, 55),
        (Frame(0, Side.TAP, 0x18FEF127 | EXTENDED, bytes(8)), 131, 160),
        (Frame(0, Side.TAP, 0x123 | REMOTE, bytes(8)), 47, 55),
    ],
)
def test_bits_of_a_frame_lie_between_the_standards_bounds(frame: Frame, least: float, most: float) -> None:
    nominal, fast = bits_of(frame)
    assert least <= nominal <= most
    assert fast == 0


def test_a_fast_frame_has_its_data_in_the_fast_phase() -> None:
    slow, none = bits_of(Frame(0, Side.TAP, 0x123, bytes(64), FD_FORMAT))
    nominal, fast = bits_of(Frame(0, Side.TAP, 0x123, bytes(64), FD_FORMAT | BIT_RATE_SWITCH))
    assert none == 0
    assert 512 < fast < 700
    assert nominal < 50
    assert slow == pytest.approx(nominal + fast)


ECUS = (*(0x18FE0000 | EXTENDED | sa for sa in (0x27, 0x0B, 0x13, 0x8A)), 0x110, 0x130)
TBOX = (0x18FEE64A | EXTENDED, 0x500)


def test_few_speak_on_the_t_boxs_side() -> None:
    found = side_finder(heard(CAN1, *TBOX), heard(CAN0, *ECUS), None, "can1")
    assert found.state is State.OK
    assert "can1 is the T-box's side, can0 the vehicle's" in found.seen
    assert "as set" in found.seen
    assert side_finder(heard(CAN1, *TBOX), heard(CAN0, *ECUS), None, None).state is State.OK


def test_swapped_plugs_are_told_with_what_to_do() -> None:
    found = side_finder(heard(CAN1, *ECUS), heard(CAN0, *TBOX), None, "can1")
    assert found.state is State.FAILED
    assert found.seen.startswith("SWAPPED: can0 is the T-box's side")
    assert "tbox: socketcan:can0" in found.next


def test_what_the_profile_knows_stands_above_how_many_speak() -> None:
    """A T-box that speaks under many addresses, and a vehicle of which only the VCU is awake."""
    many = tuple(0x18FE0000 | EXTENDED | sa for sa in (0x4A, 0xB0, 0xB1, 0xB2))
    vcu = (0x18FEF127 | EXTENDED,)
    profile = demo_ebus().profile
    assert side_finder(heard(CAN1, *many), heard(CAN0, *vcu), profile, "can1").state is State.OK
    assert side_finder(heard(CAN1, *many), heard(CAN0, *vcu), None, "can1").state is State.FAILED


def test_a_forwarder_that_is_heard_makes_both_sides_alike_and_nothing_is_guessed() -> None:
    few, many = heard(CAN1, 0x123), heard(CAN0, *range(0x200, 0x210))
    check = side_finder(few, many, None, "can1", echoes=True)
    assert (check.state, "forwards between them" in check.seen) == (State.SKIPPED, True)
    assert side_finder(few, many, None, "can1").state is State.OK


def test_where_nothing_can_be_said_nothing_passes() -> None:
    assert side_finder(heard(CAN1), heard(CAN0, *ECUS), None, "can1").state is State.SKIPPED
    assert side_finder(heard(CAN1, *ECUS), heard(CAN0, *ECUS), None, "can1").state is State.WARNING


class Machine:
    """A controller on a bus of a certain bitrate."""

    def __init__(self, link: Link, right: int, *, refuses: tuple[int, ...] = ()) -> None:
        self.link, self.right, self.refuses = link, right, refuses
        self.now: int | None = link.bitrate
        self.restored: list[Link] = []

    def look(self, name: str) -> Link:
        assert name == self.link.name
        return self.link

    def listen_at(self, name: str, rate: int) -> None:
        assert name == self.link.name
        if rate in self.refuses:
            raise BridgeError("bitrate not possible")
        self.now = rate

    def restore(self, link: Link) -> None:
        self.restored.append(link)

    def hear(self, name: str) -> tuple[int, int]:
        assert name == self.link.name
        return (200, 0) if self.now == self.right else (0, 40)


def test_the_bitrate_that_fits_is_found_and_the_interface_put_back() -> None:
    machine = Machine(CAN0, 500_000, refuses=(250_000,))
    assert bitrate(machine, "can0", machine.hear).state is State.OK
    wrong = Machine(CAN0, 125_000)
    found = bitrate(wrong, "can0", wrong.hear)
    assert found.state is State.FAILED
    assert "125 kbit/s fits" in found.seen
    assert "BitRate=125000" in found.next
    assert machine.restored == wrong.restored == [CAN0]


def test_no_bitrate_fits_or_there_is_none() -> None:
    dead = Machine(CAN0, 0)
    found = bitrate(dead, "can0", dead.hear)
    assert found.state is State.FAILED
    assert "500 kbit/s: 0 frames, 40 errors" in found.seen
    virtual = Machine(Link("can0", "vcan", up=True), 0)
    assert bitrate(virtual, "can0", virtual.hear).state is State.SKIPPED
    assert virtual.restored == []


def test_what_is_tried_on_the_isolated_wires_is_what_the_policy_denies(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("policy")
    new_key("operator", folder / "operator.key")
    (folder / "policy.yaml").write_text(
        "policy: p\nversion: 1\nallow:\n  - {id: all-resets, uds: {target: BMS, services: 0x11}}\n", encoding="ascii"
    )
    vehicle = demo_ebus()
    adopted = load.policy(folder / "policy.yaml", operator=None, unsigned=True)
    tried, denied = list(commands(vehicle)), list(denied_commands(vehicle, adopted, "bus"))
    allowed = [frame for frame in tried if frame not in denied]
    assert [(frame.can_id, frame.data[:3]) for frame in allowed] == [(0x18DAF34A | EXTENDED, b"\x02\x11\x01")]
    assert {0x510, 0x511, 0x514} <= {frame.can_id for frame in denied}  # drive, battery, doors
    assert len(denied) > 80
