"""The published description of the topics says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from busgate.report import topics
from busgate.report.messages import State, early_copy
from busgate.report.topics import Channel
from busgate.service.keeper import _TYPES

DESCRIBED: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docs/mqtt.yaml").read_text("utf-8"))


def test_every_topic_is_described_at_its_address() -> None:
    addresses = {channel["address"] for channel in DESCRIBED["channels"].values()}
    named = {address.format(device="bus-1", incarnation="1-ab") for address in addresses}
    assert named == {
        topics.entries("bus-1", "1-ab"),
        topics.checkpoint("bus-1", "1-ab"),
        topics.cosignature("bus-1", "1-ab"),
        topics.alert("bus-1"),
        topics.state("bus-1"),
        topics.policy("bus-1"),
    }
    assert len(addresses) == len(Channel)


def test_the_json_messages_have_the_fields_described() -> None:
    messages = DESCRIBED["components"]["messages"]
    state = json.loads(State(1, 1, online=True, origin="o", incarnation="1", size=2).payload)
    assert set(state) == set(messages["state"]["payload"]["required"])
    assert set(json.loads(early_copy("1", 2, b"{}"))) == set(messages["earlyCopy"]["payload"]["required"])


def test_the_answers_have_the_form_described() -> None:
    messages = DESCRIBED["components"]["messages"]
    assert re.search(messages["conflict"]["payload"]["pattern"], "409 12\n")
    assert re.search(messages["cosignature"]["payload"]["pattern"], "— soc.example.org AAAA\n")


def test_every_reference_leads_somewhere() -> None:
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(DESCRIBED)):
        place = DESCRIBED
        for step in reference.split("/"):
            place = place[step]


def test_the_entry_types_are_those_that_a_log_can_have() -> None:
    entry = DESCRIBED["components"]["messages"]["earlyCopy"]["payload"]["properties"]["entry"]
    assert set(entry["properties"]["type"]["enum"]) == _TYPES | {"log.open", "boot"}
