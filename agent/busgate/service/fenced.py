"""The kernel's fence while the gate works: kept standing, told that the agent lives, and told the addresses of names.

Law: a fence that somebody took away or changed is put up again within a second, and the log says so.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from busgate.bridge.fence import Fence
from busgate.bridge.firewall import Firewall, LateError
from busgate.bridge.port import BridgeError
from busgate.model import BusgateError, Event, Loss

NAMES_S = 3600
"""How long the kernel lets the T-box reach an address that a DNS answer gave to a name of the policy."""

MOST_NAMES = 1024


class Fenced:
    """A fence that stands."""

    def __init__(self, firewall: Firewall, record: Callable[[Event], None], say: Callable[[str], None]) -> None:
        """Put it up.

        Raises:
            BridgeError: the kernel does not take it.
        """
        firewall.apply()
        self._firewall = firewall
        self._record = record
        self._say = say
        self._names: dict[tuple[str, str], None] = {}

    def heard_name(self, host: str, address: str) -> None:
        """A DNS answer gave a name this address; the kernel is told with the next `keep`."""
        if len(self._names) < MOST_NAMES:
            self._names[host, address] = None

    def keep(self, now: int) -> None:
        """To be called each second."""
        try:
            stands = self._firewall.beat()
        except LateError as fault:  # whether it stands is not known; asked again in a second
            self._say(str(fault))
            return
        except BridgeError:
            stands = False
        if not stands:
            self._record(Loss(now, {"fence_gone": 1}))
            try:
                self._firewall.apply()
            except BridgeError as fault:
                self._say(f"the kernel's fence is gone and cannot be put up: {fault}")
                return
            self._say("the kernel's fence was gone, and stands again. Next: see what flushes nftables on this machine")
        names, self._names = self._names, {}
        try:
            if names:
                self._firewall.learn_all([(host, ip_address(address)) for host, address in names], NAMES_S)
        except LateError as fault:
            self._names = names | self._names
            self._say(str(fault))
        except BridgeError as fault:
            self._say(str(fault))

    def change(self, make: Callable[[], Fence]) -> str:
        """Put another fence up; why the kernel does not follow, "" where it does."""
        try:
            self._firewall.change(make())
        except BusgateError as fault:
            return f"the kernel's fence does not follow: {fault}"
        return ""
