"""Whatever the wire does to frames, a complete payload is one that was sent whole on its key."""

from hypothesis import given
from hypothesis import strategies as st

from busgate.decode.isotp import Broken, Complete, Single, Step, Watcher
from support.isotp_encode import encode

FRAMES = st.binary(max_size=64)
WIDTHS = st.sampled_from([8, 12, 16, 20, 24, 32, 48, 64])


def whole(steps: list[Step]) -> list[bytes]:
    return [step.payload for step in steps if isinstance(step, Single | Complete)]


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 3), FRAMES, st.integers(0, 1), st.booleans())))
def test_no_bytes_raise(frames: list[tuple[int, int, bytes, int, bool]]) -> None:
    watcher = Watcher(max_transfers=2, max_length=5000)
    for at, key, data, address_bytes, fd in frames:
        step = watcher.receive(at, key, data, address_bytes=address_bytes, fd=fd)
        assert isinstance(step, Step)
        assert not isinstance(step, Single | Complete) or 0 < len(step.payload) <= 5000
        watcher.tick(at)
        watcher.next_deadline()


@given(st.binary(min_size=1, max_size=600), WIDTHS, st.sampled_from([b"", b"\xf1"]), st.sampled_from([None, 0, 0xAA]))
def test_every_payload_survives_being_cut_into_frames(
    payload: bytes, width: int, prefix: bytes, padding: int | None
) -> None:
    frames = encode(payload, width=width, prefix=prefix, padding=padding)
    watcher = Watcher()
    steps = [watcher.receive(0, 1, data, address_bytes=len(prefix), fd=width > 8) for data in frames]
    assert whole(steps) == [payload]
    assert not any(isinstance(step, Broken) for step in steps)


@given(st.data(), st.lists(st.lists(st.binary(min_size=1, max_size=120), max_size=3), min_size=2, max_size=5))
def test_interleaved_keys_give_exactly_their_payloads(data: st.DataObject, sent: list[list[bytes]]) -> None:
    queues = {key: [frame for payload in payloads for frame in encode(payload)] for key, payloads in enumerate(sent)}
    watcher, got = Watcher(), {key: list[Step]() for key in queues}
    while any(queues.values()):
        key = data.draw(st.sampled_from([key for key, queue in queues.items() if queue]))
        got[key].append(watcher.receive(0, key, queues[key].pop(0)))
    assert [whole(got[key]) for key in sorted(queues)] == sent


MISHAPS = st.tuples(st.sampled_from(["drop", "double", "swap"]), st.integers(0, 40), st.integers(0, 40))


# Up to 15 consecutive frames: beyond, four-bit sequence numbers cannot tell a lost round from none (9.6.4.3).
@given(
    st.binary(min_size=8, max_size=6 + 15 * 7),
    st.lists(
        st.tuples(st.sampled_from(["drop", "double", "swap"]), st.integers(0, 40), st.integers(0, 40)), min_size=1
    ),
    st.binary(min_size=1, max_size=200),
)
def test_lost_doubled_and_swapped_frames_never_make_a_wrong_payload(
    payload: bytes, mishaps: list[tuple[str, int, int]], following: bytes
) -> None:
    frames = encode(payload)
    for mishap, here, there in mishaps:
        if not frames:
            break
        one, other = here % len(frames), there % len(frames)
        match mishap:
            case "drop":
                del frames[one]
            case "double":
                frames.insert(other, frames[one])
            case _:
                frames[one], frames[other] = frames[other], frames[one]
    watcher = Watcher()
    assert all(got == payload for got in whole([watcher.receive(0, 1, data) for data in frames]))
    assert whole([watcher.receive(0, 1, data) for data in encode(following)]) == [following]


@given(st.lists(st.binary(min_size=8, max_size=8), max_size=60), st.integers(1, 4))
def test_memory_stays_within_its_bound(frames: list[bytes], most: int) -> None:
    watcher = Watcher(max_transfers=most)
    for key, data in enumerate(frames):
        watcher.receive(0, key, data)
        assert len(watcher._open) <= most
        assert len(watcher._evicted) <= most
