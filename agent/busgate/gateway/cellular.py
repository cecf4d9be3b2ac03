"""The T-box's modem, SIM and network as they change: what is told of it, and what is worth an alert.

Law: identities leave here only as salted hashes, and where the vehicle is leaves here not at all (P1).
"""

from __future__ import annotations

from hashlib import sha256

from busgate.detect.alerts import Alerts, Circumstances
from busgate.detect.conduct import Finding
from busgate.judge.situation import Situation
from busgate.model import Action, CellularChange, Event, ModemState, Party, Provenance, Reason, Verdict

_PLACE = frozenset({"lac", "cell"})
_WATCHED = Verdict(Action.PASS, Reason.TBOX_TO_CLOUD)


class Cellular:
    """The modems of one vehicle's T-box."""

    def __init__(self, alerts: Alerts, situation: Situation, tbox: Party, salt: str) -> None:
        """`salt` makes the hashes of one vehicle those of no other."""
        self._alerts = alerts
        self._situation = situation
        self._tbox = tbox
        self._salt = salt
        self._known: dict[str, ModemState] = {}

    def changed(self, state: ModemState) -> tuple[Event, ...]:
        """A modem's news."""
        before = self._known.get(state.modem)
        if len(self._known) >= 16 and before is None:
            self._known.clear()
        self._known[state.modem] = state
        changed = tuple(name for name in state.changed if name not in _PLACE)
        events: list[Event] = [self._told(state, changed)] if changed else []
        if before is not None:
            events += self._swapped(state, before)
        if state.roaming and (before is None or not before.roaming):
            network = f"{state.operator_name or 'unknown'} ({state.operator_code or '?'})"
            events += self._found("sim.roaming", state, f"network {network}")
        return tuple(events)

    def _swapped(self, state: ModemState, before: ModemState) -> tuple[Event, ...]:
        """Another SIM, or another network at home: somebody else's hand, or somebody else's contract."""
        if before.iccid and state.iccid and state.iccid != before.iccid:
            return self._found(
                "sim.changed", state, f"SIM {self._hash(state.iccid)}, before {self._hash(before.iccid)}"
            )
        at_home = state.roaming is False and before.roaming is False
        if at_home and before.operator_code and state.operator_code not in {"", before.operator_code}:
            said = f"network {state.operator_name} ({state.operator_code}), before {before.operator_name}"
            return self._found("sim.changed", state, said)
        return ()

    def _told(self, state: ModemState, changed: tuple[str, ...]) -> CellularChange:
        return CellularChange(
            at=state.at,
            modem=self._hash(state.modem),
            iccid=self._hash(state.iccid),
            imsi=self._hash(state.imsi),
            operator_code=state.operator_code,
            operator_name=state.operator_name,
            registration=state.registration,
            roaming=state.roaming,
            state=state.state,
            technology=state.technology,
            signal=state.signal,
            changed=changed,
        )

    def _found(self, rule: str, state: ModemState, detail: str) -> tuple[Event, ...]:
        finding = Finding(rule, f"{rule}|{self._hash(state.modem)}|{detail}", self._tbox, detail)
        snapshot = self._situation.snapshot(state.at)
        seen = Circumstances(state.at, None, Provenance.PHYSICAL, _WATCHED, watched=True, state=snapshot)
        alert = self._alerts.of_finding(finding, seen, Party("mobile network", None), detail)
        return () if alert is None else (alert,)

    def _hash(self, identity: str) -> str:
        return sha256(f"{self._salt}\n{identity}".encode()).hexdigest()[:16] if identity else ""
