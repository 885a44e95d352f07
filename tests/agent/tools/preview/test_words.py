"""agent.tools.preview.words"""

from __future__ import annotations

import re
from pathlib import Path

from agent.core.rules.registry import KINDS
from agent.core.tamper.classify import TamperKind
from agent.language import LANGUAGES
from agent.tools.preview import site
from agent.tools.preview.words import WORDS, in_language

PAGE = site.PAGE


def asked_for() -> set[str]:
    html, script = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.html", "page.js"))
    names = set(re.findall(r'data-word="(\w+)"', html))
    names |= set(re.findall(r'(?:word|button|field)\("(\w+)"', script))
    places = set(re.findall(r'\w+: "(\w+)"', script.partition("const PLACED = {")[2].partition("}")[0]))
    return names | places | {f"drawing_{place}" for place in places} | {"same_as_file", "not_saved", "copied"}


def test_the_page_finds_every_word_that_it_asks_for_and_no_word_is_left_over() -> None:
    said = asked_for()

    assert {"gone", "done", "to_paste", "zone"} <= said
    assert said - set(WORDS) == set()
    assert set(WORDS) - said - {"not_copied"} == set()


def test_every_kind_of_rule_and_every_fault_of_sight_has_words() -> None:
    words = set(in_language("vi"))

    assert {f"kind_{kind.name}" for kind in KINDS} <= words
    assert {f"event_{kind.rule.event.value}" for kind in KINDS} <= words
    assert {f"fault_{kind.value}" for kind in TamperKind} <= words


def test_each_language_has_words_of_its_own() -> None:
    answered = [in_language(code) for code in LANGUAGES]

    assert len({each["draw_zone"] for each in answered}) == len(LANGUAGES)
    assert len({each["kind_crowd"] for each in answered}) == len(LANGUAGES)
    assert all(list(each) == list(answered[0]) for each in answered)


def test_the_page_speaks_no_language_by_itself() -> None:
    """Whatever is shown comes from the catalogue: no words stand in the page's markup."""
    html = (PAGE / "page.html").read_text(encoding="utf-8")
    shown = re.sub(r"<title>.*?</title>|<[^>]+>|\s", "", html)

    assert shown == ""
    assert isinstance(PAGE, Path)
