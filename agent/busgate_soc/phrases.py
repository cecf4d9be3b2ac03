"""What the SOC's screen says, in English and Dutch.

Law: a sentence about a log says whether it is proven, and by what; "verified" is said only where a given key signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from busgate.report.words import Words
from busgate_soc.happenings import Alarm
from busgate_soc.keyring import Basis

ALARMS: Final[Mapping[Alarm, Words]] = {
    Alarm.CONTRADICTION: Words(
        "TWO HISTORIES: the key of this log signed two heads that cannot both be true (they part at or below size "
        "{size}). The device was copied or its key is stolen. Nothing of it is cosigned any more.",
        "TWEE GESCHIEDENISSEN: de sleutel van dit logboek ondertekende twee standen die niet allebei waar kunnen zijn "
        "(ze scheiden bij of onder {size}). Het apparaat is gekopieerd of de sleutel gestolen. Niets ervan wordt nog "
        "medeondertekend.",
    ),
    Alarm.DIVERGES: Words(
        "NOT COSIGNED: the signed head of size {size} does not follow from the records. A copy of this device writes a "
        "history of its own, or records are altered on the way.",
        "NIET MEDEONDERTEKEND: de ondertekende stand van {size} volgt niet uit de regels. Een kopie van dit apparaat "
        "schrijft een eigen geschiedenis, of regels worden onderweg veranderd.",
    ),
    Alarm.FOREIGN_RECORD: Words(
        "FOREIGN RECORD: record {index}, long proven, was sent again with other contents. Somebody else writes under "
        "this device's name.",
        "VREEMDE REGEL: regel {index}, al bewezen, kwam opnieuw met een andere inhoud. Iemand anders schrijft onder de "
        "naam van dit apparaat.",
    ),
    Alarm.FALSE_EARLY_COPY: Words(
        "FALSE ALERT: the early copy of record {index} said something else than the log. Go by the log.",
        "VALSE MELDING: de vroege kopie van regel {index} zei iets anders dan het logboek. Ga uit van het logboek.",
    ),
    Alarm.REFUSED: Words("CHECKPOINT REFUSED: {reason}.", "STAND GEWEIGERD: {reason}."),
    Alarm.SHARED_KEY: Words(
        "SHARED KEY: {other} signs with the same key. One of the two is a copy. Not cosigned.",
        "GEDEELDE SLEUTEL: {other} ondertekent met dezelfde sleutel. Een van de twee is een kopie. Niet "
        "medeondertekend.",
    ),
    Alarm.NEW_LOG: Words(
        "NEW LOG does not go on where the last one ended: {reason}.",
        "NIEUW LOGBOEK gaat niet verder waar het vorige ophield: {reason}.",
    ),
}

PROVEN: Final[Mapping[Basis, Words]] = {
    Basis.GIVEN: Words("verified at size {size}, root {root}", "gecontroleerd bij {size} regels, wortel {root}"),
    Basis.CAME_WITH_LOG: Words(
        "consistent at size {size}, root {root}; NOT VERIFIED: its key came with the log (give it with --vkey)",
        "sluitend bij {size} regels, wortel {root}; NIET GECONTROLEERD: de sleutel kwam met het logboek mee (geef hem "
        "met --vkey)",
    ),
    Basis.TEST: Words(
        "consistent at size {size}, root {root}; PROVES NOTHING: signed with the published test key",
        "sluitend bij {size} regels, wortel {root}; BEWIJST NIETS: ondertekend met de openbare testsleutel",
    ),
}

WATCHING: Final = Words("watching {what} at {broker}", "kijkt naar {what} op {broker}")
ALL: Final = Words("all devices", "alle apparaten")
EARLY: Final = Words(
    "early copy of record {index}, not yet verified", "vroege kopie van regel {index}, nog niet gecontroleerd"
)
CONFIRMED: Final = Words("as shown early: {sentence}", "zoals eerder gemeld: {sentence}")
RECORD: Final = Words("record {index}, {proven}", "regel {index}, {proven}")
WHY: Final = Words("why", "waarom")
FIRST: Final = Words("do first", "doe eerst")
COSIGNED: Final = Words(", cosigned", ", medeondertekend")
ONLINE: Final = Words(
    "online, log {incarnation} has {size} records", "online, logboek {incarnation} heeft {size} regels"
)
OFFLINE: Final = Words("offline", "offline")
ASKED: Final = Words(
    "records {size} to {last} are missing or unproven; asked for them",
    "regels {size} tot {last} ontbreken of zijn niet bewezen; opgevraagd",
)
STRANGE: Final = Words("malformed from {topic}: {reason}", "onleesbaar van {topic}: {reason}")
UNREADABLE: Final = Words("a record that cannot be read", "een onleesbare regel")
NO_TIME: Final = Words("(no time)", "(geen tijd)")

SUMMARY_NONE: Final = Words(
    "nothing is proven, {wanted} records announced", "niets bewezen, {wanted} regels aangekondigd"
)
SUMMARY_KEPT: Final = Words("{proven} records proven before this run", "{proven} regels al eerder bewezen")
SUMMARY_BEHIND: Final = Words(" ({behind} more are not proven)", " (nog {behind} niet bewezen)")
SUMMARY_COUNTS: Final = Words(
    "{alerts} alerts ({severities}), {faults} alarms, {strange} malformed messages, {early} early copies unconfirmed",
    "{alerts} meldingen ({severities}), {faults} alarmen, {strange} onleesbare berichten, {early} vroege kopieën "
    "onbevestigd",
)
SUMMARY_EMPTY: Final = Words("nothing was heard", "er is niets gehoord")
