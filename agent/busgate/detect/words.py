"""Text commands: what vendors write into short messages, text messages and topics to make a T-box do something.

Law: a word list finds what it lists. What looks like a command and is not listed is `unknown`, never ordinary text;
plain prose is ordinary. Forms: `WORD#`, `WORD,argument,...#`, `WORD123456`, JSON with such words, and Chinese words.

The forms were seen in public manuals of GPS trackers and in public platform code (RELAY,1#, DYD#, HFYD#, stop123456,
resume123456, SERVER,1,host,port,0#, APN,name#, FACTORY#, RESET#, UPGRADE,url#); the list is ours.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from busgate.detect.wanted import (
    CARRIED,
    COMMAND,
    MOST_TEXT,
    RESET,
    SETTINGS,
    UNKNOWN,
    UPDATE,
    WATCHING,
    Wanted,
    reading,
    unknown,
)
from busgate.model import Act, Argument, Subsystem

_S, _A = Subsystem, Act


MOST_READ = 4096
"""Characters; a longer text is no command that anybody types and no notice that anybody reads."""


class _Row(NamedTuple):
    """What words mean: as patterns in Latin letters, matched whole, and in Chinese, matched anywhere."""

    name: str
    subsystem: Subsystem
    act: Act
    rule: str
    latin: tuple[str, ...]
    chinese: tuple[str, ...]


# Words are matched in any case, `_` and `-` as spaces.
_TABLE = (
    _Row(
        "text command: restore drive",
        _S.DRIVE,
        _A.ENABLE,
        COMMAND,
        (
            "hfyd",
            "resume ?(?:oil|fuel|engine|power|drive)?",
            "restore ?(?:oil|fuel|engine|power|circuit|drive)?",
            "relay[ ,:=]*0",
            "engine ?(?:on|start)",
            "start ?engine",
            "release",
            "fuel ?on",
            "oil ?on",
            "run",
            "mobili[sz]e",
        ),
        ("恢复油路", "恢复油电", "恢复电路", "接通油路", "供油", "启动发动机", "远程启动"),
    ),
    _Row(
        "text command: cut drive",
        _S.DRIVE,
        _A.STOP,
        COMMAND,
        (
            "dyd",
            "stop",
            "relay(?:[ ,:=]*[1-9])?",
            "cut ?off",
            "cut ?(?:oil|fuel|engine|power|circuit|drive)",
            "engine ?(?:off|stop|cut)",
            "stop ?(?:engine|drive|vehicle)",
            "immobili[sz]er?",
            "kill(?: ?switch)?",
            "disable ?(?:drive|engine|vehicle)",
            "fuel ?off",
            "oil ?off",
            "vehicle ?stop",
            "remote ?stop",
            "lock ?(?:vehicle|car|engine)",
            "setdigout ?1",
            "shut ?down ?(?:engine|drive)",
        ),
        ("断油断电", "断油", "断电", "切断油路", "切断电路", "熄火", "锁车", "停车", "远程停车", "禁止启动"),
    ),
    _Row(
        "text command: limit speed or torque",
        _S.DRIVE,
        _A.LIMIT,
        COMMAND,
        ("speed[ ,:=]+[0-9]+", "speed ?limit", "max ?speed", "torque(?: ?limit)?", "power ?limit", "derate", "limp"),
        ("限速", "限扭", "限功率", "降功率"),
    ),
    _Row(
        "text command: battery or high voltage",
        _S.BMS,
        _A.SET,
        COMMAND,
        (
            "bms",
            "contactors?",
            "battery ?(?:off|disconnect|cut|lock|limit)",
            "hv ?(?:off|on)",
            "high ?voltage",
            "soc ?limit",
            "discharge",
        ),
        ("断高压", "下高压", "上高压", "接触器", "电池锁", "放电限制", "高压"),
    ),
    _Row(
        "text command: charging",
        _S.CHARGING,
        _A.SET,
        COMMAND,
        ("charg(?:e|ing|er)(?: ?(?:limit|stop|start|off|on))?",),
        ("充电", "停止充电", "充电限制"),
    ),
    _Row(
        "text command: doors",
        _S.DOORS,
        _A.SET,
        COMMAND,
        ("(?:un)?lock", "(?:open|close|lock|unlock) ?doors?", "doors?(?: ?(?:open|close|lock|unlock))"),
        ("开门", "关门", "解锁", "上锁"),
    ),
    _Row(
        "text command: climate",
        _S.HVAC,
        _A.SET,
        COMMAND,
        ("heat(?:er|ing)?", "pre ?heat", "hvac", "climate", "air ?con(?:ditioning)?"),
        ("空调", "预热"),
    ),
    _Row(
        "text command: brakes",
        _S.BRAKES,
        _A.SET,
        COMMAND,
        ("brakes?",),
        ("制动", "刹车"),
    ),
    _Row(
        "text command: steering",
        _S.STEERING,
        _A.SET,
        COMMAND,
        ("steer(?:ing)?",),
        ("转向",),
    ),
    _Row(
        "text command: software update",
        _S.TELEMATICS,
        _A.FLASH,
        UPDATE,
        ("fota", "ota", "upgrade", "update", "firmware"),
        ("升级", "更新固件"),
    ),
    _Row(
        "text command: diagnostics",
        _S.UNKNOWN,
        _A.SET,
        CARRIED,
        ("diag(?:nose|nostics?)?", "uds"),
        ("诊断",),
    ),
    _Row(
        "text command: reset",
        _S.TELEMATICS,
        _A.RESET,
        RESET,
        ("reset", "reboot", "restart", "factory(?: ?reset)?", "cqgq", "format", "power ?off"),
        ("重启", "复位", "恢复出厂"),
    ),
    _Row(
        "text command: settings",
        _S.TELEMATICS,
        _A.SET,
        SETTINGS,
        (
            "server",
            "apn",
            "dns",
            "domain",
            "ip ?set",
            "adminip",
            "sos",
            "center",
            "monitor ?number",
            "password",
            "pwd",
            "timer",
            "interval",
            "gmt",
            "port",
        ),
        ("服务器", "域名", "设置"),
    ),
    _Row(
        "text command: listening or pictures",
        _S.TELEMATICS,
        _A.ENABLE,
        WATCHING,
        ("monitor", "listen", "callback", "photo", "picture", "camera", "record(?:ing)?"),
        ("监听", "拍照", "录音", "录像"),
    ),
)

_READS = re.compile(
    r"[*#<$(@]?(?:where|status|params?|version|url|check|query|gprsset|iccid|imei|位置|查询|状态|版本)"
    r"(?:[ ,:=][0-9]{1,8}|[0-9]{1,8})?(?:[ ,:=][0-9]{1,8})?[#;)>!*]?",
    re.IGNORECASE,
)
"""A question, with numbers behind it at most (a password, a count): other words behind one may be an order."""


def _pattern(row: _Row) -> re.Pattern[str]:
    # A password of digits may stand directly behind the word: stop123456.
    # The longest first, so that all that a command says is matched.
    words = "|".join(sorted(row.latin, key=len, reverse=True))
    latin = rf"(?<![0-9A-Za-z])(?:{words})(?=[0-9]{{4,}}\b|[^0-9A-Za-z]|$)"
    return re.compile("|".join((latin, *row.chinese)), re.IGNORECASE)


_WORDS = tuple((row, _pattern(row)) for row in _TABLE)

# No two parts of these patterns can match the same character, so that a hostile text costs no more than its length.
_SHAPE = re.compile(
    r"[*#<$(@]?[A-Za-z][A-Za-z0-9_]{1,24}(?:[ ,:=;*|][^\s#,:=;*|]{0,80}){0,40}[#;)>!*]"
    r"|[A-Z][A-Z0-9_=,:;*-]{2,80}"
    r"|[{\[<].*[}\]>]",
    re.DOTALL,
)
"""A text for machines: a word with arguments and an end mark (`DWXX#`, `<SPBSJ*P:BSJGPS*C:1>`), one word in capitals
(`ABC123456`), or one between brackets."""

_MARKED = re.compile(r"[A-Za-z\u4e00-\u9fff][^\s#]{0,160}#(?:\s|$)|(?:^|\s)[*#<$@][A-Z]{2}[^\s]*[#>*](?:\s|$)")
"""A command in its marks anywhere in a text, such as `DYD#` before or behind a sentence."""

_JSON_KEY = re.compile(
    r'"(?:cmd|command|action|control|method|operation|op|func|function|service)"\s*:\s*"?([^",}]{1,80})'
)


_NAMED = (
    "cmds?|commands?|cmd_?(?:id|type|code|name)|command_?(?:id|type|code|name)|action|control|instruction|op|operation"
)
_KEYS = (
    re.compile(rf'"(?:{_NAMED})"\s*:\s*(?:"([^"]{{0,80}})"|([^\s",}}]{{1,80}}))', re.IGNORECASE),
    re.compile(rf"(?:^|[&?\n])(?:data: ?)?(?:{_NAMED})[=:] ?([^&\s]{{1,80}})", re.IGNORECASE),
    re.compile(rf"<(?:\w{{1,20}}:)?(?:{_NAMED})(?:\s[^>]{{0,200}})?>\s*([^<\s][^<]{{0,80}})", re.IGNORECASE),
)
"""Under what names an answer gives an order, and the order."""
_NO_ORDER = frozenset({"", "null", "none", "false"})


def commanded(text: str) -> Wanted | None:
    """What a text that may be a command asks for; None where it is ordinary prose."""
    said = {"text": Argument(text[:MOST_TEXT])}
    if len(text) > MOST_READ:
        return unknown("text too long to be read", said)
    text = text.strip("\0 \t\r\n")
    keys = _JSON_KEY.findall(text)
    shaped = bool(keys) or _SHAPE.fullmatch(text) is not None or _MARKED.search(text) is not None
    if not shaped and _prose(text):
        return None
    row, matched = _row(" ".join(keys) if keys else text)
    if row is not None and (shaped or len(text.split()) < 3 or " " in matched.strip()):
        return Wanted(row.name, row.subsystem, row.act, row.rule, said)
    if _READS.fullmatch(text):
        return reading("text command: query", said)
    return unknown("text command that nobody explains", said) if shaped else None


def in_answer(text: str, asked_for_orders: bool) -> Wanted | None:
    """The order that stands in an answer to a question of the T-box's, which is data of any form unless it says so.

    An order is what stands under a name such as `cmd` (JSON, XML, a form), whether anybody can explain it or not; a
    text in the form of a command; and words for one where the T-box `asked_for_orders`.
    """
    text = _plain_json(text.strip("\0 \t\r\n"))
    said = {"text": Argument(text[:MOST_TEXT])}
    keys = [found[found.lastindex or 0] for pattern in _KEYS for found in pattern.finditer(text)]
    keys = [key for key in keys if key.strip().lower() not in _NO_ORDER]
    if keys:
        found = commanded('{"cmd":"' + " ".join(keys)[: MOST_READ // 2] + '"}')
    elif len(text) <= MOST_READ and (asked_for_orders or text[:1] not in _DATA):
        found = commanded(text)
        if found is not None and found.rule == UNKNOWN and not _MARKED.search(text):
            found = None
    else:
        found = None
    return None if found is None else found._replace(arguments=said)


def _plain_json(text: str) -> str:
    """JSON without escapes, as its reader understands it; anything else as it is."""
    if text[:1] not in _DATA or "\\" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


_DATA = ("{", "[", "<")


def topic_words(topic: str) -> bool:
    """Whether an MQTT topic or a URL path says that what is sent there is an order."""
    return _ORDERS.search(topic) is not None


_ORDERS = re.compile(
    r"(?:^|[/_.-])(?:cmds?|commands?|control|ctrl|down(?:link)?|set|rpc|request|action|invoke|service|remote|ota|fota"
    r"|upgrade|shadow/update/delta|jobs)(?:[/_.-]|$)",
    re.IGNORECASE,
)


def _row(text: str) -> tuple[_Row | None, str]:
    """What words mean and the words: those of the drive wherever they stand, else the first of all."""
    plain = re.sub(r"[_-]|(?<=[a-z])(?=[A-Z])", " ", text)
    found = [(match.start(), place, match[0]) for place, (_, pattern) in enumerate(_WORDS)
             if (match := pattern.search(plain)) is not None]  # fmt: skip
    if not found:
        return None, ""
    _, place, words = min(found, key=lambda each: (_TABLE[each[1]].subsystem is not _S.DRIVE, *each))
    return _TABLE[place], words


def _prose(text: str) -> bool:
    """Whether a text reads as a sentence for people: several words with spaces and no mark of a command.

    A command word in Chinese characters is short; a notice is a sentence.
    """
    stripped = text.strip()
    if re.search(r"[\u4e00-\u9fff]", stripped):
        return len(stripped) > 12
    return len(stripped.split()) > 3 or not stripped
