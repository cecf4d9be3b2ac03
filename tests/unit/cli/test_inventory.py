"""`busgate inventory` from a shell: logs, bundles, replay reports, exit codes, files, and what a mistake is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]  # mmdb_writer's own way to name networks

from busgate.cli.inventory import command
from busgate.cli.verify import command as verify
from busgate.document import DocumentError
from busgate.model import BusgateError
from busgate.record.found import EvidenceError
from support.inventory import cloud, drive, text_message, write_log
from support.logs import forge

VENDOR = """\
declaration: test
version: 1
vendor: Example Bus Maker
date: 2026-11-01
functions:
  - {interface: can, name: TboxDriveCommand, purpose: a limp-home limit}
  - {interface: ip, protocol: jt808, code: 0x8105, countries: EU, purpose: restarting the T-box}
  - {interface: sms, name: vendor text command, purpose: settings}
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "busgate-log", drive(), cloud(1), text_message(2))


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    path = tmp_path / "vendor.yaml"
    path.write_text(VENDOR, encoding="utf-8")
    return path


def inventory(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_a_log_is_listed_by_interface_and_checked(log: Path) -> None:
    result = inventory(log)
    assert result.exit_code == 0
    places = [result.output.index(each) for each in ("TboxDriveCommand", "terminal control", "vendor text command")]
    assert places == sorted(places)
    assert "busgate-log: 5 records; verified as signed, root " in result.output
    assert "published test key" in result.output


def test_the_json_is_whole(log: Path, vendor: Path) -> None:
    result = inventory(log, "--declaration", vendor, "--report", "json")
    report = json.loads(result.output)
    assert (report["form"], report["public"]) == ("busgate-inventory/1", False)
    assert report["interfaces"] == {"can": 1, "ip": 1, "sms": 1}
    assert [row["declared"] for row in report["functions"]] == [
        "TboxDriveCommand",
        "jt808 0x8105",
        "vendor text command",
    ]
    assert [(each["finding"], each["detail"]) for each in report["findings"]] == [("UNDECLARED_COUNTRY", "CN")]
    assert result.exit_code == 0


def test_a_function_that_is_not_declared_is_exit_code_1(log: Path, vendor: Path) -> None:
    vendor.write_text(VENDOR.replace("TboxDriveCommand", "TboxHvacCommand"), encoding="utf-8")
    result = inventory(log, "--declaration", vendor, "--report", "json")
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert [each["finding"] for each in report["findings"]] == ["UNDECLARED_REMOTE_FUNCTION", "UNDECLARED_COUNTRY"]
    assert [each["title"] for each in report["not_observed"]] == ["TboxHvacCommand"]


def test_the_page_goes_to_a_file_and_does_not_replace_one_unasked(log: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    words = (log, "--report", "html", "--lang", "nl", "-o", out)
    assert (inventory(*words).exit_code, inventory(*words).exit_code) == (0, 1)
    assert isinstance(inventory(*words).exception, BusgateError)
    assert "Next: --force" in str(inventory(*words).exception)
    assert inventory(*words, "--force").exit_code == 0
    assert out.read_text("utf-8").startswith('<!DOCTYPE html>\n<html lang="nl">')
    assert "Functies op afstand van dit voertuig" in out.read_text("utf-8")


def test_the_public_form_has_no_address_number_or_name_of_the_log(log: Path, vendor: Path) -> None:
    for style in ("text", "json", "html"):
        told = inventory(log, "--declaration", vendor, "--public", "--report", style).output
        assert "terminal control" in told
        assert not any(secret in told for secret in ("198.51.100", "31600000001", "bus-1", "busgate-log", "06:40"))


def test_a_log_that_was_altered_is_said_and_is_exit_code_1(log: Path) -> None:
    forge(log, ("UPDATE entry SET raw = replace(CAST(raw AS TEXT), 'critical', 'info') WHERE idx = 2", ()))
    result = inventory(log)
    assert result.exit_code == 1
    assert "NOT as it was signed" in result.output
    assert "record 2 was changed" in result.output


def test_a_bundle_is_read_as_its_log(log: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "incident.zip"
    assert CliRunner().invoke(verify, [str(log), "--bundle", str(bundle)]).exit_code == 0
    told = [json.loads(inventory(each, "--report", "json").output)["functions"] for each in (log, bundle)]
    for rows in told:
        for row in rows:
            row["records"] = []
    assert told[0] == told[1]


def test_several_sources_are_joined(log: Path, tmp_path: Path) -> None:
    other = write_log(tmp_path / "other", drive(30), cloud(31, name="upgrade", act="flash"), device="bus-2")
    report = json.loads(inventory(log, other, "--report", "json").output)
    assert [(row["name"], row["count"]) for row in report["functions"]] == [
        ("TboxDriveCommand", 2), ("terminal control", 1), ("upgrade", 1), ("vendor text command", 1),
    ]  # fmt: skip
    assert [source["name"] for source in report["sources"]] == ["busgate-log", "other"]


def test_a_table_of_countries_tells_what_the_log_does_not(tmp_path: Path) -> None:
    writer = MMDBWriter(6, "Test", ipv4_compatible=True)
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country": {"iso_code": "DE"}})
    writer.to_db_file(str(tmp_path / "country.mmdb"))
    log = write_log(tmp_path / "log", cloud(country=""))
    result = inventory(log, "--countries", tmp_path / "country.mmdb", "--report", "json")
    assert json.loads(result.output)["functions"][0]["countries"] == ["DE"]


def test_what_is_neither_log_nor_report_is_one_sentence(tmp_path: Path) -> None:
    for name, content in (("x.json", b"{}"), ("y.log", b"\xff\xfe"), ("z.json", b"[" * 100_000)):
        (tmp_path / name).write_bytes(content)
        fault = inventory(tmp_path / name).exception
        assert isinstance(fault, BusgateError)
        assert "Next: busgate replay TRACE --report json" in str(fault)
        assert len(str(fault).splitlines()) == 1


def test_no_log_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        assert isinstance(inventory(path).exception, EvidenceError)


def test_a_fault_in_the_declaration_names_its_line(log: Path, vendor: Path) -> None:
    vendor.write_text(VENDOR.replace("interface: sms", "interface: fax"), encoding="utf-8")
    fault = inventory(log, "--declaration", vendor).exception
    assert isinstance(fault, DocumentError)
    assert str(fault).startswith("vendor.yaml:8: functions.2.interface")
    vendor.write_bytes(b"\xff\xfe")
    assert "UTF-8" in str(inventory(log, "--declaration", vendor).exception)


def test_reading_leaves_the_log_as_it_was(log: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in log.iterdir()}
    inventory(log)
    assert {path.name: path.read_bytes() for path in log.iterdir()} == before
    shutil.copytree(log, tmp_path / "copy")
    assert inventory(tmp_path / "copy").exit_code == 0


def test_the_declaration_in_the_guide_is_one(log: Path, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs/inventory.md").read_text("utf-8")
    example = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    report = json.loads(inventory(log, "--declaration", tmp_path / "example.yaml", "--report", "json").output)
    assert report["declaration"]["functions"] == 4
