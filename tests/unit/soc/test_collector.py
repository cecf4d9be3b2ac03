"""The SOC without its sockets: what it makes of messages that come twice, late, altered, or from somebody else."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.record.checkpoint import Submission
from busgate.record.log import Log
from busgate.report import bundle, topics
from busgate.report.messages import State, early_copy
from busgate.trust.keys import test_signer
from busgate.trust.note import Cosigner, KeyType, Signer, Verifier, open_note
from busgate_soc.archive import Archive, ArchiveError
from busgate_soc.collector import Collector
from busgate_soc.happenings import Alarm, Asked, Early, Fault, Happening, Presence, Reply, Strange, Verified
from busgate_soc.happenings import Log as Which
from busgate_soc.keyring import Basis, Keyring
from support.reporting import DEVICE, DEVICE_KEY, SOC_KEY, grow, open_log, signer

Message = tuple[str, bytes]
NOW = 1_767_000_000.0


def collector(*given: Verifier, key: Signer | None = SOC_KEY, state: Path | None = None) -> Collector:
    archive = Archive(state)
    cosigner = None if key is None else Cosigner(key.name, key.key)
    return Collector(Keyring(given or (DEVICE_KEY.verifier,), archive.remembered()), archive, cosigner)


def trusting(state: Path | None = None) -> Collector:
    """One that was given no key."""
    archive = Archive(state)
    return Collector(Keyring((), archive.remembered()), archive)


def entries(log: Log, first: int, count: int, device: str = DEVICE) -> Message:
    return topics.entries(device, log.incarnation), bundle.encode(first, log.entries(first, count))


def checkpoint(log: Log, old: int = 0, device: str = DEVICE) -> Message:
    return topics.checkpoint(device, log.incarnation), log.submission(old).text.encode()


def state(log: Log, *, online: bool = True, boot: int = 1, session: int = 1, size: int | None = None) -> Message:
    said = State(boot, session, online, log.origin, log.incarnation, log.size if size is None else size)
    return topics.state(DEVICE), said.payload


def told(soc: Collector, *messages: Message, now: float = NOW) -> list[Happening]:
    return [happening for topic, payload in messages for happening in soc.receive(topic, payload, now)]


def proven(happenings: Iterable[Happening]) -> list[int]:
    return [r.index for h in happenings if isinstance(h, Verified) for r in h.records]


def alarms(happenings: Iterable[Happening]) -> list[Alarm]:
    return [happening.alarm for happening in happenings if isinstance(happening, Fault)]


def answers(happenings: Iterable[Happening]) -> list[bytes]:
    return [happening.payload for happening in happenings if isinstance(happening, Reply)]


@pytest.fixture
def log() -> Log:
    made = open_log()
    grow(made, 20)
    return made


def test_records_are_told_once_a_signed_head_proves_them_and_it_is_cosigned(log: Log) -> None:
    soc = collector()
    assert told(soc, entries(log, 0, 22)) == []
    reply, verified = told(soc, checkpoint(log))
    assert isinstance(verified, Verified)
    assert (verified.size, verified.root, verified.basis, verified.cosigned) == (22, log.root, Basis.GIVEN, True)
    assert [record.index for record in verified.records] == list(range(22))
    assert isinstance(reply, Reply)
    witness = Verifier(SOC_KEY.name, KeyType.COSIGNATURE, SOC_KEY.verifier.public)
    assert open_note(log.checkpoint + reply.payload.decode(), [witness]).signatures[0].time == int(NOW)


def test_a_head_that_comes_before_its_records_waits_for_them(log: Log) -> None:
    soc = collector()
    assert told(soc, checkpoint(log), entries(log, 10, 12)) == []
    assert proven(told(soc, entries(log, 0, 10))) == list(range(22))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_order_and_any_repetition_tell_every_record_once(seed: int) -> None:
    log = open_log()
    soc, chance, seen = collector(), random.Random(seed), []
    for _ in range(3):
        grow(log, chance.randint(1, 9))
        messages = [entries(log, first, chance.randint(1, 7)) for first in range(log.size)]
        messages += [checkpoint(log)] * 2 + chance.sample(messages, 3)
        chance.shuffle(messages)
        seen += told(soc, *messages)
    assert proven(seen) == list(range(log.size))
    assert alarms(seen) == []
    assert soc.sizes == {(DEVICE, log.incarnation): (log.size, log.size)}


def test_the_same_head_again_is_cosigned_again_but_told_once(log: Log) -> None:
    soc = collector()
    told(soc, entries(log, 0, 22), checkpoint(log))
    again = told(soc, checkpoint(log))
    assert [type(happening) for happening in again] == [Reply]


def test_without_a_key_of_its_own_it_verifies_and_does_not_cosign(log: Log) -> None:
    (verified,) = told(collector(key=None), entries(log, 0, 22), checkpoint(log))
    assert isinstance(verified, Verified)
    assert not verified.cosigned


def test_a_gap_is_asked_for_after_a_moment_and_less_often_when_nothing_comes(log: Log) -> None:
    soc = collector()
    told(soc, entries(log, 0, 5), entries(log, 8, 14))
    assert list(soc.tick(NOW + 0.4)) == []
    asked, reply = soc.tick(NOW + 0.5)
    assert asked == Asked(Which(DEVICE, log.incarnation), 5, 22)
    assert reply == Reply(topics.cosignature(DEVICE, log.incarnation), b"409 5\n")
    times = [tick / 10 for tick in range(6, 3000) if list(soc.tick(NOW + tick / 10))]
    waits = [round(later - earlier, 1) for earlier, later in zip([0.5, *times], times, strict=False)]
    assert waits[:6] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0]


def test_a_late_joiner_asks_for_what_the_device_announced(log: Log) -> None:
    soc = collector()
    assert told(soc, state(log)) == [Presence(DEVICE, True, log.incarnation, 22)]
    assert answers(soc.tick(NOW + 1)) == [b"409 0\n"]


def test_a_device_that_is_away_is_not_asked(log: Log) -> None:
    soc = collector()
    told(soc, state(log), state(log, online=False))
    assert list(soc.tick(NOW + 100)) == []


def test_a_will_that_overtook_the_next_birth_is_known_to_be_old(log: Log) -> None:
    soc = collector()
    told(soc, state(log, session=1), state(log, session=2))
    assert told(soc, state(log, online=False, session=1)) == []
    assert soc.online == ((DEVICE, log.incarnation),)
    assert told(soc, state(log, online=False, session=2)) == [Presence(DEVICE, False, log.incarnation, 22)]


def test_a_head_by_another_key_is_refused_and_said_once(log: Log) -> None:
    soc = collector(signer(9).verifier)
    happenings = told(soc, entries(log, 0, 22), checkpoint(log), checkpoint(log))
    assert alarms(happenings) == [Alarm.REFUSED]
    assert answers(happenings) == []


def test_a_head_with_a_false_signature_is_refused(log: Log) -> None:
    topic, body = checkpoint(log)
    forged = body[:-6] + b"AAAA=\n" if not body.endswith(b"AAAA=\n") else body[:-6] + b"BBBB=\n"
    happenings = told(collector(), entries(log, 0, 22), (topic, forged))
    assert alarms(happenings) == [Alarm.REFUSED]
    assert proven(happenings) == []


def test_another_devices_log_on_this_devices_topics_is_refused() -> None:
    other = open_log(device="bus-2")
    happenings = told(collector(), entries(other, 0, 2), checkpoint(other))
    assert alarms(happenings) == [Alarm.REFUSED]


def test_a_key_named_after_a_log_speaks_for_that_device_only() -> None:
    mine = open_log()
    soc = collector(mine.verifier)
    assert proven(told(soc, entries(mine, 0, 2), checkpoint(mine))) == [0, 1]
    stranger = collector(DEVICE_KEY.verifier.named("device.example.org/log/bus-2/1-x"))
    assert alarms(told(stranger, entries(mine, 0, 2), checkpoint(mine))) == [Alarm.REFUSED]


def test_two_heads_that_cannot_both_be_true_end_the_logs_credit(log: Log, tmp_path: Path) -> None:
    clone = open_log()
    grow(clone, 10, name="VCU_Other")
    soc = collector(state=tmp_path)
    told(soc, entries(log, 0, 22), checkpoint(log))
    assert alarms(told(soc, checkpoint(clone))) == [Alarm.CONTRADICTION]
    grow(log, 5)
    after = told(soc, entries(log, 22, 5), checkpoint(log, 22))
    assert answers(after) == []
    soc._archive.close()
    again = collector(state=tmp_path)
    assert answers(told(again, entries(log, 22, 5), checkpoint(log, 22))) == []


def test_a_longer_history_of_a_clone_is_an_alarm_and_not_cosigned(log: Log) -> None:
    clone = open_log()
    grow(clone, 40, name="VCU_Other")
    soc = collector()
    told(soc, entries(log, 0, 22), checkpoint(log))
    first = told(soc, entries(clone, 22, 20), checkpoint(clone, 22))
    assert alarms(first) == [Alarm.DIVERGES]
    assert answers(first) == [b"409 22\n"]
    grow(log, 40)
    caught = told(soc, entries(log, 22, 40), checkpoint(log, 22))
    assert alarms(caught) == [Alarm.CONTRADICTION]
    assert not any(b"soc.example.org" in answer for answer in answers(caught))
    assert proven(caught) == list(range(22, 62)), "what it says is still shown"


def test_records_altered_on_the_way_are_asked_for_again_without_an_alarm(log: Log) -> None:
    soc = collector()
    told(soc, entries(log, 0, 22), checkpoint(log))
    grow(log, 5)
    forged = (topics.entries(DEVICE, log.incarnation), bundle.encode(22, [b'{"forged":1}'] * 5))
    happenings = told(soc, forged, checkpoint(log, 22))
    assert alarms(happenings) == []
    assert answers(happenings) == [b"409 22\n"]
    assert proven(told(soc, entries(log, 22, 5), checkpoint(log, 22))) == list(range(22, 27))


def test_records_altered_time_and_again_are_an_alarm(log: Log) -> None:
    soc = collector()
    forged = (topics.entries(DEVICE, log.incarnation), bundle.encode(0, [b'{"forged":1}'] * 22))
    assert alarms(told(soc, forged, checkpoint(log))) == []
    assert alarms(told(soc, forged, checkpoint(log))) == [Alarm.DIVERGES]


def test_a_proven_record_sent_again_with_other_contents_is_an_alarm_and_changes_nothing(log: Log) -> None:
    soc = collector()
    told(soc, entries(log, 0, 22), checkpoint(log))
    forged = (topics.entries(DEVICE, log.incarnation), bundle.encode(3, [b'{"forged":1}']))
    assert alarms(told(soc, forged)) == [Alarm.FOREIGN_RECORD]
    grow(log, 1)
    assert proven(told(soc, entries(log, 22, 1), checkpoint(log, 22))) == [22]


def test_an_older_head_is_answered_with_the_larger_size(log: Log) -> None:
    older = checkpoint(log)
    grow(log, 3)
    soc = collector()
    told(soc, entries(log, 0, 25), checkpoint(log))
    assert answers(told(soc, older)) == [b"409 25\n"]


def test_an_early_copy_is_confirmed_by_the_log_or_called_false(log: Log) -> None:
    soc = collector()
    right = early_copy(log.incarnation, 5, log.entries(5, 1)[0])
    wrong = early_copy(log.incarnation, 6, b'{"type":"alert","name":"invented"}')
    shown = told(soc, (topics.alert(DEVICE), right), (topics.alert(DEVICE), wrong), (topics.alert(DEVICE), right))
    assert [happening.index for happening in shown if isinstance(happening, Early)] == [5, 6]
    assert soc.unconfirmed == 2
    after = told(soc, entries(log, 0, 22), checkpoint(log))
    assert alarms(after) == [Alarm.FALSE_EARLY_COPY]
    head = next(happening for happening in after if isinstance(happening, Verified))
    assert [record.index for record in head.records if record.early] == [5]
    assert soc.unconfirmed == 0


def test_without_given_keys_the_first_key_is_remembered_and_a_change_refused(log: Log, tmp_path: Path) -> None:
    soc = trusting(tmp_path)
    (verified,) = told(soc, checkpoint(log), entries(log, 0, 22))
    assert isinstance(verified, Verified)
    assert verified.basis is Basis.CAME_WITH_LOG
    soc._archive.close()
    other = open_log(key=signer(9), boot="fe" * 16)
    assert alarms(told(trusting(tmp_path), entries(other, 0, 2), checkpoint(other))) == [Alarm.REFUSED]


def test_the_published_test_key_is_called_what_it_is() -> None:
    log = open_log(key=test_signer("replay"))
    (verified,) = told(trusting(), entries(log, 0, 2), checkpoint(log))
    assert isinstance(verified, Verified)
    assert verified.basis is Basis.TEST


def test_two_devices_with_one_key_are_an_alarm_and_the_second_is_not_cosigned(log: Log) -> None:
    soc, other = collector(), open_log(device="bus-2")
    told(soc, entries(log, 0, 22), checkpoint(log))
    happenings = told(soc, entries(other, 0, 2, "bus-2"), checkpoint(other, device="bus-2"))
    assert alarms(happenings) == [Alarm.SHARED_KEY]
    assert answers(happenings) == []


def test_a_new_log_that_names_none_before_it_is_an_alarm(log: Log) -> None:
    soc, second = collector(), open_log(boot="fe" * 16)
    told(soc, entries(log, 0, 22), checkpoint(log))
    assert alarms(told(soc, entries(second, 0, 2), checkpoint(second))) == [Alarm.NEW_LOG]


def test_a_restart_goes_on_from_what_was_kept(log: Log, tmp_path: Path) -> None:
    soc = collector(state=tmp_path)
    told(soc, entries(log, 0, 22), checkpoint(log))
    soc._archive.close()
    grow(log, 3)
    again = collector(state=tmp_path)
    assert again.sizes == {(DEVICE, log.incarnation): (22, 22)}
    assert proven(told(again, entries(log, 20, 5), checkpoint(log, 22))) == [22, 23, 24]


def test_kept_records_that_were_altered_stop_the_soc_with_a_sentence(log: Log, tmp_path: Path) -> None:
    soc = collector(state=tmp_path)
    told(soc, entries(log, 0, 22), checkpoint(log))
    connection = soc._archive._connection
    assert connection is not None
    connection.execute("UPDATE record SET raw = x'7b7d' WHERE idx = 3")
    soc._archive.close()
    with pytest.raises(ArchiveError, match=r"altered here. Next: keep the folder as evidence"):
        collector(state=tmp_path)


def test_two_watches_cannot_share_a_state_folder(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    first.remember("bus-1", bytes(32))
    with pytest.raises(ArchiveError, match="Next: stop the other watch"):
        Archive(tmp_path)
    first.close()


def test_a_state_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ArchiveError, match="Next: name a folder you can write"):
        Archive(tmp_path / "file")


@settings(max_examples=60, deadline=None)
@given(
    payload=st.binary(max_size=300),
    name=st.sampled_from(["up/1-x/entries", "up/1-x/checkpoint", "up/alert", "up/state"]),
)
def test_no_bytes_on_any_topic_raise(payload: bytes, name: str) -> None:
    soc = trusting()
    happenings = told(soc, (f"busgate/1/bus-1/{name}", payload))
    assert all(isinstance(happening, (Strange, Fault)) for happening in happenings)


@pytest.mark.parametrize("topic", ["", "other", "busgate/1/bus-1/down/1/cosig", "busgate/1/bus-1/up/1/else"])
def test_topics_that_are_not_ours_are_strange(topic: str) -> None:
    assert [type(happening) for happening in told(trusting(), (topic, b""))] == [Strange]


def test_an_early_copy_that_names_no_possible_log_is_strange() -> None:
    (strange,) = told(trusting(), (topics.alert(DEVICE), early_copy("../#", 1, b"{}")))
    assert isinstance(strange, Strange)


def test_a_checkpoint_with_its_proof_taken_away_is_judged_by_the_records(log: Log) -> None:
    soc = collector()
    told(soc, entries(log, 0, 22), checkpoint(log))
    grow(log, 5)
    bare = (topics.checkpoint(DEVICE, log.incarnation), Submission(22, (), log.checkpoint).text.encode())
    assert proven(told(soc, entries(log, 22, 5), bare)) == list(range(22, 27))
