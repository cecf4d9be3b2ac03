"""The rules for what comes over the air and asks for something: orders, settings, software, eyes and ears.

Law: severity is that of the part of the vehicle which is reached; what nobody can read is never benign.
"""

from __future__ import annotations

from busgate.detect.rule import Rule, Scale
from busgate.model import Severity

_INFO = Scale(standing=Severity.INFO, moving=Severity.INFO)
_LOW = Scale(standing=Severity.LOW, moving=Severity.LOW)
_MEDIUM = Scale(standing=Severity.MEDIUM, moving=Severity.MEDIUM)
_RISING = Scale(standing=Severity.MEDIUM, moving=Severity.HIGH)
_HIGH = Scale(standing=Severity.HIGH, moving=Severity.HIGH)
_VITAL = Scale(standing=Severity.HIGH, moving=Severity.CRITICAL)

CLOUD_RULES = (
    Rule(
        id="cloud.command",
        version=1,
        title="Order over the air that acts on the vehicle",
        scale=_RISING,
        r155=("6.1", "16.1", "11.4"),
        attack=("T0855", "T0831", "T0822"),
        text_en="{source} ordered {name} over the air.",
        text_nl="{source} gaf over de lucht de opdracht {name}.",
        playbook_en="Ask the maker's control room who gave this order and why; look whether a frame followed it on the "
        "bus (the alert that names this one as its cause).",
        playbook_nl="Vraag de meldkamer van de fabrikant wie deze opdracht gaf en waarom; kijk of er een frame op de "
        "bus op volgde (de melding die deze als oorzaak noemt).",
        vital=_VITAL,
    ),
    Rule(
        id="cloud.unknown",
        version=1,
        title="Message over the air whose meaning nobody knows",
        scale=_RISING,
        r155=("6.1", "11.4", "16.1"),
        attack=("T0855", "T0822"),
        text_en="{source} sent {name}, a form of its maker's own that no public document explains.",
        text_nl="{source} stuurde {name}, een vorm van de fabrikant zelf die geen openbaar document uitlegt.",
        playbook_en="Ask the maker in writing what this message does; until there is an answer, keep it blocked.",
        playbook_nl="Vraag de fabrikant schriftelijk wat dit bericht doet; houd het tegen tot er antwoord is.",
        vital=_VITAL,
    ),
    Rule(
        id="cloud.settings",
        version=1,
        title="Settings changed over the air",
        scale=_MEDIUM,
        r155=("5.2", "5.3", "16.2"),
        attack=("T0836", "T0822"),
        text_en="{source} changed settings over the air: {name}.",
        text_nl="{source} wijzigde instellingen over de lucht: {name}.",
        playbook_en="Compare the new values with what the contract says: another server, network or telephone number "
        "moves the control of the T-box to somebody else.",
        playbook_nl="Vergelijk de nieuwe waarden met het contract: een andere server, ander netwerk of telefoonnummer "
        "legt de zeggenschap over de T-box bij een ander.",
        vital=_VITAL,
    ),
    Rule(
        id="cloud.update",
        version=1,
        title="Software update ordered or loaded over the air",
        scale=_HIGH,
        r155=("12.1", "5.1", "5.5"),
        attack=("T0843", "T0839", "T0857"),
        text_en="{source} had software loaded over the air: {name}.",
        text_nl="{source} liet over de lucht software laden: {name}.",
        playbook_en="Look for the approval of this update; without one, refuse what is held (busgate held) and ask "
        "the maker which version it is and why now.",
        playbook_nl="Zoek de goedkeuring van deze update; is die er niet, weiger wat wordt vastgehouden (busgate "
        "held) en vraag de fabrikant welke versie het is en waarom nu.",
        vital=_VITAL,
    ),
    Rule(
        id="cloud.reset",
        version=1,
        title="T-box reset, switched off or taken over",
        scale=_MEDIUM,
        r155=("8.1", "16.1", "20.3"),
        attack=("T0816", "T0813", "T0804"),
        text_en="{source} ordered over the air: {name}.",
        text_nl="{source} gaf over de lucht de opdracht: {name}.",
        playbook_en="A T-box that restarts tells nothing meanwhile: look at what else happened in those minutes.",
        playbook_nl="Een T-box die herstart meldt ondertussen niets: kijk wat er verder in die minuten gebeurde.",
    ),
    Rule(
        id="cloud.carried",
        version=1,
        title="Data passed through the T-box to a control unit",
        scale=_RISING,
        r155=("5.1", "11.3", "18.3"),
        attack=("T0855", "T0822", "T0866"),
        text_en="{source} sent data through the T-box to something behind it: {name}.",
        text_nl="{source} stuurde gegevens door de T-box heen naar iets erachter: {name}.",
        playbook_en="Look which diagnostic requests appeared on the bus just after it, and ask for the work order.",
        playbook_nl="Kijk welke diagnoseverzoeken er direct daarna op de bus verschenen, en vraag de werkopdracht op.",
        vital=_VITAL,
    ),
    Rule(
        id="cloud.watching",
        version=1,
        title="Camera, microphone or driver watched from outside",
        scale=_MEDIUM,
        r155=("7.2", "16.1"),
        attack=("T0802", "T0893"),
        text_en="{source} asked for pictures, sound or recordings: {name}.",
        text_nl="{source} vroeg om beeld, geluid of opnamen: {name}.",
        playbook_en="Personal data of passengers and driver may be leaving: involve the data protection officer.",
        playbook_nl="Er kunnen persoonsgegevens van reizigers en chauffeur weggaan: betrek de functionaris "
        "gegevensbescherming.",
    ),
    Rule(
        id="cloud.read",
        version=1,
        title="Data asked for over the air",
        scale=_LOW,
        r155=("7.2",),
        attack=("T0802", "T0888"),
        text_en="{source} asked for data over the air: {name}.",
        text_nl="{source} vroeg gegevens op over de lucht: {name}.",
        playbook_en="If the service that is paid for needs it, nothing is to be done; it belongs in the declaration.",
        playbook_nl="Is het nodig voor de afgenomen dienst, dan hoeft er niets te gebeuren; het hoort in de opgave.",
    ),
    Rule(
        id="cloud.service",
        version=1,
        title="Ordinary service over the air",
        scale=_INFO,
        r155=("6.1",),
        attack=("T0822",),
        text_en="{source} sent {name}, which commands nothing.",
        text_nl="{source} stuurde {name}; dat geeft geen opdracht.",
        playbook_en="Nothing is to be done unless its endpoint should not be there at all.",
        playbook_nl="Er hoeft niets te gebeuren, tenzij deze tegenpartij er helemaal niet hoort te zijn.",
    ),
    Rule(
        id="sms.command",
        version=1,
        title="Order by short message",
        scale=_RISING,
        r155=("6.1", "16.1", "4.1"),
        attack=("T0855", "T0822"),
        text_en="{source} sent an order by short message: {name}.",
        text_nl="{source} stuurde een opdracht per sms: {name}.",
        playbook_en="A short message needs no connection and proves no sender: ask the SIM's provider to bar incoming "
        "messages, and the maker why it needs them.",
        playbook_nl="Een sms heeft geen verbinding nodig en bewijst geen afzender: laat de SIM-aanbieder inkomende "
        "sms blokkeren, en vraag de fabrikant waarom hij ze nodig heeft.",
        vital=_VITAL,
        excusable=False,
    ),
    Rule(
        id="sms.received",
        version=1,
        title="Short message that nobody can read as ordinary",
        scale=_MEDIUM,
        r155=("6.1", "16.1"),
        attack=("T0822",),
        text_en="{source} sent a short message to the T-box: {name}.",
        text_nl="{source} stuurde een sms naar de T-box: {name}.",
        playbook_en="Ask the SIM's provider who owns that number; binary and silent messages are control, not talk.",
        playbook_nl="Vraag de SIM-aanbieder van wie dat nummer is; binaire en stille sms zijn besturing, geen praat.",
    ),
    Rule(
        id="update.session",
        version=1,
        title="Software replaced over the air",
        scale=_HIGH,
        r155=("12.1", "5.3"),
        attack=("T0843", "T0839", "T0857"),
        text_en="{source} is replacing software of {target} over the air: {name}.",
        text_nl="{source} vervangt over de lucht software van {target}: {name}.",
        playbook_en="Look for the approval; compare the software ids before and after with the maker's release, and "
        "keep the recording as evidence.",
        playbook_nl="Zoek de goedkeuring; vergelijk de softwarenummers ervoor en erna met de vrijgave van de "
        "fabrikant, en bewaar de opname als bewijs.",
        vital=_VITAL,
    ),
)
