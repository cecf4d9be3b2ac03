"""The rules for diagnostic services (UDS, ISO 14229-1) that the T-box uses on an ECU.

Law: every request has exactly one rule. What alters a vital ECU at once is critical unless the vehicle surely
stands; reprogramming one is critical always, since what is written at standstill still drives afterwards.
"""

from __future__ import annotations

from busgate.detect.rule import Rule, Scale
from busgate.model import Severity

_LOW = Scale(standing=Severity.LOW, moving=Severity.LOW)
_RISING = Scale(standing=Severity.MEDIUM, moving=Severity.HIGH)
_HIGH = Scale(standing=Severity.HIGH, moving=Severity.HIGH)
_VITAL = Scale(standing=Severity.HIGH, moving=Severity.CRITICAL)
_ALWAYS = Scale(standing=Severity.CRITICAL, moving=Severity.CRITICAL)

DIAGNOSTIC_RULES = (
    Rule(
        id="uds.session",
        version=1,
        title="Diagnostic session opened",
        scale=_RISING,
        r155=("11.3", "18.3"),
        attack=("T0858", "T0822"),
        text_en="{source} opened a diagnostic session on {target} that is not the default one ({name}).",
        text_nl="{source} opende op {target} een diagnosesessie die niet de standaardsessie is ({name}).",
        playbook_en="Ask the maintenance desk whether remote diagnosis of this bus was agreed for today, with whom "
        "and under which grant.",
        playbook_nl="Vraag de onderhoudsbalie of vandaag diagnose op afstand van deze bus was afgesproken, met wie "
        "en onder welke toestemming.",
    ),
    Rule(
        id="uds.default-session",
        version=1,
        title="ECU returned to its default session",
        scale=_LOW,
        r155=("11.3",),
        attack=("T0858",),
        text_en="{source} put {target} back into its default session ({name}).",
        text_nl="{source} zette {target} terug in de standaardsessie ({name}).",
        playbook_en="Look for the session that it ends; if there is none, ask the T-box's supplier why it was sent.",
        playbook_nl="Zoek de sessie die hiermee eindigt; is die er niet, vraag de leverancier van de T-box waarom "
        "dit is verstuurd.",
    ),
    Rule(
        id="uds.programming",
        version=1,
        title="Software of an ECU read out or replaced",
        scale=_HIGH,
        r155=("12.1", "5.1", "5.3", "22.2"),
        attack=("T0800", "T0843", "T0839", "T0857"),
        text_en="{source} used {name} on {target}, a step of reading out or replacing its software.",
        text_nl="{source} gebruikte {name} op {target}, een stap in het uitlezen of vervangen van de software.",
        playbook_en="Keep the bus parked; compare the software version of the ECU with the last approved one, and "
        "let it drive only if they agree.",
        playbook_nl="Houd de bus aan de kant; vergelijk de softwareversie van de ECU met de laatst goedgekeurde en "
        "laat hem pas rijden als die gelijk zijn.",
        vital=_ALWAYS,
    ),
    Rule(
        id="uds.unlock",
        version=1,
        title="Protected functions of an ECU unlocked",
        scale=_HIGH,
        r155=("9.1", "11.3"),
        attack=("T0859", "T0890"),
        text_en="{source} asked {target} to unlock its protected functions ({name}).",
        text_nl="{source} vroeg {target} zijn beveiligde functies te ontgrendelen ({name}).",
        playbook_en="See what followed it in the log: a write, a routine or a download after an unlock is the real "
        "event.",
        playbook_nl="Kijk in het logboek wat erop volgde: schrijven, een routine of een download na ontgrendeling "
        "is de eigenlijke gebeurtenis.",
    ),
    Rule(
        id="uds.reset",
        version=1,
        title="ECU restarted",
        scale=_RISING,
        r155=("11.3", "24.1"),
        attack=("T0816",),
        text_en="{source} told {target} to restart ({name}).",
        text_nl="{source} gaf {target} opdracht opnieuw te starten ({name}).",
        playbook_en="Ask the driver whether a function or the dashboard went away for a moment, and whether it came "
        "back.",
        playbook_nl="Vraag de chauffeur of een functie of het dashboard even wegviel en of alles is teruggekomen.",
        vital=_VITAL,
    ),
    Rule(
        id="uds.clear",
        version=1,
        title="Stored faults erased",
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
        id="uds.write",
        version=1,
        title="Data written into an ECU",
        scale=_HIGH,
        r155=("25.1", "5.2", "11.3"),
        attack=("T0836",),
        text_en="{source} wrote data into {target} ({name}).",
        text_nl="{source} schreef gegevens in {target} ({name}).",
        playbook_en="Read the same identifier back with the workshop tester and compare it with the delivery record.",
        playbook_nl="Lees hetzelfde gegeven terug met de werkplaatstester en vergelijk het met de opleverstaat.",
        vital=_VITAL,
    ),
    Rule(
        id="uds.routine",
        version=1,
        title="Routine run in an ECU",
        scale=_HIGH,
        r155=("11.3", "25.1"),
        attack=("T0855", "T0831"),
        text_en="{source} ran a routine in {target} ({name}).",
        text_nl="{source} liet {target} een routine uitvoeren ({name}).",
        playbook_en="Look the routine up in the maker's list; if it is not there, ask the maker what it does before "
        "the bus goes out again.",
        playbook_nl="Zoek de routine op in de lijst van de fabrikant; staat hij er niet in, vraag wat hij doet "
        "voordat de bus weer uitrukt.",
        vital=_VITAL,
    ),
    Rule(
        id="uds.io-control",
        version=1,
        title="Input or output taken over",
        scale=_HIGH,
        r155=("11.3", "16.1"),
        attack=("T0855", "T0835"),
        text_en="{source} took over an input or output of {target} ({name}).",
        text_nl="{source} nam een in- of uitgang van {target} over ({name}).",
        playbook_en="Ask the driver what moved or stopped working; restart the vehicle to return control to the ECU.",
        playbook_nl="Vraag de chauffeur wat er bewoog of uitviel; herstart het voertuig om de ECU de regie terug te "
        "geven.",
        vital=_VITAL,
    ),
    Rule(
        id="uds.silence",
        version=1,
        title="ECU's messages or fault memory switched",
        scale=_HIGH,
        r155=("24.1", "20.3"),
        attack=("T0814", "T0804", "T0878"),
        text_en="{source} switched the messages or the fault memory of {target} ({name}).",
        text_nl="{source} schakelde de berichten of het foutgeheugen van {target} ({name}).",
        playbook_en="Check that the ECU still sends its messages; what it does not report for a while is not proof "
        "that nothing happened.",
        playbook_nl="Controleer of de ECU zijn berichten nog verstuurt; wat hij een tijd niet meldt, bewijst niet "
        "dat er niets gebeurde.",
        vital=_VITAL,
    ),
    Rule(
        id="uds.other",
        version=1,
        title="Other state-altering or unknown diagnostic service",
        scale=_RISING,
        r155=("11.3", "11.4"),
        attack=("T0855",),
        text_en="{source} used {name} on {target}, which can alter its state.",
        text_nl="{source} gebruikte {name} op {target}; dat kan de toestand ervan wijzigen.",
        playbook_en="Ask the ECU's maker what this service does on this unit; unknown is not the same as harmless.",
        playbook_nl="Vraag de fabrikant van de ECU wat deze dienst bij deze eenheid doet; onbekend is niet onschuldig.",
    ),
    Rule(
        id="uds.read",
        version=1,
        title="Diagnostic data read",
        scale=_LOW,
        r155=("7.2", "11.3"),
        attack=("T0802", "T0888"),
        text_en="{source} asked {target} for diagnostic data ({name}).",
        text_nl="{source} vroeg {target} om diagnosegegevens ({name}).",
        playbook_en="Check that the contract lets the supplier read this; if so, add an allow rule, so that the "
        "next stranger stands out.",
        playbook_nl="Ga na of de leverancier dit volgens het contract mag lezen; zo ja, voeg een regel toe, zodat "
        "de volgende vreemde opvalt.",
    ),
)
