"""Words that anybody says of anything: alone they name no place. Pure."""

from __future__ import annotations

import functools
import re
from typing import Final

from station.lookup.spoken import vocabulary
from station.lookup.spoken.moments import NUMBERS
from station.lookup.spoken.text import bare

_TIMES: Final = (
    "một hai ba bốn tư năm lăm sáu bảy bẩy tám chín mười thứ chủ nhật tháng tuần ngày giờ phút tiếng sáng trưa",
    "chiều tối đêm khuya rạng tảng sớm hôm nay qua kia trước sau từ đến tới khoảng lúc vào gần đây cách rưỡi",
    "buổi bữa rồi vừa trong h g p am pm today yesterday last week month day hour minute hours minutes days ago",
    "morning noon afternoon evening night tonight monday tuesday wednesday thursday friday saturday sunday",
)
_TIME: Final = frozenset(word for words in _TIMES for word in words.split())
"""With their accents: hai is a number, hải is none."""


def is_ordinary(said: str) -> bool:
    """Whether a word, as it was written, says no place by itself."""
    low = said.lower()
    if low.isdigit() or low in _TIME or low in vocabulary.SILENT:
        return True
    if low != bare(low):  # with accents it is what it is, and no word of a time
        return False
    return low in _bare_time() or low in _words()


@functools.cache
def _bare_time() -> frozenset[str]:
    return frozenset((*map(bare, _TIME), *NUMBERS))


@functools.cache
def _words() -> frozenset[str]:
    """Of the vocabulary, without accents."""
    said = [each.pattern for name in ("kinds", "labels", "severities", "directions") for each in _of(name)]
    said += [way for ways in (*vocabulary.REVIEWS.values(), *vocabulary.COMPASS.values()) for way in ways]
    said += [vocabulary.MAYBE_COLOURS.pattern, vocabulary.COLOURS.pattern, vocabulary.RIDERS]
    return frozenset(word for each in said for word in re.findall(r"[a-z]{2,}", each.replace(r"[\s_-]+", " ")))


def _of(name: str) -> list[re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = getattr(vocabulary, name)()
    return list(found.values())
