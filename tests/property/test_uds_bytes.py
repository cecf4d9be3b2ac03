"""No bytes, and no order of messages, bring the UDS decoders down or make them remember without end."""

from hypothesis import given
from hypothesis import strategies as st

from busgate.decode.uds import Bad, Reading, read, split_dids
from busgate.decode.uds_pairs import Pairs
from busgate.decode.uds_services import SERVICES
from busgate.decode.uds_sessions import SessionEvent, Sessions
from busgate.model import DiagnosticKind

# Random bytes seldom hit a service; half of these begin with one, or with an answer to one.
SIDS = st.sampled_from([*SERVICES, *(sid | 0x40 for sid in SERVICES), 0x7F]).map(lambda sid: bytes([sid]))
PAYLOADS = st.binary(max_size=40) | st.builds(bytes.__add__, SIDS, st.binary(max_size=40))


def readings() -> st.SearchStrategy[Reading]:
    return PAYLOADS.map(read).filter(lambda found: isinstance(found, Reading)).map(_as_reading)


def _as_reading(found: Reading | Bad) -> Reading:
    assert isinstance(found, Reading)
    return found


@given(PAYLOADS, st.booleans(), st.none() | st.integers(-1, 1 << 33))
def test_any_bytes_are_a_reading_or_bad(payload: bytes, complete: bool, length: int | None) -> None:
    found = read(payload, complete=complete, length=length)
    if isinstance(found, Bad):
        assert found.reason
        return
    assert found.payload == payload
    assert found.length >= len(payload)
    assert found.kind is DiagnosticKind.REQUEST or not found.alters_state
    assert all(isinstance(value, str) or 0 <= value < 1 << 53 for value in found.details.values())


@given(st.builds(bytes.__add__, SIDS, st.binary(max_size=40)), st.data())
def test_the_first_bytes_never_contradict_the_whole(payload: bytes, data: st.DataObject) -> None:
    whole = read(payload)
    seen = data.draw(st.integers(1, len(payload)))
    part = read(payload[:seen], complete=False, length=len(payload))
    if isinstance(whole, Reading) and isinstance(part, Reading):
        assert part.service == whole.service
        assert part.subfunction in {None, whole.subfunction}
        assert part.routine in {None, whole.routine}
        assert whole.dids[: len(part.dids)] == part.dids
        assert part.length == whole.length
    elif isinstance(whole, Reading):
        assert payload[0] == 0x7F  # a negative response is never cut: it has three bytes


@given(st.binary(max_size=60), st.lists(st.integers(0, 0xFFFF), max_size=4))
def test_splitting_an_answer_loses_and_invents_nothing(payload: bytes, asked: list[int]) -> None:
    for did, value in split_dids(payload, tuple(asked)).items():
        assert did.to_bytes(2) + value in payload


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 5), st.integers(0, 1), readings(), st.booleans())))
def test_every_session_that_starts_ends_once(said: list[tuple[int, int, int, Reading, bool]]) -> None:
    sessions = Sessions(max_targets=3)
    events: list[SessionEvent] = []
    now = 0
    for wait, target, tester, found, functional in said:
        now += wait
        if found.kind is DiagnosticKind.REQUEST:
            events += sessions.request(now, tester, target, found, functional=functional)
        else:
            events += sessions.response(now, target, found)
        assert len(sessions._open) <= 3
        deadline = sessions.next_deadline()
        assert deadline is None or deadline > now
    events += sessions.end(now)
    assert sessions.next_deadline() is None
    open_since: dict[object, int] = {}
    for event in events:
        if event.stage == "start":
            assert event.target not in open_since
            open_since[event.target] = event.began
        else:
            assert open_since.pop(event.target) == event.began
            assert event.ended_by
            assert event.at >= event.began
    assert not open_since


@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 9), readings())))
def test_pairs_never_raise_and_stay_bounded(said: list[tuple[int, int, Reading]]) -> None:
    pairs = Pairs[int](functional=[9], max_ids=3)
    for at, identifier, found in said:
        if found.kind is DiagnosticKind.REQUEST:
            pairs.request(at, identifier, found)
        else:
            assert pairs.answer(at, identifier, found) != identifier
        assert len(pairs._waiting) <= 3
        assert len(pairs._learned) <= 3
