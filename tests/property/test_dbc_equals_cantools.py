"""The compiled decoder against cantools itself: same values, same types, same refusals, whatever the bytes.

Three sources of layouts: the vectors, every DBC file of the repository, and layouts that hypothesis draws.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cantools.database.can.formats.dbc import load_string
from cantools.database.can.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from busgate.decode.dbc import Database, DbcError, MessageDecoder, Undecodable

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "tests/vectors/dbc").glob("*.dbc"), *(ROOT / "dbc").glob("**/*.dbc")])

Exact = tuple[str, str]


# ---------------------------------------------------------------- the oracle


def exact(value: object) -> Exact:
    """A value with its type, comparable bit for bit (-0.0 is not 0.0, NaN is NaN); labels count as their text."""
    if isinstance(value, float):
        return "float", value.hex()
    if isinstance(value, int):
        return "int", str(value)
    return "str", str(value)


def expected(message: Message, data: bytes) -> list[tuple[str, Exact]] | None:
    """What cantools makes of it, in its order; None where it refuses."""
    try:
        decoded: Any = message.decode(data, decode_choices=True, scaling=True)
    except Exception:  # noqa: BLE001 - it refuses in several ways: DecodeError, ValueError, OverflowError
        return None
    return [(name, exact(value)) for name, value in decoded.items()]


def got(decoder: MessageDecoder, data: bytes) -> list[tuple[str, Exact]] | None:
    decoded = decoder.decode(data)
    if isinstance(decoded, Undecodable):
        assert decoded.reason
        return None
    assert all(type(value) in (int, float, str) for value in decoded.values())
    return [(name, exact(value)) for name, value in decoded.items()]


def alone(message: Message, name: str) -> Message:
    """The message with this one signal, always present: cantools then gives its number whatever the multiplexers."""
    signal = copy.deepcopy(message.get_signal_by_name(name))
    signal.multiplexer_signal, signal.multiplexer_ids, signal.is_multiplexer = None, None, False
    return Message(
        message.frame_id, message.name, message.length, [signal], is_extended_frame=message.is_extended_frame
    )


def check(message: Message, decoder: MessageDecoder, data: bytes, names: Sequence[str]) -> None:
    """Decoder and readers of one message against cantools, on one payload."""
    whole = expected(message, data)
    assert got(decoder, data) == whole
    numbers = decoder.reader(names)(data)
    raws = decoder.raw_reader(names)(data)
    assert len(numbers) == len(raws) == len(names)
    if len(data) < message.length:
        assert {*numbers, *raws} <= {None}
        return
    for name, number, raw in zip(names, numbers, raws, strict=True):
        if number is None or raw is None:
            assert number is raw
            assert whole is None or name not in dict(whole)
            continue
        assert whole is None or name in dict(whole)
        only = alone(message, name)
        assert exact(number) == exact(only.decode(data, decode_choices=False, scaling=True)[name])  # type: ignore[call-overload]
        assert exact(raw) == exact(only.decode(data, decode_choices=False, scaling=False)[name])  # type: ignore[call-overload]


def payloads(length: int) -> st.SearchStrategy[bytes]:
    """Payloads of about this length: noise, or small numbers, which multiplexers select with."""
    byte = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 5, 9, 0x7F, 0x80, 0xFF]))
    fits = st.lists(byte, min_size=length, max_size=length).map(bytes)
    return st.one_of(fits, st.binary(min_size=length, max_size=length), st.binary(max_size=length + 4))


# ---------------------------------------------------------------- files


@cache
def loaded(path: Path) -> list[tuple[Message, MessageDecoder]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    database = Database.load({path.name: text})
    return [(message, database.decoders[message.name]) for message in load_string(text, strict=True).messages]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_file_decodes_as_cantools_does(path: Path, data: st.DataObject) -> None:
    message, decoder = data.draw(st.sampled_from(loaded(path)), "message")
    names = data.draw(st.lists(st.sampled_from(decoder.signals), max_size=3) if decoder.signals else st.just([]))
    check(message, decoder, data.draw(payloads(message.length)), names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_gives_every_signal_its_unit(path: Path) -> None:
    for message, decoder in loaded(path):
        assert {signal.name: signal.unit or "" for signal in message.signals} == decoder.units
        assert tuple(message.senders) == decoder.senders


# ---------------------------------------------------------------- drawn layouts


SCALES = st.sampled_from(["1", "1", "1.0", "2", "-3", "0.1", "0.5", "-0.25", "2.0", "0.001", "0", "1e3"])
OFFSETS = st.sampled_from(["0", "0", "0.0", "-0.0", "1", "-40", "0.5", "-273.15"])
LABELS = st.dictionaries(st.integers(-3, 6), st.sampled_from(["off", "on", "error", "", "it's", 'a \\" b']), max_size=4)


def bits_of(start: int, length: int, *, intel: bool) -> frozenset[int]:
    """The bits a signal takes, as DBC numbers them."""
    if intel:
        return frozenset(range(start, start + length))
    first = 8 * (start // 8) + 7 - start % 8
    return frozenset(8 * (at // 8) + 7 - at % 8 for at in range(first, first + length))


class Drawing:
    """One message being drawn: its signals, and the entries that go with them."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw
        self.length: int = draw(st.sampled_from([1, 2, 3, 5, 7, 8, 8, 8, 12, 64]))
        self._lines: list[str] = []
        self._entries: list[str] = []
        self._count = 0

    def text(self) -> str:
        self.signals(frozenset(), None, depth=0)
        return "\n".join(['VERSION ""', "", f"BO_ 1 Drawn: {self.length} ECU", *self._lines, "", *self._entries, ""])

    def signals(self, taken: frozenset[int], parent: tuple[str, int] | None, depth: int) -> frozenset[int]:
        """Draw a few signals beside those taken; the bits taken then, by them and all that they select."""
        for _ in range(self._draw(st.sampled_from([1, 2, 4, 6] if depth == 0 else [0, 1, 2]))):
            multiplexer = depth < 3 and self._draw(st.integers(0, 2)) == 0
            placed = self._place(taken, multiplexer=multiplexer)
            if placed is None:
                continue
            start, bits, intel, own = placed
            name = self._signal(start, bits, intel=intel, parent=parent, multiplexer=multiplexer)
            taken |= own
            if multiplexer:
                under = [
                    self.signals(taken, (name, number), depth + 1)
                    for number in self._draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
                ]
                taken = taken.union(*under)
        return taken

    def _place(self, taken: frozenset[int], *, multiplexer: bool) -> tuple[int, int, bool, frozenset[int]] | None:
        widths = [1, 2, 3, 4, 8] if multiplexer else [1, 2, 4, 5, 8, 8, 11, 12, 16, 16, 24, 32, 33, 40, 64, 70]
        bits = self._draw(st.sampled_from(widths))
        intel = self._draw(st.booleans())
        whole = frozenset(range(8 * self.length))
        free = [
            (start, own)
            for start in range(8 * self.length)
            if (own := bits_of(start, bits, intel=intel)) <= whole and not own & taken
        ]
        if not free:
            return None
        start, own = self._draw(st.sampled_from(free))
        return start, bits, intel, own

    def _signal(self, start: int, bits: int, *, intel: bool, parent: tuple[str, int] | None, multiplexer: bool) -> str:
        draw, name = self._draw, f"s{self._count}"
        self._count += 1
        mark = (f"m{parent[1]}" if parent else "") + ("M" if multiplexer else "")
        plain = multiplexer and draw(st.integers(0, 3)) > 0
        scale, offset = ("1", "0") if plain else (draw(SCALES), draw(OFFSETS))
        place = f"{start}|{bits}@{int(intel)}{draw(st.sampled_from('+-'))}"
        self._lines.append(f' SG_ {name} {mark} : {place} ({scale},{offset}) [0|0] "u" ECU')
        if parent:
            last = parent[1] + draw(st.sampled_from([0, 0, 0, 2]))
            self._entries.append(f"SG_MUL_VAL_ 1 {name} {parent[0]} {parent[1]}-{last};")
        if bits in (16, 32, 64) and draw(st.integers(0, 3)) == 0:
            self._entries.append(f"SIG_VALTYPE_ 1 {name} : {1 + (bits == 64)};")
        if draw(st.integers(0, 2)) == 0 and (labels := draw(LABELS)):
            table = " ".join(f'{number} "{label}"' for number, label in labels.items())
            self._entries.append(f"VAL_ 1 {name} {table} ;")
        return name


