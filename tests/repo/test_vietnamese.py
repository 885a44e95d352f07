"""The Vietnamese pages beside the English ones, and beside the words of docs/glossary.vi.md"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from fleet.report.words import VIETNAMESE
from tests.repo.test_docs import PAGES, ROOT, text

GLOSSARY = "docs/glossary.vi.md"
TRANSLATED = [page for page in PAGES if page.name.endswith(".vi.md")]
EACH = pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: str(page.relative_to(ROOT)))

ONLY_IN_ONE: dict[str, set[str]] = {}
"""Figures that a page has and its twin has not, each for a reason that stands beside it."""


def rows(heading: str) -> list[list[str]]:
    """Of the glossary's table under this heading, cell by cell."""
    chapter = text(GLOSSARY).partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in chapter.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def starred(cell: str) -> list[str]:
    return re.findall(r"\*(.+?)\*", cell)


def forbidden(words: str) -> list[str]:
    """What the glossary forbids and these words hold."""
    found = []
    for never, _, _, allowed in rows("Từ không dùng"):
        rest = words
        for phrase in starred(allowed):
            for written in (phrase, phrase[0].upper() + phrase[1:]):  # as a sentence begins with it
                rest = rest.replace(written, "·")
        found += [word for word in starred(never) if re.search(rf"\b{word}\b", rest, re.IGNORECASE)]
    return found


CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
POINT = str.maketrans(",.", ".,")


def numbers(words: str) -> set[str]:
    """Written as English writes them, without the commas of thousands."""
    return {
        each.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", each) else each
        for each in re.findall(r"(?<![\w.])\d+(?:[.,]\d+)*", words)
    }


def figures(page: str, *, vietnamese: bool) -> set[str]:
    """Every number of a page but those in the targets of links; code writes them one way in both languages."""
    page = re.sub(r"\]\([^)]*\)", "]", page)
    words = CODE.sub(" ", page)
    if not vietnamese:
        return numbers(" ".join(CODE.findall(page))) | numbers(words)
    swapped = re.sub(r"\d+(?:[.,]\d+)+", lambda found: as_english(found[0]), words)
    return numbers(" ".join(CODE.findall(page))) | numbers(swapped)


def as_english(number: str) -> str:
    """0,5 and 13.277 are swapped; 3.11, 3.1.1 and 10.20.1.13 are versions and addresses."""
    return number.translate(POINT) if re.fullmatch(r"\d+,\d+|\d{1,3}(\.\d{3})+(,\d+)?", number) else number


# ------------------------------------------------------------------------------------------------ words


@EACH
def test_a_page_uses_no_word_that_the_glossary_forbids(page: Path) -> None:
    words = text(page)
    if page == ROOT / GLOSSARY:
        words = words.partition("## Từ không dùng")[0]

    assert forbidden(words) == []


@pytest.mark.parametrize("name", VIETNAMESE)
def test_the_report_uses_no_word_that_the_glossary_forbids(name: str) -> None:
    assert forbidden(VIETNAMESE[name]) == []


def test_every_row_of_the_glossary_forbids_something_and_says_why() -> None:
    table = rows("Từ không dùng")

    assert len(table) > 20
    for never, instead, why, allowed in table:
        assert starred(never) and instead and why, never
        assert all(forbidden(word) for word in starred(never)), never
        assert all(starred(never)[0] in phrase.lower() or "clip" in never for phrase in starred(allowed)), never


def test_a_forbidden_word_is_found_wherever_it_stands() -> None:
    assert forbidden("Người trực ở phòng trực ban theo pháp luật.") == ["người trực"]
    assert forbidden("Các luật mới") == ["luật"]
    assert forbidden("Hộp bị treo trong vòng năm phút, nhật ký ghi điều đó.") == []


def test_every_word_of_the_english_glossary_has_its_vietnamese_one() -> None:
    english = re.findall(r"^\| \*(.+?)\* \|", text("docs/glossary.md"), re.MULTILINE)
    table = rows("Từ dùng")
    words = [starred(row[0])[0] for row in table]

    assert words == sorted(set(words))
    assert set(english) <= set(words)
    assert all(vietnamese and meaning for _, vietnamese, meaning in table)


@EACH
def test_letters_are_composed(page: Path) -> None:
    """As keyboards write them: a search finds no word whose marks stand apart from their letters."""
    assert unicodedata.is_normalized("NFC", text(page))


# ------------------------------------------------------------------------------------------------ figures


@EACH
def test_a_page_has_the_figures_of_its_english_twin(page: Path) -> None:
    twin = page.with_name(page.name.replace(".vi.md", ".md"))
    ours = figures(text(page), vietnamese=True)
    theirs = figures(text(twin), vietnamese=False)

    assert ours ^ theirs == ONLY_IN_ONE.get(page.name, set())


@pytest.mark.parametrize(
    "page",
    [page for page in TRANSLATED if page != ROOT / GLOSSARY],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_page_is_built_as_its_english_twin(page: Path) -> None:
    """The same headings and rows in the same order, and the same code at the head of each row."""
    ours, theirs = (skeleton(text(each)) for each in (page, page.with_name(page.name.replace(".vi.md", ".md"))))

    assert ours == theirs


def skeleton(page: str) -> list[object]:
    lines = re.findall(r"^(#+ |\|.*|\$ .*)", re.sub(r"(?m)^(\$ [^#\n]*?)\s+#.*", r"\1", page), re.MULTILINE)
    return [
        (line.count("|"), re.findall(r"`(.+?)`", line.split("|")[1])) if line.startswith("|") else line
        for line in lines
    ]


def test_a_figure_is_the_same_in_both_ways_to_write_it() -> None:
    english = figures("13,277 of 0.417 on 3.11, MQTT 3.1.1, 10.20.1.13, `0.514`", vietnamese=False)
    vietnamese = figures("13.277 của 0,417 trên 3.11, MQTT 3.1.1, 10.20.1.13, `0.514`", vietnamese=True)

    assert english == vietnamese == {"13277", "0.417", "3.11", "3.1.1", "10.20.1.13", "0.514"}
    assert figures("0.417", vietnamese=True) != {"0.417"}
    assert figures("13,277", vietnamese=True) != {"13277"}
