"""Every rule there is, by id: the one table that alerts, reports and documentation are made from.

Law: an alert names a rule of this table or it is a bug. `docs/rules.md` is written from it; after a change run
`python tests/support/rules_page.py > docs/rules.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

from busgate.detect.rule import Rule, Scale, severity_of
from busgate.detect.rules_cloud import CLOUD_RULES
from busgate.detect.rules_command import COMMAND_RULES
from busgate.detect.rules_conduct import CONDUCT_RULES
from busgate.detect.rules_diagnostic import DIAGNOSTIC_RULES
from busgate.detect.rules_j1939 import J1939_RULES
from busgate.detect.rules_network import NETWORK_RULES

RULES: Mapping[str, Rule] = {
    rule.id: rule
    for rule in (*COMMAND_RULES, *DIAGNOSTIC_RULES, *J1939_RULES, *CONDUCT_RULES, *CLOUD_RULES, *NETWORK_RULES)
}

__all__ = ["RULES", "Rule", "Scale", "severity_of"]
