"""The rules for what J1939 itself offers besides commands: diagnostics (J1939-73) and addresses (J1939-81).

Law: who may be spoken to, and under which address, is as much a control of the vehicle as a torque request.
"""

from __future__ import annotations

from busgate.detect.rule import Rule, Scale
from busgate.model import Severity

_LOW = Scale(standing=Severity.LOW, moving=Severity.LOW)
_RISING = Scale(standing=Severity.MEDIUM, moving=Severity.HIGH)
_HIGH = Scale(standing=Severity.HIGH, moving=Severity.HIGH)
_VITAL = Scale(standing=Severity.HIGH, moving=Severity.CRITICAL)

J1939_RULES = (
    Rule(
        id="j1939.request",
        version=1,
        title="Parameter group requested",
        scale=_LOW,
        r155=("7.2",),
        attack=("T0802", "T0861"),
        text_en="{source} asked {target} to send data ({name}).",
        text_nl="{source} vroeg {target} gegevens te sturen ({name}).",
        playbook_en="See which group was requested; one that a telematics service needs deserves an allow rule.",
        playbook_nl="Kijk welke groep is opgevraagd; wat de telematicadienst nodig heeft, verdient een eigen regel.",
    ),
    Rule(
        id="j1939.memory-access",
        version=1,
        title="ECU memory accessed over J1939 (DM14, DM16-DM18)",
        scale=_HIGH,
        r155=("5.2", "5.3", "11.3", "12.1"),
        attack=("T0843", "T0845", "T0893"),
        text_en="{source} used {name} to reach into the memory of {target}.",
        text_nl="{source} gebruikte {name} om bij het geheugen van {target} te komen.",
        playbook_en="Keep the bus parked and compare the software version and calibration of the ECU with the "
        "approved ones.",
        playbook_nl="Houd de bus aan de kant en vergelijk softwareversie en kalibratie van de ECU met de goedgekeurde.",
        vital=_VITAL,
    ),
    Rule(
        id="j1939.clear",
        version=1,
        title="Stored faults erased over J1939 (DM3, DM11, DM22)",
        scale=_RISING,
        r155=("20.5", "21.1"),
        attack=("T0872",),
        text_en="{source} erased stored faults of {target} ({name}).",
        text_nl="{source} wiste opgeslagen fouten van {target} ({name}).",
        playbook_en="Keep the evidence: export the log of the hours before, since the ECU no longer has what was "
        "erased.",
        playbook_nl="Bewaar bewijs: exporteer het logboek van de uren ervoor, want de ECU heeft het gewiste niet meer.",
    ),
    Rule(
        id="j1939.silence",
        version=1,
        title="Broadcasts stopped or started (DM13)",
        scale=_HIGH,
        r155=("24.1", "20.3"),
        attack=("T0804", "T0814", "T0878"),
        text_en="{source} told {target} to stop or start its broadcasts ({name}).",
        text_nl="{source} gaf {target} opdracht met uitzenden te stoppen of te beginnen ({name}).",
        playbook_en="Check on the vehicle side which ECUs fell silent; dashboard and gate are blind to them until "
        "they speak again.",
        playbook_nl="Kijk aan de voertuigzijde welke ECU's zwijgen; dashboard en poort zijn blind tot ze weer zenden.",
        vital=_VITAL,
    ),
    Rule(
        id="j1939.test",
        version=1,
        title="Component test commanded (DM7)",
        scale=_HIGH,
        r155=("11.3", "25.1"),
        attack=("T0855", "T0831"),
        text_en="{source} told {target} to run a test ({name}).",
        text_nl="{source} gaf {target} opdracht een test uit te voeren ({name}).",
        playbook_en="Ask the workshop whether it tests this bus now; a component test does not belong on the road.",
        playbook_nl="Vraag de werkplaats of die deze bus nu test; een componenttest hoort niet op de weg.",
        vital=_VITAL,
    ),
    Rule(
        id="j1939.reset",
        version=1,
        title="Trip or service data reset",
        scale=_RISING,
        r155=("20.4", "20.5"),
        attack=("T0836", "T0872"),
        text_en="{source} reset trip or service data of {target} ({name}).",
        text_nl="{source} zette rit- of onderhoudsgegevens van {target} terug ({name}).",
        playbook_en="Compare distance and service intervals of the bus with the maintenance system.",
        playbook_nl="Vergelijk kilometerstand en onderhoudstermijnen van de bus met het onderhoudssysteem.",
    ),
    Rule(
        id="j1939.address-claim",
        version=1,
        title="Address claimed",
        scale=_LOW,
        r155=("4.2",),
        attack=("T0848",),
        text_en="{source} claimed its address on the bus ({name}).",
        text_nl="{source} claimde zijn adres op de bus ({name}).",
        playbook_en="Nothing to do for the address of the T-box itself; any other is told as masquerade or unseen "
        "sender.",
        playbook_nl="Niets te doen bij het eigen adres van de T-box; elk ander adres wordt apart gemeld.",
    ),
    Rule(
        id="j1939.address-command",
        version=1,
        title="Address or name of another node changed",
        scale=_HIGH,
        r155=("4.1", "24.1", "29.2"),
        attack=("T0848", "T0813"),
        text_en="{source} told {target} to take another address or name ({name}).",
        text_nl="{source} gaf {target} opdracht een ander adres of een andere naam aan te nemen ({name}).",
        playbook_en="Restart the vehicle and compare the addresses of all ECUs with the profile before it goes out "
        "again.",
        playbook_nl="Herstart het voertuig en vergelijk de adressen van alle ECU's met het profiel voordat het "
        "uitrukt.",
    ),
)
