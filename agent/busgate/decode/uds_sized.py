"""Steps for the parameters of a UDS payload whose length another parameter gives: addresses, sizes, names of files.

Law: as in uds_fields; a length that can never be met is a fault as soon as it is read.
"""

from __future__ import annotations

from busgate.decode.uds_fields import MOST_SHOWN, Fields, Step, exact


def address_and_size(fields: Fields) -> bool:
    """A memory address and a size, as long as the format byte before them says (annex H.1)."""
    form = fields.number(1)
    return form is not None and _place(fields, form)


def places(fields: Fields) -> bool:
    """One format byte, then addresses and sizes up to the end of the payload (11.6); the first is shown."""
    form = fields.number(1)
    if form is None or not _place(fields, form):
        return False
    while not fields.ended:
        if not _place(fields, form):
            return False
    return True


def _place(fields: Fields, form: int) -> bool:
    address_bytes, size_bytes = form & 0x0F, form >> 4
    if not address_bytes or not size_bytes:
        fields.fault = f"says by 0x{form:02X} that its memory address or size has no bytes"
        return False
    if fields.lacks(address_bytes + size_bytes):
        return False
    address, size = fields.number(address_bytes), fields.number(size_bytes)
    if address is None or size is None:
        return False
    fields.values.setdefault("memory_address", exact(address))
    fields.values.setdefault("memory_size", exact(size))
    return True


def sources(fields: Fields) -> bool:
    """Pieces of other data identifiers up to the end of the payload, one at least (11.6, defineByIdentifier)."""
    found: list[str] = []
    while not found or not fields.ended:
        piece = fields.take(4)
        if piece is None:
            return False
        found.append(f"0x{int.from_bytes(piece[:2]):04X}[{piece[2]}:{piece[2] + piece[3]}]")
        fields.values["made_of"] = ", ".join(found)
    return True


def block_length(fields: Fields) -> bool:
    """The longest TransferData request the ECU takes, as long as the format byte before it says (15.2)."""
    form = fields.number(1)
    found = None if form is None else fields.number(form >> 4)
    if found is None:
        return False
    fields.values["most_block_bytes"] = exact(found)
    return True


def sized_text(name: str, size_bytes: int) -> Step:
    """A text with its length before it (15.6, filePathAndName)."""

    def step(fields: Fields) -> bool:
        length = fields.number(size_bytes)
        if length is None:
            return False
        start = fields.at
        whole = fields.take(length)
        seen = fields.data[start : start + min(length, 4 * MOST_SHOWN)]
        fields.values[name] = seen.decode("ascii", "backslashreplace") + ("…" if len(seen) < length else "")
        return whole is not None

    return step


def sized_number(name: str, size_name: str) -> Step:
    """A number as long as the value `size_name` says."""

    def step(fields: Fields) -> bool:
        size = fields.values.get(size_name, 0)
        found = fields.number(size) if isinstance(size, int) else None
        if found is None:
            return False
        fields.values[name] = exact(found)
        return True

    return step
