"""The words of the disclosure report, in English and Dutch.

Law: every member of the model's closed sets has both languages; a text is whole, joined only where a `{}` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from busgate.model import Act, Subsystem
from busgate.report.words import Words

TITLE = Words("Remote functions of this vehicle", "Functies op afstand van dit voertuig")
TITLE_PUBLIC = Words(
    "Remote functions of this vehicle: public summary", "Functies op afstand van dit voertuig: openbaar"
)
LEAD = Words(
    "What was seen reaching the vehicle or its telematics unit (T-box) from outside, by interface, as busgate recorded "
    "it in a signed log, beside what the vendor declares.",
    "Wat van buiten bij het voertuig of zijn telematica-unit (T-box) aankwam, per verbinding, zoals busgate het in een "
    "ondertekend logboek vastlegde, naast wat de leverancier opgeeft.",
)
LEAD_ALONE = Words(
    "What was seen reaching the vehicle or its telematics unit (T-box) from outside, by interface, as busgate recorded "
    "it in a signed log. No declaration of the vendor was given, so nothing here is called declared or undeclared.",
    "Wat van buiten bij het voertuig of zijn telematica-unit (T-box) aankwam, per verbinding, zoals busgate het in een "
    "ondertekend logboek vastlegde. Er is geen opgave van de leverancier bij, dus niets heet hier opgegeven of niet.",
)

SEEN = Words("functions seen", "functies gezien")
UNDECLARED = Words("not declared", "niet opgegeven")
NOT_OBSERVED = Words("declared, not observed", "opgegeven, niet waargenomen")
RECORDED = Words("recorded", "opgenomen")
HOURS = Words("{} h", "{} uur")
MINUTES = Words("{} min", "{} min")
SECONDS = Words("{} s", "{} s")

FUNCTION = Words("Function", "Functie")
DOES = Words("What it does", "Wat het doet")
FROM_TO = Words("From, to", "Van, naar")
WHEN = Words("First, last seen", "Eerst, laatst gezien")
COUNT = Words("Count", "Aantal")
OUTCOME = Words("Outcome", "Uitkomst")
DECLARED = Words("Declared", "Opgegeven")
PURPOSE = Words("Purpose, by the vendor", "Doel, volgens de leverancier")
ALLOWED_ENDS = Words("Endpoints and countries declared", "Opgegeven adressen en landen")
UNKNOWN = Words("unknown", "onbekend")
NO_CLOCK = Words("no clock", "geen klok")
YES = Words("yes", "ja")
NO = Words("no", "nee")
UNDER_GRANT = Words("under a maintenance grant", "onder een onderhoudstoestemming")
UNDER_GRANTS = Words("under grant {}", "onder toestemming {}")
NOTHING: Final = "\N{EN DASH}"
CLAIMED = Words(
    "sender only claimed: one wire is shared", "afzender alleen beweerd: beide kanten delen één draad"
)  # fmt: skip

INTERFACES: Final[Mapping[str, Words]] = {
    "can": Words("CAN: from the T-box to the vehicle", "CAN: van de T-box naar het voertuig"),
    "ip": Words("IP: between the T-box and the internet", "IP: tussen de T-box en het internet"),
    "sms": Words(
        "SMS: short messages to and from the T-box's SIM", "Sms: berichten van en naar de simkaart van de T-box"
    ),
}
SHORT_INTERFACES: Final[Mapping[str, Words]] = {
    "can": Words("CAN", "CAN"), "ip": Words("IP", "IP"), "sms": Words("SMS", "sms"),
}  # fmt: skip

KINDS: Final[Mapping[str, Words]] = {
    "control": Words("control", "bediening"),
    "update": Words("update", "update"),
    "configuration": Words("configuration", "instellingen"),
    "diagnostics": Words("diagnostics", "diagnose"),
    "traffic": Words("ordinary traffic", "gewoon verkeer"),
}

PARTS: Final[Mapping[Subsystem, Words]] = {
    Subsystem.DRIVE: Words("drive", "aandrijving"),
    Subsystem.BMS: Words("traction battery", "tractiebatterij"),
    Subsystem.HIGH_VOLTAGE: Words("high voltage", "hoogspanning"),
    Subsystem.CHARGING: Words("charging", "laden"),
    Subsystem.BRAKES: Words("brakes", "remmen"),
    Subsystem.STEERING: Words("steering", "besturing"),
    Subsystem.DOORS: Words("doors", "deuren"),
    Subsystem.HVAC: Words("heating and cooling", "verwarming en koeling"),
    Subsystem.BODY: Words("body electronics", "carrosserie-elektronica"),
    Subsystem.TELEMATICS: Words("telematics unit", "telematica-unit"),
    Subsystem.UNKNOWN: Words("unknown part", "onbekend deel"),
}

DEEDS: Final[Mapping[Act, Words]] = {
    Act.LIMIT: Words("limit", "begrenzen"),
    Act.STOP: Words("stop", "stoppen"),
    Act.ENABLE: Words("enable", "vrijgeven"),
    Act.SET: Words("change a setting", "instelling wijzigen"),
    Act.WRITE: Words("write data", "gegevens schrijven"),
    Act.RESET: Words("restart", "herstarten"),
    Act.FLASH: Words("load software", "software laden"),
    Act.ROUTINE: Words("run a routine", "routine starten"),
    Act.IO_CONTROL: Words("take over inputs or outputs", "in- of uitgangen overnemen"),
    Act.UNLOCK: Words("unlock", "ontgrendelen"),
    Act.SILENCE: Words("silence", "laten zwijgen"),
    Act.CLEAR: Words("clear stored data", "opgeslagen gegevens wissen"),
    Act.READ: Words("read data", "gegevens lezen"),
    Act.SEND: Words("send a message", "bericht sturen"),
}

OUTCOMES: Final[Mapping[str, Words]] = {
    "block": Words("blocked", "tegengehouden"),
    "pass": Words("passed", "doorgelaten"),
    "would_block": Words("passed; enforce mode would block", "doorgelaten; handhaafmodus houdt tegen"),
}

FINDINGS: Final[Mapping[str, Words]] = {
    "UNDECLARED_REMOTE_FUNCTION": Words("not declared", "niet opgegeven"),
    "UNDECLARED_ENDPOINT": Words("from an endpoint that is not declared", "van een adres dat niet is opgegeven"),
    "UNDECLARED_COUNTRY": Words("from a country that is not declared", "uit een land dat niet is opgegeven"),
}
DIFFERS = Words("a declared function differs only in its {}", "een opgegeven functie verschilt alleen in {}")
FIELDS: Final[Mapping[str, Words]] = {
    "interface": Words("interface", "verbinding"),
    "protocol": Words("protocol", "protocol"),
    "subsystem": Words("part of the vehicle", "voertuigdeel"),
    "act": Words("act", "handeling"),
    "target": Words("target", "doel"),
}

H_UNDECLARED = Words("Seen and not declared", "Gezien en niet opgegeven")
H_DEPARTURES = Words("Declared, but from elsewhere", "Opgegeven, maar van elders")
H_NOT_OBSERVED = Words("Declared and not observed", "Opgegeven en niet waargenomen")
H_CONDUCT = Words("Noticed for how it was sent", "Opgevallen door de manier van verzenden")
H_SOURCES = Words("What this rests on", "Waar dit op berust")
H_LIMITS = Words("What this report cannot say", "Wat dit rapport niet kan zeggen")

NONE_UNDECLARED = Words("Every function that was seen is declared.", "Elke functie die is gezien, is opgegeven.")
NONE_SEEN = Words("Nothing was seen on this interface.", "Op deze verbinding is niets gezien.")
ALL_OBSERVED = Words("Every declared function was seen.", "Elke opgegeven functie is gezien.")
ABSENCE = Words(
    "That a declared function was not observed does not prove that the vehicle lacks it: absence of a message is not "
    "absence of the capability.",
    "Dat een opgegeven functie niet is waargenomen, bewijst niet dat het voertuig haar niet heeft: een bericht dat "
    "uitblijft, is geen functie die ontbreekt.",
)
LIMITS: Final = (
    Words(
        "A function that nobody used while busgate listened is not in the list. Its absence from the list does not "
        "prove its absence from the vehicle.",
        "Een functie die niemand gebruikte terwijl busgate luisterde, staat niet in de lijst. Dat bewijst niet dat het "
        "voertuig haar niet heeft.",
    ),
    Words(
        "Of what a function was asked for in detail a few examples are shown, not all.",
        "Van wat er precies is gevraagd staan enkele voorbeelden in de lijst, niet alles.",
    ),
    Words(
        "A country is the one in which the block of addresses is registered or announced, by the operator's own table; "
        "a computer may stand elsewhere.",
        "Een land is het land waar het adresblok is geregistreerd of aangekondigd, volgens de tabel van de vervoerder; "
        "een computer kan elders staan.",
    ),
)
BLIND = Words(
    "No IP or SMS traffic was seen. A T-box with a modem and SIM of its own sends and receives past busgate, unless "
    "busgate is its way to the internet or holds its SIM.",
    "Er is geen IP- of sms-verkeer gezien. Een T-box met een eigen modem en simkaart zendt en ontvangt buiten busgate "
    "om, tenzij busgate zijn weg naar het internet is of zijn simkaart heeft.",
)
LEFT_OUT = Words(
    "{} more sightings were of functions beyond the 5,000 that are listed.",
    "{} waarnemingen waren van functies boven de 5.000 die in de lijst staan.",
)
PUBLIC = Words(
    "In this public form vehicle, SIM and telephone numbers, addresses and places are left out, times are days, and "
    "the other end is named only where the vendor declared its name.",
    "In deze openbare vorm ontbreken voertuig-, sim- en telefoonnummers, adressen en plaatsen, zijn tijden dagen, en "
    "heeft de andere kant alleen een naam waar de leverancier die opgaf.",
)

SOURCE = Words("{name}: {records} records", "{name}: {records} regels")
SOURCE_PUBLIC = Words("A log of {records} records", "Een logboek van {records} regels")
VERIFIED = Words("verified as signed, root {}", "gecontroleerd zoals ondertekend, wortel {}")
DOUBT = Words(
    "A log that this rests on is NOT as it was signed; see at the end what is wrong. Nothing below is proof.",
    "Een logboek onder dit rapport is NIET zoals het is ondertekend; onderaan staat wat eraan schort. Niets hieronder "
    "is bewijs.",
)
NOT_VERIFIED = Words("NOT VERIFIED: {}", "NIET GECONTROLEERD: {}")
UNSIGNED = Words("a replay report, which bears no signature", "een herhaalrapport, dat geen handtekening draagt")
TEST_KEY = Words(
    "signed with the published test key, which proves nothing about who wrote it",
    "ondertekend met de openbare testsleutel; dat bewijst niet wie het schreef",
)
DECLARATION = Words(
    "Declaration {declaration}, version {version}, of {vendor}, dated {date}: {functions} functions",
    "Opgave {declaration}, versie {version}, van {vendor}, gedateerd {date}: {functions} functies",
)
PERIOD = Words("Recorded from {first} to {last}", "Opgenomen van {first} tot {last}")
MADE = Words("Made on {}", "Gemaakt op {}")
