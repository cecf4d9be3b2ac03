"""The rules for how a sender behaves, whatever it says: whose name it uses, how much and how fresh it sends.

Law: bad conduct is not excusable: an allow rule permits a message, never a forged sender, a flood or a replay. Only
what is merely new is excused by it, since whoever allows a message knows that it comes.
"""

from __future__ import annotations

from busgate.detect.rule import Rule, Scale
from busgate.model import Severity

_LOW = Scale(standing=Severity.LOW, moving=Severity.LOW)
_MEDIUM = Scale(standing=Severity.MEDIUM, moving=Severity.MEDIUM)
_RISING = Scale(standing=Severity.MEDIUM, moving=Severity.HIGH)
_HIGH = Scale(standing=Severity.HIGH, moving=Severity.HIGH)
_VITAL = Scale(standing=Severity.HIGH, moving=Severity.CRITICAL)

CONDUCT_RULES = (
    Rule(
        id="conduct.masquerade",
        version=1,
        title="T-box speaks as an ECU of the vehicle",
        scale=_HIGH,
        r155=("4.1", "6.1", "29.2"),
        attack=("T0848", "T0856"),
        text_en="{source} sent {name} under an identity that belongs to an ECU of the vehicle.",
        text_nl="{source} stuurde {name} onder een identiteit die bij een ECU van het voertuig hoort.",
        playbook_en="Check the wiring first: an ECU behind the T-box port looks the same; if the wiring is right, "
        "cut the T-box off with the key switch and keep it for investigation.",
        playbook_nl="Controleer eerst de bedrading: een ECU achter de T-box-poort ziet er net zo uit; klopt die, "
        "sluit de T-box dan af met de sleutelschakelaar en bewaar hem voor onderzoek.",
        vital=_VITAL,
        excusable=False,
    ),
    Rule(
        id="conduct.unseen",
        version=1,
        title="Sender or message never seen at commissioning",
        scale=_MEDIUM,
        r155=("6.1", "4.2"),
        attack=("T0848", "T0822"),
        text_en="{source} sent {name}, which it did not send when the gate was commissioned.",
        text_nl="{source} stuurde {name}, wat hij bij de inbedrijfstelling niet deed.",
        playbook_en="Ask the T-box's supplier whether its software changed and when; an update nobody announced is "
        "the finding.",
        playbook_nl="Vraag de leverancier van de T-box of en wanneer de software is gewijzigd; een onaangekondigde "
        "update is de bevinding.",
    ),
    Rule(
        id="conduct.flood",
        version=1,
        title="T-box floods the bus",
        scale=_HIGH,
        r155=("8.1", "24.1"),
        attack=("T0814",),
        text_en="{source} sends more frames than the vehicle's profile allows ({name}); those above the limit are "
        "refused.",
        text_nl="{source} stuurt meer frames dan het voertuigprofiel toestaat ({name}); wat erboven komt wordt "
        "geweigerd.",
        playbook_en="Ask the driver about warnings on the dashboard; if the flood lasts, cut the T-box off with the "
        "key switch.",
        playbook_nl="Vraag de chauffeur naar meldingen op het dashboard; houdt het aan, sluit de T-box dan af met "
        "de sleutelschakelaar.",
        excusable=False,
    ),
    Rule(
        id="conduct.stale-counter",
        version=1,
        title="Message repeated or replayed",
        scale=_RISING,
        r155=("6.3",),
        attack=("T0855", "T0856"),
        text_en="{source} sent {name} with a counter that repeats or leaps, as a stuck or replayed message does.",
        text_nl="{source} stuurde {name} met een teller die blijft staan of springt, zoals bij een vastgelopen of "
        "herhaald bericht.",
        playbook_en="Look whether the T-box restarted just then (one leap); a row of them is a replay or two senders.",
        playbook_nl="Kijk of de T-box toen net herstartte (een enkele sprong); een reeks is een herhaling of een "
        "tweede zender.",
        excusable=False,
    ),
    Rule(
        id="transport.malformed",
        version=1,
        title="Bytes that do not follow their protocol",
        scale=_MEDIUM,
        r155=("11.1", "28.1"),
        attack=("T0866", "T0814"),
        text_en="{source} sent bytes that do not follow {name}.",
        text_nl="{source} stuurde bytes die niet aan {name} voldoen.",
        playbook_en="See whether it recurs: once is noise on the wire, a pattern is somebody searching for a "
        "parser's mistake.",
        playbook_nl="Kijk of het terugkomt: een keer is ruis op de draad, een patroon is iemand die naar een fout "
        "zoekt.",
        excusable=False,
    ),
    Rule(
        id="frame.remote",
        version=1,
        title="Remote frame",
        scale=_MEDIUM,
        r155=("11.1",),
        attack=("T0861",),
        text_en="{source} sent a remote frame for {name}, which vehicles hardly ever use.",
        text_nl="{source} stuurde een remote frame voor {name}; voertuigen gebruiken die zelden.",
        playbook_en="Ask the T-box's supplier what it needs remote frames for; J1939 does without them.",
        playbook_nl="Vraag de leverancier van de T-box waar die remote frames voor nodig heeft; J1939 kent ze niet.",
        excusable=False,
    ),
    Rule(
        id="frame.error",
        version=1,
        title="Bus errors on the T-box side",
        scale=_LOW,
        r155=("24.1",),
        attack=("T0814",),
        text_en="The CAN controller reported errors on the side of {source}.",
        text_nl="De CAN-controller meldde fouten aan de zijde van {source}.",
        playbook_en="Check the connector, the terminating resistors and the bit rate of the T-box port.",
        playbook_nl="Controleer stekker, afsluitweerstanden en bitsnelheid van de T-box-poort.",
        excusable=False,
    ),
    Rule(
        id="traffic.unlisted",
        version=1,
        title="Traffic that no allow rule names",
        scale=_LOW,
        r155=("6.1",),
        attack=("T0822",),
        text_en="{source} sent {name} to {target}, which commands nothing known but is on no allow list.",
        text_nl="{source} stuurde {name} naar {target}; dat geeft geen bekende opdracht, maar staat op geen lijst.",
        playbook_en="If the bus or the telematics service needs it, add an allow rule; if nobody needs it, leave it "
        "out.",
        playbook_nl="Heeft de bus of de telematicadienst het nodig, voeg een regel toe; heeft niemand het nodig, "
        "laat het dan weg.",
    ),
)
