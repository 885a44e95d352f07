"""The words of a look-up: those of the wire in both languages, and what people say beside them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from agent.language import LANGUAGES, translated
from agent.wire.words import DIRECTIONS, KINDS, LABELS, SEVERITIES
from station.lookup.spoken.text import bare, phrase
from station.lookup.words import ACTS

_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "motorcycle": ("xe gan may", "mo to", "xe mo to", "moto", "motorbike", "moped", "scooter", "xe hai banh"),
    "car": ("xe con", "xe hoi", "xe o to", "oto", "xe oto", "automobile", "cars"),
    "truck": ("xe tai", "tai", "lorry", "xe ben", "xe container"),
    "bus": ("xe khach", "xe bus", "coach", "buses"),
    "bicycle": ("xe dap", "xe dap dien", "bike", "cyclist"),
    "person": ("nguoi di bo", "nguoi", "pedestrian", "people", "somebody"),
}
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "wrong_way": (
        "di nguoc chieu",
        "nguoc chieu",
        "wrong direction",
        "wrong way",
        "against the traffic",
        "nguoc duong",
    ),
    "line_crossed": (
        "qua vach",
        "vuot vach",
        "cat vach",
        "crossed the line",
        "crossing the line",
        "line crossing",
    ),
    "zone_entered": ("vao vung", "di vao vung", "entered the zone", "in the zone", "zone entered"),
    "stopped_vehicle": (
        "dung do",
        "do xe",
        "dau xe",
        "dung xe",
        "xe dung",
        "parked",
        "stopped",
        "parking",
        "stopped vehicle",
    ),
    "loitering": ("quanh quan", "la ca", "lang vang", "loitered", "lingering", "hanging around"),
    "crowd": ("tu tap", "dam dong", "dong nguoi", "crowds", "gathering", "gathered"),
    "object_left": ("vat bi bo lai", "do bo lai", "bo lai", "left behind", "left object", "rubbish", "rac"),
    "motion": ("chuyen dong", "movement"),
    "camera_lost": ("mat camera", "mat hinh", "camera lost"),
    "camera_blind": ("camera bi che", "che camera", "camera covered", "camera blind"),
}
_SEVERITIES: Final[Mapping[str, tuple[str, ...]]] = {"alert": ("canh bao", "alerts", "bao dong")}
_DIRECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "in": ("di vao", "huong vao", "chieu vao", "inwards", "inbound", "going in", "coming in"),
    "out": ("di ra", "huong ra", "chieu ra", "outwards", "outbound", "going out"),
}
REVIEWS: Final[Mapping[str, tuple[str, ...]]] = {
    "new": ("chua xem", "chua ai xem", "chua xu ly", "not looked at", "unseen", "not seen", "unreviewed"),
    "seen": ("da xem", "seen"),
    "confirmed": ("da xac nhan", "xac nhan", "confirmed"),
    "false": ("bao sai", "bao nham", "canh bao sai", "canh bao nham", "false alarm", "false alarms", "false"),
    "passed_on": ("da chuyen", "chuyen tiep", "passed on"),
}
COMPASS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("north", "bac"): ("northbound", "northwards", "huong bac", "ve phia bac", "len phia bac", "di ve bac"),
    ("south", "nam"): ("southbound", "southwards", "huong nam", "ve phia nam", "xuong phia nam", "di ve nam"),
    ("east", "dong"): ("eastbound", "eastwards", "huong dong", "ve phia dong", "di ve dong"),
    ("west", "tay"): ("westbound", "westwards", "huong tay", "ve phia tay", "di ve tay"),
}
LATE: Final = phrase("den muon", "den tre", "gui muon", "gui lai", "phat lai", "late", "replayed")
OLDEST: Final = phrase("cu nhat truoc", "tu cu den moi", "oldest first")
_COLOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "black": ("den", "black"),
    "white": ("trang", "white"),
    "grey": ("xam", "ghi", "bac", "grey", "gray", "silver"),
    "red": ("do", "red"),
    "orange": ("da cam", "cam", "orange"),
    "yellow": ("vang", "yellow"),
    "green": ("xanh la cay", "xanh la", "xanh luc", "xanh", "green"),
    "blue": ("xanh nuoc bien", "xanh da troi", "xanh duong", "xanh lam", "xanh", "blue"),
    "purple": ("tim", "purple", "violet"),
    "pink": ("hong", "pink"),
    "brown": ("nau", "brown"),
}
"""Xanh alone is either green or blue."""
_ANY: Final = "|".join(
    way.replace(" ", r"\s+")
    for way in sorted({way for ways in _COLOURS.values() for way in ways}, key=lambda it: (-len(it), it))
)
_ENGLISH: Final = "black|white|gr[ea]y|silver|red|orange|yellow|green|blue|purple|violet|pink|brown"
COLOURS: Final = re.compile(
    rf"(?<!\w)(?:mau\s+(?P<said>{_ANY})|(?P<xanh>xanh(?:\s+(?:la(?:\s+cay)?|duong|luc|lam|nuoc\s+bien|da\s+troi))?)"
    rf"|(?P<english>{_ENGLISH}))(?!\w)"
)
"""What can only be a colour."""
MAYBE_COLOURS: Final = re.compile(
    phrase("do", "trang", "nau", "xam", "tim", "den", "vang", "bac", "hong", "cam").pattern + r"(?!\s*\d)"
)
"""Before a number it is none: "cam 3" is a camera."""
WRITTEN_COLOURS: Final = frozenset(
    ("đỏ", "do", "trắng", "nâu", "xám", "tím", "đen", "vàng", "bạc", "hồng", "cam", "nau", "xam")
)
"""Of those that are another word with other accents, or without, only these are colours."""
NO_COLOUR: Final = phrase(
    "khong ro mau", "chua ro mau", "khong biet mau", "khong ro mau sac", "unknown colour", "unknown color",
    "colour unknown", "color unknown", "colour not known", "of no known colour",
)  # fmt: skip
"""Nobody could tell it, as of most at night."""
CLOTHES: Final = re.compile(
    rf"(?<!\w)(?:(?:mac\s+(?:ao|do|quan\s+ao)|ao(?:\s+(?:khoac|mua|phong|so\s+mi))?|mac)\s+(?:mau\s+)?(?P<after>{_ANY})"
    rf"|(?P<before>{_ENGLISH})\s+(?:t-?shirt|shirt|jacket|coat|raincoat|jumper|hoodie|dress|clothes|top)"
    rf"|(?:in|wearing)\s+(?:an?\s+)?(?P<worn>{_ENGLISH}))(?!\w)"
)
"""Of what somebody wears."""
_SILENT = (
    "có và với ở tại lúc ngày từ tư các những chiếc cái trên của là đi xem tìm tất cả nào bị được khoảng gần",
    "người cho chở đến vào trong này nay thì hay hoặc mọi mới sự kiện chiều hướng phía một lần gì ai đâu đầu",
    "mỗi vừa rồi xe nhìn thấy hôm qua",
    "the a an of with at on in and or from between to all any show me find was were that events event going",
    "by for during about is are which who where what please there did have had has people riding",
)
SILENT: Final = frozenset(way for words in _SILENT for word in words.split() for way in (word, bare(word)))
"""What says nothing to a look-up, with accents and without: chợ and đèn are not among them."""
RIDERS: Final = r"nguoi|ng|doi\s+tuong|thanh\s+nien|ten|riders?|people|persons?|passengers?"
"""After a number: how many are on it."""


def _both(words: Mapping[str, str], more: Mapping[str, Iterable[str]]) -> dict[str, re.Pattern[str]]:
    """Value -> all that is said for it."""
    found: dict[str, re.Pattern[str]] = {}
    for value, word in words.items():
        said = {bare(translated(word, language)).replace("_", " ") for language in LANGUAGES}
        act = ACTS.get(value)
        said |= {bare(translated(act, language)) for language in LANGUAGES} if act and words is KINDS else set()
        plural = {f"{each}s" for each in said if " " not in each} if words is LABELS else set()
        found[value] = phrase(*said, *plural, *more.get(value, ()))
    return found


def kinds() -> dict[str, re.Pattern[str]]:
    """Kind -> all that is said for it."""
    return _both(KINDS, _KINDS)


def labels() -> dict[str, re.Pattern[str]]:
    """Label -> all that is said for it."""
    return _both(LABELS, _LABELS)


def severities() -> dict[str, re.Pattern[str]]:
    """Severity -> all that is said for it; info says too little."""
    return {"alert": _both(SEVERITIES, _SEVERITIES)["alert"]}


def directions() -> dict[str, re.Pattern[str]]:
    """Direction over a line -> all that is said for it; "in" alone is a preposition."""
    said = {value: phrase(*words) for value, words in _DIRECTIONS.items()}
    assert said.keys() == DIRECTIONS.keys()
    return said


def colours_of(said: str) -> tuple[str, ...]:
    """The colours that a way to say one may mean; it is without accents."""
    way = re.sub(r"\s+", " ", said)
    return tuple(word for word, ways in _COLOURS.items() if way in ways)
