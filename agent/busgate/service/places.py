"""Where the things lie that ship with busgate: vehicle profiles and recorded scenarios.

Law: what the user names by path is taken as that path; a bare name is looked up among what is shipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

from busgate.model import BusgateError

_CHECKOUT = Path(__file__).resolve().parents[3]
_INSTALLED = Path(sys.prefix) / "share" / "busgate"


def profile_folder(named: str) -> Path:
    """The folder of a profile, named by its folder, its `profile.yaml` or the name of a shipped one."""
    given = Path(named)
    if given.is_file():
        return given.parent
    if (given / "profile.yaml").is_file():
        return given
    for root in (_CHECKOUT / "dbc", _INSTALLED / "dbc"):
        if (root / named / "profile.yaml").is_file():
            return root / named
    shipped = ", ".join(shipped_profiles()) or "none"
    raise BusgateError(
        f"there is no vehicle profile '{named}'. Next: give a folder that holds profile.yaml, or one of: {shipped}"
    )


def shipped_profiles() -> tuple[str, ...]:
    """The names of the profiles that came with busgate."""
    for root in (_CHECKOUT / "dbc", _INSTALLED / "dbc"):
        if names := sorted(path.parent.name for path in root.glob("*/profile.yaml")):
            return tuple(names)
    return ()


def scenario(name: str) -> Path:
    """A recorded scenario that came with busgate."""
    for root in (_CHECKOUT / "firmware-sim" / "scenarios", _INSTALLED / "scenarios"):
        if (root / name).is_file():
            return root / name
    raise BusgateError(f"the scenario {name} is missing from this installation. Next: install busgate again")
