"""A replay's report for people and for CI, made from the same plain values that `--report json` prints."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from busgate.report.words import printable

_LONGEST = 4000
_HARMLESS = frozenset({"info", "low"})


def as_text(report: dict[str, Any]) -> str:
    """The report on one or two screens: what came in, what was judged, each alert in a line, where the log is."""
    lines = [f"{report['trace']}: {report['frames']} frames in {report['seconds']:.1f} s, mode {report['mode']}"]
    lines += [f"  profile   {report['profile']['name']}", f"  policy    {_policy(report['policy'])}"]
    lines += [_counts("sides", report["sides"]), _counts("messages", report["messages"])]
    if report["unmapped"]:
        lines.append(_counts("left out", report["unmapped"]) + "   (no side given: --tbox, --vehicle or --tap)")
    lines.append(_counts("verdicts", report["verdicts"]))
    if report["network"]:
        lines.append(_counts("air", report["network"]))
    lines += [f"  warning   {warning}" for warning in report["warnings"]]
    lines += ["", *_alerts(report["alerts"])]
    lines += _sessions(report["sessions"])
    lines += _causes(report["causes"])
    lines += _updates(report["updates"])
    log = report["log"]
    lines += ["", f"log {log['origin']}: {log['size']} records, root {log['root']}"]
    return "\n".join(printable(line, _LONGEST) for line in lines)


def _policy(policy: dict[str, Any] | None) -> str:
    if policy is None:
        return "none: nothing is allowed"
    return f"{policy['name']} version {policy['version']} ({'signed' if policy['signed'] else 'unsigned'})"


def _counts(title: str, counts: dict[str, int]) -> str:
    return f"  {title:<9} " + (", ".join(f"{name} {count}" for name, count in counts.items()) or "none")


def _alerts(alerts: list[dict[str, Any]]) -> list[str]:
    if not alerts:
        return ["no alerts"]
    lines = [f"{len(alerts)} alerts:"]
    for alert in alerts:
        times = f" x{alert['count']}" if alert["count"] > 1 else ""
        arguments = ", ".join(f"{name} {arg['value']}{arg['unit']}" for name, arg in alert["arguments"].items())
        what = f"{alert['name']}({arguments})" if arguments else alert["name"]
        lines.append(
            f"  #{alert['index']:<5} {alert['time'][11:23]} {alert['severity']:<8} {alert['action']:<11} "
            f"{alert['rule']:<22} {_who(alert['source'])} -> {_who(alert['target'])}: {what}{times}"
        )
        lines.append(f"         {alert['reason']}" + (f": {alert['detail']}" if alert["detail"] else ""))
    return lines


def _sessions(sessions: list[dict[str, Any]]) -> list[str]:
    if not sessions:
        return []
    lines = ["", f"{len(sessions)} diagnostic sessions:"]
    for session in sessions:
        kind = "programming" if session["programming"] else "diagnostic"
        services = " ".join(f"{sid[2:]}x{count}" for sid, count in session["services"].items())
        lines.append(
            f"  #{session['index']:<5} {session['start'][11:23]}-{session['end'][11:23]} {kind} of "
            f"{_who(session['target'])} by {_who(session['tester'])}: {services}; "
            f"{session['transferred_bytes']} bytes transferred, {session['blocked_requests']} requests blocked"
        )
    return lines


def _causes(causes: list[dict[str, Any]]) -> list[str]:
    """Which message over the air led to which frame, as far as time and content say."""
    if not causes:
        return []
    lines = ["", f"{len(causes)} links from the air to the bus (confidence 0 to 1; docs/causality.md):"]
    for cause in causes:
        cloud = cause["cloud"]
        source = cloud.get("host") or cloud.get("address", "?")
        lines.append(
            f"  #{cause['index']:<5} {cause['time'][11:23]} {cause['confidence']:<4} {cause['way']:<7} "
            f"{cloud.get('name', '?')} from {source} -> {cause['name']} ({cause['frame']}) "
            f"after {cause['lag'] / 1e6:.0f} ms"
        )
    return lines


def _updates(updates: list[dict[str, Any]]) -> list[str]:
    if not updates:
        return []
    return ["", f"{len(updates)} updates over the air:"] + [
        f"  #{update['index']:<5} ordered by {update['ordered_by'] or 'nobody seen'}; {update['bytes']} bytes from "
        f"{update['source'] or 'nobody seen'} {update['url']}; {update['written']} bytes written to "
        f"{update['target']['name'] or 'nothing'}; approval: {update['approval']}; ended by {update['ended_by']}"
        for update in updates
    ]


def _who(party: dict[str, Any]) -> str:
    if party["address"] is None:
        return party["name"] or "unknown"
    return f"{party['name']}({party['address']})" if party["name"] else str(party["address"])


def as_junit(report: dict[str, Any]) -> str:
    """JUnit XML: one case an alert, failed when it is at least of medium severity; one case when there is none."""
    failed = [alert for alert in report["alerts"] if alert["severity"] not in _HARMLESS]
    suite = ET.Element(
        "testsuite",
        name=f"busgate replay {report['trace']}",
        tests=str(max(1, len(report["alerts"]))),
        failures=str(len(failed)),
        errors="0",
        time=str(report["seconds"]),
    )
    properties = ET.SubElement(suite, "properties")
    for name in ("mode", "frames"):
        ET.SubElement(properties, "property", name=name, value=str(report[name]))
    ET.SubElement(properties, "property", name="log.root", value=report["log"]["root"])
    if not report["alerts"]:
        ET.SubElement(suite, "testcase", classname="busgate", name="no alerts")
    for alert in report["alerts"]:
        case = ET.SubElement(
            suite, "testcase", classname=f"busgate.{alert['rule']}", name=f"#{alert['index']} {alert['name']}"
        )
        if alert in failed:
            failure = ET.SubElement(
                case, "failure", message=f"{alert['severity']}: {alert['reason']}", type=alert["rule"]
            )
            failure.text = f"{alert['time']} {alert['action']} {alert['frame']} {alert['detail']}"
    for element in suite.iter():  # XML has no way to write a control character
        element.attrib = {name: printable(value, _LONGEST) for name, value in element.attrib.items()}
        element.text = None if element.text is None else printable(element.text, _LONGEST)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode")
