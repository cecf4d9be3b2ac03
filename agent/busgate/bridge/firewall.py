"""The kernel's part of the IP side, set through `nft`: a fence put up, followed and taken down.

Law: a ruleset is there whole or not at all, and what the kernel does not take changes nothing. It outlives the agent;
only `remove` takes it down. The machine must forward packets (`net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`)
for what passes directly; what passes the relay needs no forwarding.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from time import monotonic
from typing import Any, NamedTuple

from busgate.bridge import ruleset
from busgate.bridge.fence import Address, Fence
from busgate.bridge.port import BridgeError
from busgate.bridge.ruleset import TABLE, Service

LONGEST_S, SHORTEST_S = 86_400, 1
"""What an address from a DNS answer is kept for, whatever its TTL says."""
_WAIT_S = 20
_SOON_S = 2
"""What is asked each second may take no longer: the relay waits for it."""


class LateError(BridgeError):
    """The kernel or nft took too long; what it did nobody knows."""


_COUNTED = re.compile(r"\s*# count \d+")  # newer nft says beside a set how much it holds


class Count(NamedTuple):
    """What one rule has met since the table was put up last."""

    packets: int
    bytes: int


class Learned(NamedTuple):
    """An address that a name has by an answer seen, and for how many seconds yet."""

    host: str
    address: Address
    seconds: int


class Firewall:
    """One fence in the kernel. `nft` is the program with whatever goes before it, `clock` gives seconds."""

    def __init__(self, fence: Fence, nft: Sequence[str] = ("nft",), clock: Callable[[], float] = monotonic) -> None:
        """Nothing is done yet."""
        self.fence = fence
        self._nft = tuple(nft)
        self._clock = clock
        self._services = ruleset.services(fence)
        self._learned: dict[tuple[str, Address], float] = {}
        self._shown = ""
        """The table as it was listed when it was put up last."""

    def apply(self) -> None:
        """Put the fence up in place of what was there, with the names that are learned.

        Raises:
            BridgeError: the kernel or nft refuses it; what was there stays.
        """
        text = ruleset.ruleset(self.fence, self._recalled())
        self._run("-c", "-f", "-", said=text)
        self._run("-f", "-", said=text)
        self._shown = self._show("")

    def change(self, fence: Fence) -> None:
        """Put another fence up; what was learned of names stays, and flows that it does not allow end.

        Raises:
            BridgeError: as `apply`; the old fence stays in every respect.
        """
        before = self.fence, self._services
        self.fence, self._services = fence, ruleset.services(fence)
        try:
            self.apply()
        except BridgeError:
            self.fence, self._services = before
            raise

    def learn(self, host: str, addresses: Iterable[Address], seconds: int) -> bool:
        """Let a name's addresses pass, as a DNS answer of an allowed resolver gave them; False if nobody allows it.

        `host` is the name that was asked for. `seconds` is the answer's TTL, and counts from now.

        Raises:
            BridgeError: the kernel does not take them.
        """
        return self.learn_all(((host, address) for address in addresses), seconds)

    def learn_all(self, names: Iterable[tuple[str, Address]], seconds: int) -> bool:
        """As `learn`, of several names at once; False if nobody allows any of them.

        Raises:
            BridgeError: the kernel does not take them; none of them passes.
        """
        kept = min(max(seconds, SHORTEST_S), LONGEST_S)
        opening = {(host, address): tuple(self._opening(host, address, kept)) for host, address in names}
        text = "\n".join(line for lines in opening.values() for line in lines)
        if not text:
            return False
        self._run("-f", "-", said=text + "\n", within=_SOON_S)
        self._forget()
        for (host, address), lines in opening.items():
            if lines:
                self._learned[host.lower().rstrip("."), address] = self._clock() + kept
        return True

    def learned(self) -> tuple[Learned, ...]:
        """What is known of names now, for whoever keeps it over a restart."""
        self._forget()
        now = self._clock()
        return tuple(Learned(*key, max(1, int(until - now))) for key, until in self._learned.items())

    def beat(self) -> bool:
        """Tell the kernel that the agent lives: with `WhenDead.OPEN` at least twice in each `lease_s`.

        Whether the fence is still as it was put up: all but what its sets hold.

        Raises:
            LateError: it takes too long.
            BridgeError: there is no fence, or the kernel does not listen.
        """
        return self._show(ruleset.beat(self.fence)) == self._shown

    def counters(self) -> Mapping[str, Count]:
        """What was relayed and let pass (flows) and what was blocked or forged (packets), by counter.

        Raises:
            BridgeError: there is no fence.
        """
        told = self._listed("counters", "table", *TABLE.split())
        found = (each["counter"] for each in told if "counter" in each)
        return {each["name"]: Count(each["packets"], each["bytes"]) for each in found}

    def stands(self) -> bool:
        """Whether there is a fence in the kernel, ours or an earlier one.

        Raises:
            BridgeError: the kernel cannot be asked.
        """
        tables = (each.get("table", {}) for each in self._listed("tables"))
        return TABLE in {f"{each.get('family')} {each.get('name')}" for each in tables}

    def remove(self) -> None:
        """Take the fence down; there may be none.

        Raises:
            BridgeError: the kernel does not let us.
        """
        remove(self._nft)

    def _recalled(self) -> Iterator[str]:
        for host, address, seconds in self.learned():
            yield from self._opening(host, address, seconds)

    def _opening(self, host: str, address: Address, seconds: int) -> Iterator[str]:
        for service in self._named(host):
            yield from ruleset.learn(service, str(address), 4 if isinstance(address, IPv4Address) else 6, seconds)

    def _named(self, host: str) -> Iterator[Service]:
        wanted = {each.to for each in self.fence.allowed if each.names(host)}
        return (each for each in self._services if each.host and each.host in wanted)

    def _forget(self) -> None:
        now = self._clock()
        self._learned = {key: until for key, until in self._learned.items() if until > now}

    def _show(self, first: str) -> str:
        """The table as nft writes it, without what sets hold and counters count; before that, do what `first` says."""
        said = self._run("-t", "-s", "-f", "-", said=f"{first}list table {TABLE}\n", within=_SOON_S)
        return _COUNTED.sub("", said)

    def _listed(self, *what: str) -> list[dict[str, Any]]:
        said = self._run("-j", "list", *what)
        try:
            told: list[dict[str, Any]] = json.loads(said)["nftables"]
        except (ValueError, KeyError, TypeError):
            raise BridgeError("nft does not tell what it holds. Next: nft -j list ruleset") from None
        return told

    def _run(self, *words: str, said: str = "", within: int = _WAIT_S) -> str:
        return _asked(self._nft, words, said, within)


def remove(nft: Sequence[str] = ("nft",)) -> None:
    """Take down whatever fence stands; there may be none.

    Raises:
        BridgeError: the kernel does not let us.
    """
    _asked(nft, ("-f", "-"), f"add table {TABLE}\ndelete table {TABLE}\n")


def _asked(nft: Sequence[str], words: Sequence[str], said: str, within: int = _WAIT_S) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - nft with words of our own; what it reads was checked when it was made
            [*nft, *words], input=said, capture_output=True, text=True, check=False, timeout=within
        )
    except FileNotFoundError:
        raise BridgeError("there is no program nft on this machine. Next: install nftables") from None
    except subprocess.TimeoutExpired:
        raise LateError(f"nft has not answered within {within} s. Next: look at dmesg") from None
    except OSError as fault:
        raise BridgeError(f"nft cannot be started: {fault.strerror}") from None
    if done.returncode:
        raise BridgeError(f"the kernel does not take the fence: {_complaint(done.stderr)}")
    return done.stdout


def _complaint(said: str) -> str:
    """What nft complains of first, without the place in a text that nobody sees."""
    first = next((line for line in said.splitlines() if line.strip()), "nft says nothing")
    what = first.rpartition("Error: ")[2].strip()
    if "Operation not permitted" in what:
        return f"{what}. Next: run it with the right CAP_NET_ADMIN"
    return what
