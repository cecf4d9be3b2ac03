"""The kernel's part, with the kernel's rules as a list: what it is told, what it carries, and who else may forward."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from busgate.bridge import cangw
from busgate.bridge.cangw import Counted, Job, NoGatewayError
from busgate.bridge.port import BridgeError
from busgate.cli.learn import command as learn_command
from busgate.judge.floor import Floor, KernelRule
from busgate.model import ERROR, EXTENDED, FD_FORMAT, Alert, Frame, Loss, Mode, ModeChange, PolicyRefused, Side
from busgate.service import gate, layers, override, standing
from busgate.service.hold import Hold
from busgate.service.layers import Layers, alone
from busgate.service.override import Position, Switch
from busgate.service.standing import Standing
from busgate.service.urgency import urgent
from busgate.service.vigil import Vigil

TBOX, VEHICLE = "lo", "sit0"
WIRES = f"socketcan:{TBOX}", f"socketcan:{VEHICLE}"
TELEMETRY = Job(VEHICLE, TBOX)
BOTH = [TELEMETRY, TELEMETRY._replace(fd=True)]
RULE = Job(TBOX, VEHICLE, 0x123, 0xC00007FF)
FLOOR = Floor((KernelRule("a", 0x123, 0xC00007FF), KernelRule("b", 0x123, 0xC00007FF)), ())


class Kernel:
    """The rules, and why they cannot be changed or told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: list[Job] = []
        self.fault: BridgeError | None = None
        self.silent: BridgeError | None = None
        monkeypatch.setattr(cangw, "jobs", self._told)
        monkeypatch.setattr(cangw, "replace", self._replace)

    def _told(self, one: str, other: str) -> list[Counted]:
        if self.silent is not None:
            raise self.silent
        return [Counted(job, 7, 0, 0) for job in self.jobs if {job.source, job.target} == {one, other}]

    def _replace(self, one: str, other: str, wanted: list[Job]) -> None:
        if self.fault is not None:
            raise self.fault
        assert {one, other} == {TBOX, VEHICLE}
        self.jobs = list(wanted)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.fixture
