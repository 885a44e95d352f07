"""docs/guide/duty-room and its neighbours: what they quote is what the screen says; their pictures are small"""

from __future__ import annotations

import re
import string

import pytest

from tests.repo.test_docs import ROOT, text
from tests.support.catalogue import catalogue
from tests.support.guide_pictures import LANGUAGES, MOST_BYTES

QUOTING = ("duty-room", "first-day-card", "console")
NOT_OURS = {
    "Trusted Root Certification Authorities",  # of Windows
    "xe máy 2 người hôm qua 9 đến 10 giờ",  # what somebody types …
    "xe máy đỏ áo xanh dương hôm nay",  # … and somebody else
}
SAID_ELSEWHERE = {"this is not the name of this console", "The station does not answer"}
"""By the console to a browser that calls it by another name, and by nginx: in English alone, or in both."""


def said(language: str) -> list[str]:
    """Every text of the screen, values left out."""
    of_vi = [each for each in catalogue("vi") if each.id]
    texts = [str(each.id if language == "en" else each.string) for each in of_vi]
    return ["…".join(part[0] for part in string.Formatter().parse(each)) for each in texts]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", QUOTING)
def test_what_a_page_quotes_is_what_the_screen_says(page: str, language: str) -> None:
    words = text(f"docs/guide/{page}{'.vi' if language == 'vi' else ''}.md")
    quoted = set(re.findall(r'"([^"\n]+)"', re.sub(r"```.*?```|`[^`\n]*`", "", words, flags=re.DOTALL)))
    known = said(language)

    def is_said(quote: str) -> bool:
        pattern = ".*".join(re.escape(part.strip()) for part in re.split(r"…|\d\d:\d\d", quote))
        return any(re.match(pattern, each, re.IGNORECASE) for each in known)

    assert len(quoted) > 2
    assert {each for each in quoted - NOT_OURS - SAID_ELSEWHERE if not is_said(each)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verdicts_of_the_page_are_those_of_the_screen(language: str) -> None:
    words = text(f"docs/guide/duty-room{'.vi' if language == 'vi' else ''}.md")
    verdicts = re.findall(r"^\| ([A-ZĐÀ-Ỵ ]{6,}) \|", words, re.MULTILINE)

    assert len(verdicts) == 4
    assert {each.lower() for each in verdicts} <= set(said(language))


def test_the_pictures_of_the_guide_are_small_and_each_language_has_its_own() -> None:
    for language in LANGUAGES:
        page = "duty-room.vi.md" if language == "vi" else "duty-room.md"
        shown = re.findall(r"\.\./images/([\w.]+)", text(f"docs/guide/{page}"))
        assert shown and all(each.endswith(f".{language}.png") for each in shown)
        assert all((ROOT / "docs/images" / each).stat().st_size <= MOST_BYTES for each in shown)
    assert len(list((ROOT / "docs/images").glob("*.png"))) <= 8