@st.composite
def drawn_texts(draw: Callable[..., Any]) -> str:
    return Drawing(draw).text()


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=drawn_texts(), data=st.data())
def test_drawn_layouts_decode_as_cantools_does(text: str, data: st.DataObject) -> None:
    try:
        (message,) = load_string(text, strict=True).messages
    except Exception:  # noqa: BLE001 - a range reached into a neighbour's branch: the layout overlaps
        with pytest.raises(DbcError):
            Database.load({"drawn.dbc": text})
        return
    decoder = Database.load({"drawn.dbc": text}).decoders["Drawn"]
    for payload in data.draw(st.lists(payloads(message.length), min_size=3, max_size=6)):
        names = data.draw(st.lists(st.sampled_from(decoder.signals), max_size=3) if decoder.signals else st.just([]))
        check(message, decoder, payload, names)


def wild_signals() -> st.SearchStrategy[str]:
    """Signals anywhere, also where there is no room for them."""
    start, bits = st.integers(-2, 66), st.sampled_from([-1, 0, 1, 2, 3, 5, 8, 9, 16, 33, 64, 65])
    mark = st.sampled_from(["", "", "M", "m0", "m1", "m1M", "x"])
    return st.builds(
        lambda start, bits, order, sign, marked, name: (
            f' SG_ {name} {marked} : {start}|{bits}@{order}{sign} (1,0) [0|0] "" ECU'
        ),
        *(start, bits, st.sampled_from("01"), st.sampled_from("+-"), mark, st.sampled_from("abc")),
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(length=st.integers(-1, 9), lines=st.lists(wild_signals(), max_size=3), payload=st.binary(max_size=12))
def test_what_cantools_refuses_is_refused(length: int, lines: list[str], payload: bytes) -> None:
    text = "\n".join(['VERSION ""', f"BO_ 1 Wild: {length} ECU", *lines, ""])
    try:
        (message,) = load_string(text, strict=True).messages
    except Exception:  # noqa: BLE001 - cantools refuses a layout with whatever its parser trips over
        with pytest.raises(DbcError):
            Database.load({"wild.dbc": text})
        return
    if unreadable(message):  # cantools finds out with the payload, or never
        with pytest.raises(DbcError):
            Database.load({"wild.dbc": text})
        return
    decoder = Database.load({"wild.dbc": text}).decoders["Wild"]
    check(message, decoder, payload, decoder.signals)


def unreadable(message: Message) -> bool:
    """Whether cantools took a message that it cannot decode, or that holds signals it never shows or shows as one."""
    names = [signal.name for signal in message.signals]
    return (
        message.length < 0
        or len(set(names)) < len(names)
        or any(signal.start < 0 for signal in message.signals)
        or set(names) != set(shown(message.signal_tree))
    )


def shown(tree: Any) -> Iterator[str]:
    """The signals that some payload shows."""
    for node in tree:
        if isinstance(node, str):
            yield node
        else:
            for name, branches in node.items():
                yield name
                for branch in branches.values():
                    yield from shown(branch)


# ---------------------------------------------------------------- broken text


TEXTS = [
    path.read_text(encoding="utf-8") for path in FILES if path.name in ("mux_extended.dbc", "labels.dbc", "fd.dbc")
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_text_is_loaded_or_told_in_one_line(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.sampled_from([0, 1, 1, 3, 20]))
        text = text[:at] + data.draw(st.text('0129mM:;|@"_ -\n\\aé', max_size=4)) + text[at + gone :]
    outcome = load_or_fault(text)
    if isinstance(outcome, str):
        assert outcome.startswith("broken.dbc:")
        assert "\n" not in outcome
        return
    for decoder in outcome.decoders.values():
        decoder.decode(bytes(decoder.length))


def load_or_fault(text: str) -> Database | str:
    try:
        return Database.load({"broken.dbc": text})
    except DbcError as fault:
        return str(fault)
