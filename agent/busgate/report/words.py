"""The words people read, in English and Dutch: one row for each member of the model's closed sets.

Law: every member has both languages, and every text is whole: nothing here is joined from halves of a sentence except
where a `{}` says so. What came off a wire passes `printable` before a person's terminal sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from busgate.model import Act, Mode, Reason, Severity, Subsystem

Language = Literal["en", "nl"]


class Words(NamedTuple):
    """One text in both languages."""

    en: str
    nl: str

    def in_(self, language: Language) -> str:
        """The text in a language."""
        return self.nl if language == "nl" else self.en


def printable(text: str, limit: int = 400) -> str:
    """The text with control, format and bidirectional characters spelled out, at most `limit` characters long."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[:limit])
    return shown if len(shown) <= limit and len(text) <= limit else f"{shown[: limit - 1]}…"


SUBSYSTEMS: Final[Mapping[Subsystem, Words]] = {
    Subsystem.DRIVE: Words("the drive", "de aandrijving"),
    Subsystem.BMS: Words("the traction battery", "de tractiebatterij"),
    Subsystem.HIGH_VOLTAGE: Words("the high-voltage system", "het hoogspanningssysteem"),
    Subsystem.CHARGING: Words("charging", "het laden"),
    Subsystem.BRAKES: Words("the brakes", "de remmen"),
    Subsystem.STEERING: Words("the steering", "de besturing"),
    Subsystem.DOORS: Words("the doors", "de deuren"),
    Subsystem.HVAC: Words("heating and cooling", "verwarming en koeling"),
    Subsystem.BODY: Words("the body electronics", "de carrosserie-elektronica"),
    Subsystem.TELEMATICS: Words("the telematics unit", "de telematica-unit"),
    Subsystem.UNKNOWN: Words("an unknown part of the vehicle", "een onbekend deel van het voertuig"),
}

ACTS: Final[Mapping[Act, Words]] = {
    Act.LIMIT: Words("asked to limit {}", "vroeg om {} te begrenzen"),
    Act.STOP: Words("asked to stop {}", "vroeg om {} te stoppen"),
    Act.ENABLE: Words("asked to enable {}", "vroeg om {} vrij te geven"),
    Act.SET: Words("asked to change a setting of {}", "vroeg om een instelling te wijzigen van {}"),
    Act.WRITE: Words("asked to write data into {}", "vroeg om gegevens te schrijven in {}"),
    Act.RESET: Words("asked to reset {}", "vroeg om {} te herstarten"),
    Act.FLASH: Words("asked to load software into {}", "vroeg om software te laden in {}"),
    Act.ROUTINE: Words("asked to run a routine in {}", "vroeg om een routine te starten in {}"),
    Act.IO_CONTROL: Words(
        "asked to take over inputs or outputs of {}", "vroeg om in- of uitgangen over te nemen van {}"
    ),
    Act.UNLOCK: Words("asked to unlock protected functions of {}", "vroeg om beveiligde functies te openen van {}"),
    Act.SILENCE: Words("asked to silence {}", "vroeg om {} te laten zwijgen"),
    Act.CLEAR: Words("asked to clear stored data of {}", "vroeg om opgeslagen gegevens te wissen van {}"),
    Act.READ: Words("asked to read data from {}", "vroeg om gegevens te lezen uit {}"),
    Act.SEND: Words("sent a message to {}", "stuurde een bericht naar {}"),
}

ACTIONS: Final[Mapping[str, Words]] = {
    "block": Words("blocked", "tegengehouden"),
    "pass": Words("passed", "doorgelaten"),
    "would_block": Words(
        "passed (enforce mode would have blocked it)", "doorgelaten (in handhaafmodus was het tegengehouden)"
    ),
}

