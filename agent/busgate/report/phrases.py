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
    "drop": Severity.MEDIUM,
    "time.step": Severity.LOW,
    "key.next": Severity.MEDIUM,
}
