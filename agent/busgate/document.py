"""YAML documents read strictly: one dialect, no surprises, and every error names its line and field.

Law: text in, values out; nothing here opens a file. A key given twice, an unknown field or a value of the wrong
kind is an error in the writer's own terms, never a default.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from busgate.model import BusgateError

Path = tuple[int | str, ...]


class DocumentError(BusgateError):
    """A document that does not say what it must; the message has one line per fault: `name:line: field: what`."""


class Strict(BaseModel):
    """The base of every value read from a document: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Model = TypeVar("Model", bound=BaseModel)


class _OneKeyOnce(yaml.SafeLoader):
    """A safe loader that refuses a key given twice (YAML 1.2, 3.2.1.3) and reads dates and times as text.

    A key is a word: `true:` and `false:` are fields of that name. A tag is no word of the dialect: what stands there is
    what it looks like (PyYAML raises whatever it meets where they differ). What an anchor names has no alias in it, so
    that a short text never stands for a huge value.
    """

    _within_anchor = False

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs do not type it
        if getattr(event, "tag", None) not in {None, "!"}:
            raise yaml.composer.ComposerError(None, None, "a tag; write the value without it", event.start_mark)
        anchor = getattr(event, "anchor", None)
        if anchor is None:
            return super().compose_node(parent, index)
        if self._within_anchor:
            what = "an anchor or alias within what has an anchor; write it out"
            raise yaml.composer.ComposerError(None, None, what, event.start_mark)
        self._within_anchor = not isinstance(event, yaml.AliasEvent)
        node = super().compose_node(parent, index)
        self._within_anchor = False
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:bool":
                key_node.tag, key_node.value = "tag:yaml.org,2002:str", key_node.value.lower()
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a plain word", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


# Times stay text (their fields parse them), and `on`, `off`, `yes`, `no` stay words: only true and false are booleans.
_OneKeyOnce.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and not (tag == "tag:yaml.org,2002:bool" and first in "yYnNoO")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


GUIDE = "'busgate policy schema' or the profile guide"


def read(text: str, model: type[Model], name: str, guide: str = GUIDE) -> Model:
    """Read `text` as a `model`; `name` is what errors call the document (usually its file name).

    `guide` is where its writer finds the fields that there are.
    """
    try:
        loader = _OneKeyOnce(text)
        node = loader.get_single_node()
        plain = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as fault:
        raise DocumentError(_yaml_fault(fault, name)) from None
    except (ValueError, RecursionError) as fault:
        raise DocumentError(f"{name}: this is not readable as YAML: {fault}") from None
    if node is None or not isinstance(plain, dict):
        raise DocumentError(f"{name}: expected fields such as 'name: value', found {type(plain).__name__}")
    try:
        return model.model_validate(plain)
    except ValidationError as fault:
        raise DocumentError("\n".join(_field_faults(fault, node, name, guide))) from None


def _yaml_fault(fault: yaml.YAMLError, name: str) -> str:
    mark = getattr(fault, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    return f"{where}: {getattr(fault, 'problem', None) or str(fault).splitlines()[0]}"


def _field_faults(fault: ValidationError, node: yaml.Node, name: str, guide: str) -> list[str]:
    lines = []
    for error in fault.errors():
        line, path = _line_of(node, error["loc"])
        field = ".".join(str(part) for part in path) or "document"
        what = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            what = f"there is no such field; see {guide} for the ones there are"
        lines.append(f"{name}:{line}: {field}: {what}")
    return lines


def _line_of(node: yaml.Node, location: Path) -> tuple[int, Path]:
    """The line of the deepest part of `location` that the document has, and the path as the writer sees it."""
    line = node.start_mark.line + 1
    written: list[int | str] = []
    for part in location:
        child = _child(node, part)
        if child is None:
            if isinstance(part, str) and part.isidentifier():
                written.append(part)
            continue
        key_line, node = child
        line = key_line
        written.append(part)
    return line, tuple(written)


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None