SEVERITIES: Final[Mapping[Severity, Words]] = {
    Severity.INFO: Words("info", "info"),
    Severity.LOW: Words("low", "laag"),
    Severity.MEDIUM: Words("medium", "middel"),
    Severity.HIGH: Words("high", "hoog"),
    Severity.CRITICAL: Words("critical", "kritiek"),
}

MODES: Final[Mapping[Mode, Words]] = {
    Mode.OBSERVE: Words("observe (it only looks)", "observeren (er wordt alleen gekeken)"),
    Mode.MONITOR: Words(
        "monitor (it judges and lets everything pass)", "meekijken (er wordt geoordeeld, alles mag door)"
    ),
    Mode.ENFORCE: Words(
        "enforce (what no rule allows does not pass)", "handhaven (wat geen regel toestaat, mag niet door)"
    ),
    Mode.LOCAL: Words("cut off (nothing from the T-box passes)", "afgesloten (niets van de T-box mag door)"),
}

REASONS: Final[Mapping[Reason, Words]] = {
    Reason.UNDECIDED: Words(
        "Nothing decided about it, and what is undecided does not pass.",
        "Er is niets over besloten, en wat onbeslist is, mag niet door.",
    ),
    Reason.VEHICLE_TO_TBOX: Words(
        "It goes from the vehicle to the T-box; telemetry passes.",
        "Het gaat van het voertuig naar de T-box; telemetrie mag door.",
    ),
    Reason.ALLOWED: Words(
        "A rule of the operator's policy allows it.", "Een regel in het beleid van de vervoerder staat het toe."
    ),
    Reason.GRANTED: Words(
        "A maintenance grant that is in force allows it.", "Een geldige onderhoudstoestemming staat het toe."
    ),
    Reason.CONTINUES_ALLOWED: Words(
        "It continues a transfer that was allowed when it began.",
        "Het hoort bij een overdracht die bij het begin is toegestaan.",
    ),
    Reason.ANSWERS_VEHICLE: Words(
        "It answers a question that the vehicle asked.", "Het is het antwoord op een vraag van het voertuig."
    ),
    Reason.NO_POLICY: Words(
        "No policy is in force, and without one nothing from the T-box is allowed.",
        "Er is geen beleid van kracht, en zonder beleid mag niets van de T-box door.",
    ),
    Reason.POLICY_EXPIRED: Words("The policy in force has expired.", "Het geldende beleid is verlopen."),
    Reason.NOT_ALLOWLISTED: Words(
        "No rule of the operator's policy allows it.", "Geen regel in het beleid van de vervoerder staat het toe."
    ),
    Reason.SIGNAL_OUT_OF_RANGE: Words(
        "A rule allows this message, but not with this value.",
        "Een regel staat dit bericht toe, maar niet met deze waarde.",
    ),
    Reason.SIGNAL_UNKNOWN: Words(
        "A rule allows this message only within a range, and the value could not be read.",
        "Een regel staat dit bericht alleen binnen een bereik toe, en de waarde was niet leesbaar.",
    ),
    Reason.CONDITION_NOT_MET: Words(
        "A rule allows it only in another state of the vehicle.",
        "Een regel staat het alleen toe in een andere toestand van het voertuig.",
    ),
    Reason.CONDITION_UNKNOWN: Words(
        "A rule allows it only in a certain state of the vehicle, and that state is not known for sure.",
        "Een regel staat het alleen toe in een bepaalde toestand van het voertuig, en die is niet zeker bekend.",
    ),
    Reason.RATE_EXCEEDED: Words(
        "A rule allows it less often than this.", "Een regel staat het toe, maar minder vaak dan nu."
    ),
    Reason.OUTSIDE_WINDOW: Words(
        "A rule allows it only at other times.", "Een regel staat het alleen op andere tijden toe."
    ),
    Reason.TIME_UNKNOWN: Words(
        "A rule allows it only at certain times, and the time is not known for sure.",
        "Een regel staat het alleen op bepaalde tijden toe, en de tijd is niet zeker bekend.",
    ),
    Reason.GRANT_REQUIRED: Words(
        "A rule allows it only during approved maintenance, and no grant is in force.",
        "Een regel staat het alleen toe tijdens goedgekeurd onderhoud, en er is geen toestemming van kracht.",
    ),
    Reason.MASQUERADE: Words(
        "It came from the T-box's side under an address or identifier that belongs to the vehicle.",
        "Het kwam van de kant van de T-box onder een adres of kenmerk van het voertuig zelf.",
    ),
    Reason.CONTINUES_BLOCKED: Words(
        "It continues a transfer that was blocked when it began.",
        "Het hoort bij een overdracht die bij het begin is tegengehouden.",
    ),
    Reason.NO_TRANSFER: Words(
        "It claims to continue a transfer that nobody began.",
        "Het zegt bij een overdracht te horen die niemand is begonnen.",
    ),
    Reason.MALFORMED: Words(
        "It does not follow its own protocol, so nobody can say what it would do.",
        "Het volgt zijn eigen protocol niet, dus niemand kan zeggen wat het zou doen.",
    ),
    Reason.REMOTE_FRAME: Words(
        "It is a remote frame, which asks another node to speak; none is allowed.",
        "Het is een remote frame, dat een ander laat spreken; die mogen niet door.",
    ),
    Reason.ERROR_FRAME: Words("It is an error frame of the wire itself.", "Het is een foutmelding van de bus zelf."),
    Reason.FLOOD: Words(
        "The T-box sends more frames than it ever should.", "De T-box stuurt meer berichten dan ooit nodig is."
    ),
    Reason.STALE: Words(
        "It is too old, or a repeat of an earlier frame.", "Het is te oud, of een herhaling van een eerder bericht."
    ),
    Reason.ENDPOINT_SERVICE: Words(
        "It is the ordinary service of a party that the policy lists.",
        "Het is de gewone dienst van een partij die in het beleid staat.",
    ),
    Reason.TBOX_TO_CLOUD: Words(
        "The T-box says it itself; what it may say is decided by whom it may talk to.",
        "De T-box zegt het zelf; met wie hij mag praten bepaalt wat hij mag zeggen.",
    ),
    Reason.ENDPOINT_NOT_LISTED: Words(
        "No endpoint of the operator's policy is this party.",
        "Deze tegenpartij staat niet in het beleid van de vervoerder.",
    ),
    Reason.COUNTRY_NOT_ALLOWED: Words(
        "The policy does not allow the country that this party is in.",
        "Het beleid staat het land van deze tegenpartij niet toe.",
    ),
    Reason.PROTOCOL_NOT_ALLOWED: Words(
        "Something else is spoken than the policy names for this party.",
        "Er wordt iets anders gesproken dan het beleid voor deze tegenpartij noemt.",
    ),
    Reason.IDENTITY_NOT_ALLOWED: Words(
        "The other end shows a name or certificate that the policy does not name.",
        "De tegenpartij toont een naam of certificaat dat het beleid niet noemt.",
    ),
    Reason.VOLUME_EXCEEDED: Words(
        "More data came towards the T-box than the policy allows.",
        "Er kwamen meer gegevens naar de T-box dan het beleid toestaat.",
    ),
    Reason.INBOUND: Words(
        "Somebody outside opened the connection; only the T-box may open one.",
        "Iemand van buiten opende de verbinding; alleen de T-box mag dat.",
    ),
    Reason.HELD: Words(
        "It waits until the operator releases or refuses it.", "Het wacht tot de vervoerder het vrijgeeft of weigert."
    ),
    Reason.REFUSED_BY_OPERATOR: Words(
        "The operator refused it after it had been held.", "De vervoerder weigerde het nadat het was vastgehouden."
    ),
    Reason.LOCAL_OVERRIDE: Words(
        "Somebody at the vehicle has cut the T-box off.", "Iemand bij het voertuig heeft de T-box afgesloten."
    ),
}
