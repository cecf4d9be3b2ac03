"""The rules for commands to a subsystem: one for each, `command.<subsystem>`.

Law: there is a rule for every member of Subsystem. What moves, stops, powers, brakes or steers the bus is critical
unless it surely stands; what nobody can name is HIGH, never benign.
"""

from __future__ import annotations

from typing import NamedTuple

from busgate.detect.rule import Rule, Scale
from busgate.model import Severity, Subsystem

_VITAL = Scale(standing=Severity.HIGH, moving=Severity.CRITICAL)
_HIGH = Scale(standing=Severity.HIGH, moving=Severity.HIGH)
_RISING = Scale(standing=Severity.MEDIUM, moving=Severity.HIGH)
_MEDIUM = Scale(standing=Severity.MEDIUM, moving=Severity.MEDIUM)
_COMFORT = Scale(standing=Severity.LOW, moving=Severity.MEDIUM)


class _Part(NamedTuple):
    subsystem: Subsystem
    noun_en: str
    noun_nl: str
    scale: Scale
    r155: tuple[str, ...]
    attack: tuple[str, ...]
    playbook_en: str
    playbook_nl: str


_PARTS = (
    _Part(
        Subsystem.DRIVE,
        "the drive",
        "de aandrijving",
        _VITAL,
        ("11.1", "16.1", "29.2"),
        ("T0855", "T0831"),
        "Ask traffic control whether the bus drives as its driver wants; if not, have it stop at a safe place and cut "
        "the T-box off with the key switch.",
        "Vraag de verkeersleiding of de bus rijdt zoals de chauffeur wil; zo niet, laat hem op een veilige plek "
        "stoppen en sluit de T-box af met de sleutelschakelaar.",
    ),
    _Part(
        Subsystem.BMS,
        "the traction battery",
        "de tractiebatterij",
        _VITAL,
        ("11.1", "25.1", "29.2"),
        ("T0855", "T0836"),
        "Ask traffic control whether the bus lost power or warns about its battery; if so, take it out of service and "
        "keep it outside, away from buildings, until a technician has read the battery faults.",
        "Vraag de verkeersleiding of de bus vermogen verloor of voor zijn batterij waarschuwt; zo ja, haal hem uit "
        "dienst en zet hem buiten, weg van gebouwen, tot een monteur de batterijfouten heeft uitgelezen.",
    ),
    _Part(
        Subsystem.HIGH_VOLTAGE,
        "the high-voltage system",
        "het hoogspanningssysteem",
        _VITAL,
        ("11.1", "25.1", "29.2"),
        ("T0855", "T0831", "T0880"),
        "Treat the high-voltage system as live whatever the dashboard says; have the bus stop at a safe place and let "
        "only a qualified technician open it.",
        "Beschouw het hoogspanningssysteem als onder spanning, wat het dashboard ook zegt; laat de bus op een veilige "
        "plek stoppen en alleen een bevoegd monteur eraan werken.",
    ),
    _Part(
        Subsystem.CHARGING,
        "charging",
        "het laden",
        _HIGH,
        ("25.2", "16.1"),
        ("T0855", "T0836"),
        "Stop the charging session at the charger, compare its power and voltage with the charge plan, and resume only "
        "when they agree.",
        "Stop de laadsessie bij de lader, vergelijk vermogen en spanning met het laadplan en hervat pas als die "
        "kloppen.",
    ),
    _Part(
        Subsystem.BRAKES,
        "the brakes",
        "de remmen",
        _VITAL,
        ("11.1", "25.1", "29.2"),
        ("T0855", "T0831", "T0880"),
        "Ask traffic control whether the bus braked without its driver or brakes poorly; if so, have it stop now and "
        "do not let it drive on before a brake test.",
        "Vraag de verkeersleiding of de bus zonder chauffeur remde of slecht remt; zo ja, laat hem nu stoppen en niet "
        "verder rijden voor een remproef.",
    ),
    _Part(
        Subsystem.STEERING,
        "the steering",
        "de besturing",
        _VITAL,
        ("11.1", "25.1", "29.2"),
        ("T0855", "T0831", "T0880"),
        "Have the bus stop at once at a safe place and do not let it drive on before its steering is tested.",
        "Laat de bus meteen op een veilige plek stoppen en niet verder rijden voordat de besturing is getest.",
    ),
    _Part(
        Subsystem.DOORS,
        "the doors",
        "de deuren",
        _RISING,
        ("16.1", "16.2", "11.1"),
        ("T0855", "T0831"),
        "Ask the driver whether a door moved by itself; if the bus is in service, have it halt until the doors obey "
        "the driver only.",
        "Vraag de chauffeur of een deur uit zichzelf bewoog; laat een bus in dienst stilstaan tot de deuren alleen de "
        "chauffeur gehoorzamen.",
    ),
    _Part(
        Subsystem.HVAC,
        "heating and cooling",
        "verwarming en koeling",
        _COMFORT,
        ("16.2",),
        ("T0855", "T0836"),
        "Ask the depot whether somebody preconditioned this bus; if so, add an allow rule for it, if not, look at the "
        "account that sent it.",
        "Vraag de remise of iemand deze bus heeft voorverwarmd of gekoeld; zo ja, voeg er een regel voor toe, zo nee, "
        "onderzoek het account dat dit stuurde.",
    ),
    _Part(
        Subsystem.BODY,
        "lights, wipers or other body functions",
        "verlichting, ruitenwissers of andere carrosseriefuncties",
        _RISING,
        ("11.1", "16.1"),
        ("T0855", "T0831"),
        "Ask the driver what changed on the bus (lights, wipers, horn, suspension); after dark, lights that went out "
        "are reason to stop.",
        "Vraag de chauffeur wat er aan de bus veranderde (verlichting, wissers, claxon, vering); in het donker is "
        "uitgevallen verlichting reden om te stoppen.",
    ),
    _Part(
        Subsystem.TELEMATICS,
        "another telematics unit",
        "een andere telematica-eenheid",
        _MEDIUM,
        ("16.2", "29.2"),
        ("T0855", "T0822"),
        "Find out which unit was addressed and whether its supplier announced work; ask both suppliers who "
        "configured it.",
        "Zoek uit welke eenheid is aangesproken en of de leverancier werk had aangekondigd; vraag beide leveranciers "
        "wie dit instelde.",
    ),
    _Part(
        Subsystem.UNKNOWN,
        "something that no description of this vehicle names",
        "iets dat in geen beschrijving van dit voertuig voorkomt",
        _HIGH,
        ("11.4", "29.2"),
        ("T0855",),
        "Ask the maker in writing what this message does; until the answer is in the profile, keep it blocked and "
        "treat it as a command to the drive.",
        "Vraag de fabrikant schriftelijk wat dit bericht doet; houd het geblokkeerd tot het antwoord in het profiel "
        "staat en behandel het als een opdracht aan de aandrijving.",
    ),
)

COMMAND_RULES = tuple(
    Rule(
        id=f"command.{part.subsystem}",
        version=1,
        title=f"Command to {part.noun_en}",
        scale=part.scale,
        r155=part.r155,
        attack=part.attack,
        text_en=f"{{source}} sent {{name}} to {{target}}: a command to {part.noun_en}.",
        text_nl=f"{{source}} stuurde {{name}} naar {{target}}: een opdracht aan {part.noun_nl}.",
        playbook_en=part.playbook_en,
        playbook_nl=part.playbook_nl,
    )
    for part in _PARTS
)
