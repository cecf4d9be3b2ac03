"""What must hold of transport sessions whatever is sent: no exception, no wrong payload, no memory without bound."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from busgate.decode.j1939 import split
from busgate.decode.j1939_transport import Announced, Broken, Complete, Data, Handshake, Watcher
from support.j1939_encode import Sent, bam, etp, rts

GROUPS = (0xEC00, 0xEB00, 0xC800, 0xC700)
CONTROLS = (16, 17, 19, 20, 21, 22, 23, 32, 255)

short = st.binary(min_size=9, max_size=120)
damage = st.lists(st.tuples(st.sampled_from(("lose", "repeat", "swap")), st.integers(0, 400)), min_size=1, max_size=6)


@st.composite
def hostile_frames(draw: st.DrawFn) -> tuple[int, Sent]:
    """A pause and a frame: random bytes, or bytes close enough to a control or data frame to get deep."""
    can_id = draw(st.sampled_from(GROUPS)) << 8 | draw(st.integers(0, 3)) << 8 | draw(st.integers(0, 3))
    small = draw(st.lists(st.integers(0, 12), min_size=4, max_size=4))
    data = draw(
        st.one_of(
            st.binary(max_size=16),
            st.builds(lambda head: bytes([head, *small, 0, 0x1B, 0]), st.sampled_from(CONTROLS)),
            st.builds(lambda packets: bytes([16, packets * 7, 0, packets, 0xFF, 0, 0x1B, 0]), st.integers(2, 5)),
            st.just(bytes(small[:1]) + b"PAYLOAD"),
        )
    )
    return draw(st.integers(0, 2_000_000_000)), Sent(can_id, data)


@settings(max_examples=200)
@given(st.lists(hostile_frames(), max_size=60), st.integers(1, 4))
def test_no_bytes_raise_or_grow_the_watcher_beyond_its_bound(frames: list[tuple[int, Sent]], most: int) -> None:
    watcher = Watcher(max_sessions=most)
    now = 0
    for pause, sent in frames:
        now += pause
        if pause % 3 == 0:
            watcher.tick(now)
        step = watcher.receive(now, split(sent.can_id), sent.data)
        assert isinstance(step, (Announced, Data, Complete, Handshake, Broken))
        assert len(watcher._open) <= most
        deadline = watcher.next_deadline()
        assert deadline is None or isinstance(deadline, int)
    watcher.tick(now + 10_000_000_000)
    assert watcher.next_deadline() is None


@settings(max_examples=60)
@given(st.data(), st.lists(short, min_size=1, max_size=6), st.integers(1, 16))
def test_however_sessions_interleave_each_gives_exactly_its_payload(
    data: st.DataObject, payloads: list[bytes], window: int
) -> None:
    sessions: list[list[Sent]] = []
    for number, payload in enumerate(payloads):
        kind = data.draw(st.sampled_from(("bam", "rts", "etp")))
        if kind == "bam":
            sessions.append(bam(0xFE00 + number, number, payload))
        elif kind == "rts":
            sessions.append(rts(number << 8, number // 2, 0x80 + number, payload, window))
        else:
            sessions.append(list(etp(number << 8, number // 2, 0x80 + number, payload * 20, window)))
            payloads[number] = payload * 20
    watcher = Watcher()
    seen: list[bytes] = []
    while sessions:
        session = data.draw(st.sampled_from(sessions))
        sent = session.pop(0)
        step = watcher.receive(0, split(sent.can_id), sent.data)
        assert not isinstance(step, Broken)
        if isinstance(step, Complete):
            seen.append(step.payload)
        sessions = [session for session in sessions if session]
    assert sorted(seen) == sorted(payloads)


def _damaged(frames: Sequence[Sent], faults: list[tuple[str, int]]) -> list[Sent]:
    damaged = list(frames)
    for what, position in faults:
        if len(damaged) < 2:
            break
        index = position % (len(damaged) - 1)
        if what == "lose":
            del damaged[index]
        elif what == "repeat":
            damaged.insert(index, damaged[index])
        else:
            damaged[index], damaged[index + 1] = damaged[index + 1], damaged[index]
    return damaged


@settings(max_examples=200)
@given(short, damage, st.sampled_from(("bam", "rts", "etp")), st.integers(1, 8))
def test_no_damage_gives_a_wrong_payload_and_the_next_session_decodes(
    payload: bytes, faults: list[tuple[str, int]], kind: str, window: int
) -> None:
    def session(content: bytes) -> list[Sent]:
        if kind == "bam":
            return bam(0xFEEC, 1, content)
        return rts(0x1B00, 1, 2, content, window) if kind == "rts" else list(etp(0x1B00, 1, 2, content, window))

    watcher = Watcher()

    def given_payloads(frames: list[Sent]) -> list[bytes]:
        steps = [watcher.receive(0, split(sent.can_id), sent.data) for sent in frames]
        return [step.payload for step in steps if isinstance(step, Complete)]

    # An ETP packet is numbered within its block only (SAE J1939-21, 5.10.3.3): a block said twice whose offset was
    # lost fills another block's place, for the receiver and for us alike. One fault alone never does that.
    faults = faults[:1] if kind == "etp" else faults
    # Repeating the announcement repeats the whole transfer at most; whatever completes is what was sent.
    assert set(given_payloads(_damaged(session(payload), faults))) <= {payload}
    following = payload[::-1] + b"next"
    assert given_payloads(session(following)) == [following]


@given(short, st.sampled_from(("bam", "rts", "etp")), st.data())
def test_losing_any_one_packet_completes_nothing(payload: bytes, kind: str, data: st.DataObject) -> None:
    frames = {
        "bam": bam(0xFEEC, 1, payload),
        "rts": rts(0x1B00, 1, 2, payload),
        "etp": list(etp(0x1B00, 1, 2, payload)),
    }
    packets = [index for index, sent in enumerate(frames[kind]) if sent.can_id >> 16 & 0xFF in (0xEB, 0xC7)]
    lost = data.draw(st.sampled_from(packets))
    watcher = Watcher()
    kept = [sent for index, sent in enumerate(frames[kind]) if index != lost]
    steps = [watcher.receive(0, split(sent.can_id), sent.data) for sent in kept]
    assert not any(isinstance(step, Complete) for step in steps)