def part(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Layers:
    assert kernel.jobs == []
    monkeypatch.setattr(layers, "Path", lambda _: SimpleNamespace(exists=lambda: True))
    return Layers(TBOX, VEHICLE, FLOOR)


@pytest.mark.parametrize(
    ("mode", "jobs"),
    [(Mode.OBSERVE, []), (Mode.MONITOR, BOTH), (Mode.LOCAL, BOTH), (Mode.ENFORCE, [*BOTH, RULE])],
)
def test_what_the_kernel_does_in_a_mode_and_so_what_the_agent_does_not(
    mode: Mode, jobs: list[Job], kernel: Kernel, part: Layers
) -> None:
    part.enter(mode)
    assert kernel.jobs == jobs
    assert not part.undone()
    allowed, other = Frame(0, Side.TBOX, 0x123, b""), Frame(0, Side.TBOX, 0x124, b"")
    assert part.carries(allowed) is (mode is Mode.ENFORCE)
    assert not part.carries(other)
    assert not part.carries(allowed._replace(flags=FD_FORMAT))
    for can_id in (0x123, 0x18FEF127 | EXTENDED):
        for flags in (0, FD_FORMAT):
            assert part.carries(Frame(0, Side.VEHICLE, can_id, b"", flags)) is (mode is not Mode.OBSERVE)
    assert not part.carries(Frame(0, Side.VEHICLE, 0x4 | ERROR, b""))


def test_what_the_kernel_does_not_do_the_agent_does(kernel: Kernel, part: Layers) -> None:
    part.enter(Mode.ENFORCE)
    kernel.jobs = [BOTH[0]]
    assert part.undone()
    kernel.fault = BridgeError("no right")
    with pytest.raises(BridgeError):
        part.enter(Mode.ENFORCE)
    assert part.carries(Frame(0, Side.VEHICLE, 0x123, b""))
    assert not part.carries(Frame(0, Side.VEHICLE, 0x123, b"", FD_FORMAT))
    assert not part.carries(Frame(0, Side.TBOX, 0x123, b""))


def test_a_kernel_that_does_not_tell_is_taken_for_what_it_was(kernel: Kernel, part: Layers) -> None:
    part.enter(Mode.ENFORCE)
    kernel.fault = kernel.silent = BridgeError("it does not answer")
    with pytest.raises(BridgeError):
        part.enter(Mode.MONITOR)
    assert part.carries(Frame(0, Side.TBOX, 0x123, b"")), "never two forwarders"


def test_who_forwards_by_itself_takes_away_what_was_left(kernel: Kernel) -> None:
    assert alone("virtual:a", WIRES[1]) == ""
    assert alone(*WIRES) == ""
    kernel.jobs = [*BOTH, RULE]
    assert "3 rules that a gate had left" in alone(*WIRES)
    assert kernel.jobs == []
    kernel.silent = NoGatewayError("no can-gw")
    assert alone(*WIRES) == ""


def test_who_may_not_take_it_away_does_not_start(kernel: Kernel) -> None:
    kernel.jobs, kernel.fault = [RULE], BridgeError("busgate needs the right CAP_NET_ADMIN for it")
    with pytest.raises(BridgeError, match=r"still forwards .* double each frame: .* Next: sudo busgate rules --clear"):
        alone(*WIRES)


def test_a_start_that_fails_leaves_no_older_rule_and_leaves_telemetry(kernel: Kernel) -> None:
    kernel.jobs = [*BOTH, RULE]
    with pytest.raises(BridgeError, match=r"^why$"), gate._nothing_older(*WIRES):
        raise BridgeError("why")
    assert kernel.jobs == BOTH
    kernel.jobs, kernel.fault = [*BOTH, RULE], BridgeError("no right")
    with pytest.raises(Exception, match="why AND THE KERNEL STILL FORWARDS by an older policy: no right"), \
         gate._nothing_older(*WIRES):  # fmt: skip
        raise BridgeError("why")
    kernel.silent = BridgeError("this system has no netlink")
    with pytest.raises(BridgeError, match=r"^why$"), gate._nothing_older(*WIRES):
        raise BridgeError("why")


def test_the_vigil_finds_what_somebody_changed_and_never_what_was_set_meanwhile(
    kernel: Kernel, part: Layers, tmp_path: Path
) -> None:
    stands = [Standing(Mode.ENFORCE)]
    vigil = Vigil(Hold(), part, dict, tmp_path, lambda: stands[0])
    part.enter(Mode.ENFORCE)
    vigil.turn()
    assert vigil.undone == 0
    assert standing.read(tmp_path) == stands[0]
    kernel.jobs.pop()
    vigil._due = 0
    vigil.turn()
    assert vigil.undone == part.entered
    part.enter(Mode.ENFORCE)
    assert vigil.undone != part.entered
    kernel.silent = BridgeError("it does not answer")
    vigil._due = 0
    vigil.turn()
    stands[0] = Standing(Mode.MONITOR, 3, cut=True)
    vigil.turn()
    assert standing.read(tmp_path) == stands[0]


def test_a_folder_that_takes_nothing_is_the_vigils_trouble(part: Layers, tmp_path: Path) -> None:
    vigil = Vigil(Hold(), part, dict, tmp_path / "nowhere", lambda: Standing(Mode.ENFORCE))
    vigil.turn()
    assert "standing.json cannot be written" in vigil.trouble
    (tmp_path / "nowhere").mkdir()
    vigil.turn()
    assert vigil.trouble == ""


@pytest.mark.parametrize(
    ("event", "must"),
    [
        (ModeChange(0, Mode.LOCAL, Mode.ENFORCE, "a", "b"), True),
        (ModeChange(0, Mode.ENFORCE, Mode.LOCAL, "a", "b"), True),
        (ModeChange(0, Mode.MONITOR, Mode.ENFORCE, "a", "b"), False),
        (PolicyRefused(0, "a"), True),
        (Loss(0, {}), False),
    ],
)
def test_the_local_hand_and_a_refusal_are_never_what_is_dropped(event: Alert | ModeChange, must: bool) -> None:
    assert urgent(event) is must


class Learner:
    """`busgate learn --hours` on two wires, which it never gets to open here."""

    def __init__(self, folder: Path) -> None:
        self.words = ["--hours", "1", "--profile", "demo-ebus", "--tbox", WIRES[0], "--vehicle", WIRES[1], "-o",
                      str(folder / "out.yaml")]  # fmt: skip

    def says(self) -> str:
        return str(CliRunner().invoke(learn_command, self.words).exception)


def test_learning_is_refused_beside_a_gate_after_one_and_under_the_hand(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(override, "DEFAULT", tmp_path / "busgate.yaml")
    learner = Learner(tmp_path)
    with Hold(WIRES[1]):
        assert f"{VEHICLE} is in the hands of another busgate" in learner.says()
    kernel.jobs = [TELEMETRY]
    assert "a gate was here" in learner.says()
    (tmp_path / "busgate.yaml").write_text("log: .\n", encoding="ascii")
    Switch(tmp_path).turn(Position(on=True, by="A. de Vries", reason="limited"))
    assert "the local override is on" in learner.says()
    (tmp_path / "override.json").write_bytes(b"")
    assert "the local override is on" in learner.says()
