"""The sentences about log entries other than alerts, in English and Dutch, and how much each type matters.

Law: a placeholder in braces is a field that `report.alert` fills with printable text, the same in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from busgate.model import Severity
from busgate.report.words import Words

OTHER = Words("The log holds an entry of type {}.", "Het logboek bevat een regel van het type {}.")
RULE = Words("Rule: {}.", "Regel: {}.")
SENT = Words("{source} sent {name} to {target}.", "{source} stuurde {name} naar {target}.")
COUNT_FINAL = Words("It has gone quiet after {count} times: {title}.", "Het is stil na {count} keer: {title}.")
COUNT_SO_FAR = Words("It goes on, {count} times so far: {title}.", "Het gaat door, nu {count} keer: {title}.")
SESSIONS: Final[Mapping[tuple[bool, bool], Words]] = {
    (False, False): Words(
        "{source} opened diagnostic session {session} on {target}.",
        "{source} opende diagnosesessie {session} op {target}.",
    ),
    (False, True): Words(
        "{source} began to replace software of {target} (session {session}).",
        "{source} begon software van {target} te vervangen (sessie {session}).",
    ),
    (True, False): Words(
        "The diagnostic session of {source} on {target} ended; {blocked} requests blocked; services used: {services}.",
        "De diagnosesessie van {source} op {target} eindigde; {blocked} verzoeken tegengehouden; diensten: {services}.",
    ),
    (True, True): Words(
        "The programming session of {source} on {target} ended: {transferred} bytes of software, {blocked} requests "
        "blocked; services used: {services}.",
        "De programmeersessie van {source} op {target} eindigde: {transferred} bytes software, {blocked} verzoeken "
        "tegengehouden; diensten: {services}.",
    ),
}
SIGNED = Words("signed", "ondertekend")
UNSIGNED = Words("NOT signed", "NIET ondertekend")
POLICY = Words(
    "Policy {name} version {version} is in force ({signed}, sha256 {digest}…).",
    "Beleid {name} versie {version} is van kracht ({signed}, sha256 {digest}…).",
)
GRANT_START = Words(
    "Maintenance grant {grant} of {holder} is in force for {rules}: {reason}.",
    "Onderhoudstoestemming {grant} van {holder} is van kracht voor {rules}: {reason}.",
)
GRANT_END = Words(
    "Maintenance grant {grant} of {holder} has ended: {reason}.",
    "Onderhoudstoestemming {grant} van {holder} is voorbij: {reason}.",
)
MODE = Words(
    "The gate's mode is now {mode}, set by {by}: {reason}.",
    "De poort staat nu op {mode}, ingesteld door {by}: {reason}.",
)
OVERRIDE_ON = Words(
    "The T-box was cut off at the vehicle by {by}: {reason}.",
    "De T-box is bij het voertuig afgesloten door {by}: {reason}.",
)
OVERRIDE_OFF = Words(
    "The T-box was let in again at the vehicle by {by}: {reason}.",
    "De T-box is bij het voertuig weer toegelaten door {by}: {reason}.",
)
LOG_FIRST = Words("A new log begins.", "Een nieuw logboek begint.")
LOG_AGAIN = Words(
    "The gate began another log instead of going on with the last one: {reason}.",
    "De poort begon een ander logboek in plaats van het vorige voort te zetten: {reason}.",
)
POLICY_REFUSED = Words(
    "A policy was refused, the last good one stays: {reason}.",
    "Een beleid is geweigerd, het vorige blijft gelden: {reason}.",
)
FUNCTION_NEW = Words(
    "A function was used from outside for the first time: {name}, of {subsystem}, by {interface}.",
    "Een functie is voor het eerst van buitenaf gebruikt: {name}, van {subsystem}, via {interface}.",
)
FUNCTION_COUNT = Words(
    "{name}, of {subsystem}, was used from outside {count} times by {interface}: {passed} passed, {blocked} blocked.",
    "{name}, van {subsystem}, is van buitenaf {count} keer gebruikt via {interface}: {passed} door, {blocked} "
    "tegengehouden.",
)
CAUSE = Words(
    "{name} on the bus most likely followed from {cloud} over the air, {lag} ms before (confidence {confidence}).",
    "{name} op de bus volgde hoogstwaarschijnlijk op {cloud} over de lucht, {lag} ms eerder (zekerheid {confidence}).",
)
BECAUSE = Words(
    "Over the air came, {lag} ms before: {name}, from {from_} (confidence {confidence}).",
    "Over de lucht kwam, {lag} ms eerder: {name}, van {from_} (zekerheid {confidence}).",
)
BECAUSE_OF_BURST = Words(
    "Over the air came, {lag} ms before, an encrypted burst from {from_}; what it said nobody knows (confidence "
    "{confidence}).",
    "Over de lucht kwam, {lag} ms eerder, een versleuteld bericht van {from_}; wat erin stond weet niemand (zekerheid "
    "{confidence}).",
)
CAUSE_BY_BURST = Words(
    "{name} on the bus followed {lag} ms after {cloud} that nobody can read, from {from_}: they may belong together "
    "(confidence {confidence}).",
    "{name} op de bus volgde {lag} ms na {cloud} die niemand kan lezen, van {from_}: ze horen mogelijk bij elkaar "
    "(zekerheid {confidence}).",
)
UPDATE_START = Words(
    "Software is on its way into the vehicle: ordered by {ordered_by}, from {source}; approval: {approval}.",
    "Er is software onderweg naar het voertuig: opdracht {ordered_by}, van {source}; toestemming: {approval}.",
)
UPDATE_END = Words(
    "An update ended ({ended_by}): {bytes} bytes loaded from {source}, {written} bytes written to {target}; approval: "
    "{approval}.",
    "Een update is voorbij ({ended_by}): {bytes} bytes geladen van {source}, {written} bytes geschreven naar {target}; "
    "toestemming: {approval}.",
)
HELD = Words(
    "Something waits for the operator: {name} from {source}, {bytes} bytes (number {item}).",
    "Er wacht iets op de vervoerder: {name} van {source}, {bytes} bytes (nummer {item}).",
)
HELD_RELEASED = Words(
    "{by} released what was held (number {item}): {name} from {source}. {reason}",
    "{by} gaf vrij wat werd vastgehouden (nummer {item}): {name} van {source}. {reason}",
)
HELD_REFUSED = Words(
    "{by} refused what was held (number {item}): {name} from {source}. {reason}",
    "{by} weigerde wat werd vastgehouden (nummer {item}): {name} van {source}. {reason}",
)
HELD_LOST = Words(
    "What was held (number {item}) can no longer be passed on: {name} from {source}. {reason}",
    "Wat werd vastgehouden (nummer {item}) kan niet meer worden doorgegeven: {name} van {source}. {reason}",
)
MODEM = Words(
    "The T-box's modem: {changed}; network {operator_name}, {registration}, signal {signal} %.",
    "De modem van de T-box: {changed}; netwerk {operator_name}, {registration}, signaal {signal} %.",
)
DROP = Words(
    "Some things could not be kept or sent: {counts}.", "Niet alles kon worden bewaard of verzonden: {counts}."
)
HEARTBEAT = Words(
    "Counted since the last time: {frames}; verdicts: {verdicts}.",
    "Geteld sinds de vorige keer: {frames}; oordelen: {verdicts}.",
)
BOOT = Words(
    "The gate started (start {bn}, software {software}).", "De poort is gestart (start {bn}, software {software})."
)
TIME_STEP = Words("The clock was set.", "De klok is verzet.")
PRUNE = Words(
    "Old entries that the SOC holds were removed here.", "Oude regels, al bij de meldkamer, zijn hier verwijderd."
)
KEY_NEXT = Words("The device announced its next key.", "Het apparaat kondigde zijn volgende sleutel aan.")

AFTER_PROGRAMMING = Words(
    "Ask who approved this update; compare the software ids of the ECU with the maker's release before the next trip.",
    "Vraag wie deze update goedkeurde; vergelijk de softwarenummers van de ECU met de vrijgave van de fabrikant "
    "voor de volgende rit.",
)

STEPS: Final[Mapping[str, Words]] = {
    "session.start": Words(
        "Check that a workshop visit or an approved remote session is planned for this bus now.",
        "Controleer of er nu een werkplaatsbezoek of een goedgekeurde sessie op afstand is gepland voor deze bus.",
    ),
    "policy.refuse": Words(
        "Check the policy file with busgate policy check, sign it again and offer it once more.",
        "Controleer het beleidsbestand met busgate policy check, onderteken het opnieuw en bied het nog eens aan.",
    ),
    "update.start": Words(
        "Look for the approval of this update; without one, refuse what is held and cut the T-box off.",
        "Zoek de toestemming voor deze update; is die er niet, weiger wat wacht en sluit de T-box af.",
    ),
    "update.end": Words(
        "Compare the software ids before and after with the maker's release before the next trip.",
        "Vergelijk de softwarenummers ervoor en erna met de vrijgave van de fabrikant voor de volgende rit.",
    ),
    "held.held": Words(
        "Look at it with busgate held show, and release or refuse it.",
        "Bekijk het met busgate held show, en geef het vrij of weiger het.",
    ),
    "drop": Words(
        "Look at load and free space of the device; what was lost is counted here, and cannot be recovered.",
        "Kijk naar belasting en vrije ruimte van het apparaat; wat verloren ging is hier geteld en komt niet terug.",
    ),
    "log.open": Words(
        "Find out why the last log was left: a replaced card or a restored image is harmless, anything else is not.",
        "Zoek uit waarom het vorige logboek is verlaten: een vervangen kaart of teruggezette kopie is onschuldig, al "
        "het andere niet.",
    ),
    "override.on": Words(
        "Call the driver or technician and ask why the T-box was cut off.",
        "Bel de chauffeur of monteur en vraag waarom de T-box is afgesloten.",
    ),
    "time.step": Words(
        "Compare the device's clock with the SOC's; order events by their index, not by their time.",
        "Vergelijk de klok van het apparaat met die van de meldkamer; orden op nummer, niet op tijd.",
    ),
}

WEIGHTS: Final[Mapping[str, Severity]] = {
    "session.start": Severity.MEDIUM,
    "session.end": Severity.LOW,
    "policy.refuse": Severity.HIGH,
    "grant.start": Severity.LOW,
    "grant.end": Severity.LOW,
    "override.on": Severity.HIGH,
    "override.off": Severity.MEDIUM,
    "mode": Severity.LOW,
    "update.start": Severity.HIGH,
    "update.end": Severity.HIGH,
    "held.held": Severity.HIGH,
    "held.released": Severity.MEDIUM,
    "held.refused": Severity.MEDIUM,
    "held.lost": Severity.MEDIUM,
    "cause": Severity.LOW,
    "drop": Severity.MEDIUM,
    "time.step": Severity.LOW,
    "key.next": Severity.MEDIUM,
}
