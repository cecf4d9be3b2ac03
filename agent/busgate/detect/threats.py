"""The two public lists that every rule points into: UN R155's threats and MITRE's techniques, as far as we use them.

Law: data only, each list with its source. A rule that names anything not listed here fails a test, so that a typing
error can never look like a reference. The words are ours; the numbers are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

R155_SOURCE = "UN Regulation No. 155 (2021, Supplement 3 of 2025), Annex 5, Part A, table A1"

R155_ROWS: Mapping[str, str] = {
    "4.1": "Messages spoofed by impersonation",
    "4.2": "One sender posing as many nodes (Sybil)",
    "5.1": "Code injected over a communication channel",
    "5.2": "Data or code on the vehicle manipulated over a communication channel",
    "5.3": "Data or code overwritten over a communication channel",
    "5.4": "Data or code erased over a communication channel",
    "5.5": "Data or code introduced over a communication channel",
    "6.1": "Information accepted from an unreliable or untrusted source",
    "6.2": "Man in the middle, session hijacking",
    "6.3": "Replay, such as of old software or commands",
    "7.2": "Unauthorised access to files or data",
    "8.1": "Garbage data sent until a system cannot serve",
    "9.1": "Privileged access gained by an unprivileged user",
    "11.1": "Malicious internal messages, such as on CAN",
    "11.3": "Malicious diagnostic messages",
    "11.4": "Malicious proprietary messages, as a maker or supplier would send",
    "12.1": "Over-the-air update procedure compromised",
    "12.2": "Local update procedure compromised",
    "12.3": "Software manipulated before the update",
    "12.4": "Update keys of the software provider compromised",
    "16.1": "Functions made for remote operation manipulated: remote key, immobiliser, charging pile",
    "16.2": "Telematics manipulated: temperature measurement, remote unlocking of doors",
    "18.3": "Diagnostic access used for an attack on the vehicle",
    "20.1": "Electronic identity of the vehicle changed",
    "20.3": "Monitoring circumvented by tampering with or blocking messages",
    "20.4": "Driving data falsified: mileage, speed, direction",
    "20.5": "Diagnostic data of the system changed without authority",
    "21.1": "System event logs deleted or manipulated",
    "22.2": "Malicious software introduced",
    "24.1": "Denial of service on the internal network, such as by flooding CAN or provoking faults",
    "25.1": "Parameters of key functions falsified: brake data, airbag threshold",
    "25.2": "Charging parameters falsified: voltage, power, battery temperature",
    "28.1": "Software bugs exploited",
    "29.2": "Network separation circumvented to gain control",
}

ATTACK_SOURCE = "MITRE ATT&CK for ICS, version 15"

ATTACK_TECHNIQUES: Mapping[str, str] = {
    "T0800": "Activate Firmware Update Mode",
    "T0802": "Automated Collection",
    "T0804": "Block Reporting Message",
    "T0813": "Denial of Control",
    "T0814": "Denial of Service",
    "T0816": "Device Restart/Shutdown",
    "T0822": "External Remote Services",
    "T0831": "Manipulation of Control",
    "T0835": "Manipulate I/O Image",
    "T0836": "Modify Parameter",
    "T0839": "Module Firmware",
    "T0843": "Program Download",
    "T0845": "Program Upload",
    "T0848": "Rogue Master",
    "T0855": "Unauthorized Command Message",
    "T0856": "Spoof Reporting Message",
    "T0857": "System Firmware",
    "T0858": "Change Operating Mode",
    "T0859": "Valid Accounts",
    "T0861": "Point & Tag Identification",
    "T0866": "Exploitation of Remote Services",
    "T0872": "Indicator Removal on Host",
    "T0878": "Alarm Suppression",
    "T0880": "Loss of Safety",
    "T0888": "Remote System Information Discovery",
    "T0890": "Exploitation for Privilege Escalation",
    "T0893": "Data from Local System",
}
