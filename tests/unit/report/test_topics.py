"""The topic table, and names that must not get into it."""

from __future__ import annotations

import pytest

from busgate.report import topics
from busgate.report.topics import Channel, Topic, TopicError


def test_the_topics_are_those_of_the_table() -> None:
    assert topics.entries("bus-1", "1-ab") == "busgate/1/bus-1/up/1-ab/entries"
    assert topics.checkpoint("bus-1", "1-ab") == "busgate/1/bus-1/up/1-ab/checkpoint"
    assert topics.cosignature("bus-1", "1-ab") == "busgate/1/bus-1/down/1-ab/cosig"
    assert topics.alert("bus-1") == "busgate/1/bus-1/up/alert"
    assert topics.state("bus-1") == "busgate/1/bus-1/up/state"
    assert topics.policy("bus-1") == "busgate/1/bus-1/down/policy"


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "a b", "$SYS", "-a", "bus\n", "bus\x00", "büs", "a" * 65])
def test_a_name_that_is_no_plain_word_never_reaches_a_topic(name: str) -> None:
    with pytest.raises(TopicError, match="letters, digits"):
        topics.alert(name)
    with pytest.raises(TopicError):
        topics.entries("bus-1", name)


@pytest.mark.parametrize(
    ("topic", "taken_apart"),
    [
        ("busgate/1/b/up/1/entries", Topic(Channel.ENTRIES, "b", "1")),
        ("busgate/1/b/up/1/checkpoint", Topic(Channel.CHECKPOINT, "b", "1")),
        ("busgate/1/b/down/1/cosig", Topic(Channel.COSIGNATURE, "b", "1")),
        ("busgate/1/b/up/alert", Topic(Channel.ALERT, "b")),
        ("busgate/1/b/up/state", Topic(Channel.STATE, "b")),
        ("busgate/1/b/down/policy", Topic(Channel.POLICY, "b")),
        ("busgate/2/b/up/alert", None),
        ("busgate/1/b/up/1/alert", None),
        ("busgate/1/b/up/policy", None),
        ("busgate/1/b/down/1/entries", None),
        ("busgate/1//up/alert", None),
        ("busgate/1/b/up/alert/", None),
        ("", None),
    ],
)
def test_a_topic_is_taken_apart_or_is_nobodys(topic: str, taken_apart: Topic | None) -> None:
    assert topics.parse(topic) == taken_apart


def test_a_listener_hears_one_device_or_all() -> None:
    assert topics.subscriptions(None)[0] == "busgate/1/+/up/+/entries"
    assert topics.subscriptions("bus-1")[2:] == ("busgate/1/bus-1/up/alert", "busgate/1/bus-1/up/state")
