"""Marked messages beside the catalogues that translate them, and beside the words of docs/glossary.vi.md"""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from pathlib import Path

import pytest

from agent.language import LANGUAGES
from tests.repo.test_docs import text
from tests.repo.test_vietnamese import forbidden
from tests.support.catalogue import as_mo, as_po, calls, catalogue, literal, marked, po_file, renewed, sources

HINT = "run `make docs`, then translate what is new in the catalogue"
OTHERS = pytest.mark.parametrize("code", LANGUAGES[1:])


def placeholders(text: str) -> list[tuple[str, str]]:
    """Names and formats, in any order."""
    return sorted((name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: path.name)
def test_a_marked_message_is_one_literal_with_its_values(path: Path) -> None:
    for call in calls(path):
        text = literal(call)
        assert text, f"{path}:{call.lineno}: {ast.unparse(call)}"
        names = {name for name, _ in placeholders(text)}
        assert names == {each.arg for each in call.keywords}, f"{path}:{call.lineno}: {text}"
        assert all(name.isidentifier() for name in names), f"{path}:{call.lineno}: {text}"


@OTHERS
def test_the_catalogue_has_every_message_and_no_other(code: str) -> None:
    there = {message.id for message in catalogue(code) if message.id}

    assert there == set(marked()), HINT
    assert po_file(code).read_bytes() == as_po(renewed(code)), HINT


@OTHERS
def test_every_message_is_translated_and_none_is_a_guess(code: str) -> None:
    catalog = catalogue(code)

    assert [message.id for message in catalog if message.id and not message.string] == [], HINT
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
    assert list(catalog.obsolete) == []


@OTHERS
def test_what_programs_read_is_what_translators_wrote(code: str) -> None:
    assert po_file(code).with_suffix(".mo").read_bytes() == as_mo(catalogue(code)), HINT


@OTHERS
def test_a_translation_has_the_values_of_its_message(code: str) -> None:
    wrong = [
        message.id
        for message in catalogue(code)
        if message.id and placeholders(message.id) != placeholders(str(message.string))
    ]

    assert wrong == []


@OTHERS
def test_a_translation_has_the_spaces_at_the_ends_and_the_code_of_its_message(code: str) -> None:
    def frame(text: str) -> tuple[object, ...]:
        quoted = sorted(text.split("`")[1::2])
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :], text.count("\n"), quoted

    wrong = [each.id for each in catalogue(code) if each.id and frame(each.id) != frame(str(each.string))]

    assert wrong == []


def test_vietnamese_messages_use_no_word_that_the_glossary_forbids_and_composed_letters() -> None:
    shown = [str(message.string) for message in catalogue("vi") if message.id]

    assert {text: words for text in shown if (words := forbidden(text))} == {}
    assert all(unicodedata.is_normalized("NFC", text) for text in shown)


def test_the_vietnamese_page_about_messages_quotes_them_as_the_commands_say_them() -> None:
    cells = [
        line.split("|")[1] for line in text("docs/guide/troubleshoot.vi.md").splitlines() if line[:2] == "| "
    ]
    quoted = [words for cell in cells for words in re.findall("“(.+?)”", cell)]
    said = ["".join(part[0] for part in string.Formatter().parse(str(each.string))) for each in catalogue("vi")]

    def is_said(words: str) -> bool:
        pattern = ".*".join(re.escape(part.strip()) for part in words.split("…"))
        return any(re.search(pattern, each, re.DOTALL) for each in said)

    assert len(quoted) > 100
    assert [words for words in quoted if not is_said(words)] == []
