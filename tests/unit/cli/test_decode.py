"""The command as a person and a script use it: lines through a pipe, and one-line answers to mistakes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from busgate.cli.decode import command
from busgate.decode.lines import Protocol
from busgate.model import BusgateError

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "tests" / "vectors"
DBC = str(VECTORS / "dbc" / "j1939.dbc")
BUSGATE = [sys.executable, "-c", "from busgate.cli import main; main()", "decode"]


def run(stdin: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def objects(stdin: str | bytes, *arguments: str) -> list[dict[str, Any]]:
    result = run(stdin, *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_of_the_public_j1939_rows_gives_one_object_in_order() -> None:
    expected = json.loads((VECTORS / "j1939.json").read_text())["vectors"]
    stdin = "".join(f"(0.0) can0 {row['can_id']}#{row['data']}\n" for row in expected)
    found = objects(stdin, "--as", "j1939")
    assert [(row["can_id"], row["pgn"], row["sa"], row["da"]) for row in found] == [
        (row["can_id"], row["expected"]["pgn"], row["expected"]["sa"], row["expected"]["da"]) for row in expected
    ]


def test_every_public_uds_row_gives_one_object_in_order() -> None:
    expected = json.loads((VECTORS / "uds.json").read_text())["vectors"]
    found = objects("".join(f"{row['hex']}\n" for row in expected), "--as", "uds")
    assert [row["hex"] for row in found] == [row["hex"] for row in expected]


def test_the_recorded_reflash_goes_through_isotp_to_uds() -> None:
    found = objects((VECTORS / "ecu_trace.candump").read_text(), "--as", "uds")
    assert {"RoutineControl", "RequestDownload", "TransferData", "TransferExit"} <= {
        row.get("service") for row in found
    }


def test_blank_lines_and_comments_are_skipped_and_the_rest_keeps_its_line_number() -> None:
    found = objects("# a comment\n\n22F190\nnonsense\n", "--as", "uds")
    assert found[0]["dids"] == ["0xF190"]
    assert found[1] == {"malformed": "this is neither a candump line nor a payload in hexadecimal", "line": 4}
    assert len(found) == 2


def test_bytes_that_are_no_text_and_a_last_line_without_its_end_have_their_objects() -> None:
    found = objects(b"\xff\xfe\x00\n123#\x80\n22F190", "--as", "uds")
    assert ["malformed" in row for row in found] == [True, True, False]


def test_a_carriage_return_belongs_to_its_line() -> None:
    assert [row["sid"] for row in objects(b"22F190\r\n3E00\r\n", "--as", "uds")] == ["0x22", "0x3E"]


def test_the_output_is_plain_ascii_json_whatever_the_dbc_says(tmp_path: Path) -> None:
    path = tmp_path / "celsius.dbc"
    path.write_text('VERSION ""\nBU_: A\nBO_ 16 Heat: 1 A\n SG_ Pack : 0|8@1+ (1,-40) [0|0] "\u00b0C" A\n', "utf-8")
    result = run("010#3C", "--as", "dbc", "--dbc", str(path))
    assert result.stdout.isascii()
    row = json.loads(result.stdout)
    assert (row["signals"], row["units"]) == ({"Pack": 20}, {"Pack": "\u00b0C"})


def test_a_dbc_file_decodes_frames_and_named_payloads() -> None:
    frame = objects("0CF00400#00000A8025FFFFFF", "--as", "dbc", "--dbc", DBC)
    by_name = objects("00 00 0A 80 25 FF FF FF", "--as", "dbc", "--dbc", DBC, "--message", "EEC1")
    by_group = objects("00000A8025FFFFFF", "--as", "dbc", "--dbc", DBC, "--pgn", "0xF004")
    assert frame[0]["signals"]["EngineSpeed"] == 1200.0
    assert by_name[0]["signals"] == by_group[0]["signals"] == frame[0]["signals"]


def test_a_profile_brings_its_messages_and_its_address_bytes(tmp_path: Path) -> None:
    (tmp_path / "vehicle.dbc").write_text((VECTORS / "dbc" / "j1939.dbc").read_text("utf-8"), "utf-8")
    (tmp_path / "profile.yaml").write_text(
        "profile: test\nversion: 1\ntitle: Test\nsynthetic: true\ndbc: [vehicle.dbc]\n"
        "ecus:\n  - {name: BMS, subsystem: bms, uds: {request: 0x6F1, response: 0x612, extended: 0x12}}\n",
        "utf-8",
    )
    named = ("--profile", str(tmp_path))
    assert objects("0CF00400#00000A8025FFFFFF", "--as", "dbc", *named)[0]["message"] == "EEC1"
    assert [row["payload"] for row in objects("6F1#120322F190\n7E0#0322F190", "--as", "isotp", *named)] == [
        "22f190"
    ] * 2


@pytest.mark.parametrize("option", [("--address-bytes", "1"), ("--extended-address",)])
def test_both_spellings_of_an_address_byte_mean_the_same(option: tuple[str, ...]) -> None:
    assert objects("6F1#120322F190", "--as", "isotp", *option)[0]["payload"] == "22f190"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--as", "dbc"), "give --dbc FILE, or --profile NAME"),
        (("--as", "dbc", "--dbc", "no-such.dbc"), "no-such.dbc"),
        (("--as", "dbc", "--dbc", DBC, "--message", "EEC7"), "Next: name one such as EEC1"),
        (("--as", "uds", "--profile", "no-such-bus"), "no-such-bus"),
    ],
)
def test_a_users_mistake_is_one_sentence_with_the_next_step(arguments: tuple[str, ...], says: str) -> None:
    fault = run("", *arguments).exception
    assert isinstance(fault, BusgateError)
    assert says in str(fault)
    assert "Next:" in str(fault)
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    "arguments", [(), ("--as", "morse"), ("--as", "j1939", "--pgn", "many"), ("--as", "j1939", "--pgn", "0x40000")]
)
def test_a_wrong_option_is_refused(arguments: tuple[str, ...]) -> None:
    assert run("", *arguments).exit_code == 2


def test_the_help_has_examples_as_they_are_typed() -> None:
    shown = run("", "--help").output
    assert "candump can0 | busgate decode --as j1939\n" in shown


def guide() -> list[tuple[str, str, bool, str]]:
    """(arguments, input, only the last line, output) of every example in the guide."""
    block = r"```console\n\$ busgate decode ([^\n]*?) <<'END'( \| tail -1)?\n(.*?)END\n(.*?)```"
    found = re.findall(block, (ROOT / "docs" / "decode.md").read_text("utf-8"), re.DOTALL)
    return [(arguments, typed, bool(tail), printed) for arguments, tail, typed, printed in found]


@pytest.mark.parametrize("example", guide(), ids=lambda example: example[0])
def test_the_guide_shows_what_the_command_prints(
    example: tuple[str, str, bool, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    arguments, typed, last, printed = example
    lines = run(typed, *shlex.split(arguments)).stdout.splitlines(keepends=True)
    assert "".join(lines[-1:] if last else lines) == printed


def test_the_guide_has_an_example_of_every_protocol() -> None:
    assert {arguments.split()[1] for arguments, *_ in guide()} > set(Protocol)


def test_each_answer_comes_before_the_next_question() -> None:
    with subprocess.Popen([*BUSGATE, "--as", "uds"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for payload in (b"22F190\n", b"3E00\n"):
            process.stdin.write(payload)
            process.stdin.flush()
            assert "service" in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    with subprocess.Popen(
        [*BUSGATE, "--as", "uds"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"22F190\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"22F190\n")
        process.stdin.flush()
        assert process.stderr.read() == b""
        assert process.wait() == 0
