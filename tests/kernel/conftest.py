"""Keeps the host from collecting what only the guest can run."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("BUSGATE_IN_GUEST") else ["inside"]
