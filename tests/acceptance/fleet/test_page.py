"""tests.acceptance.fleet.page: every block of a walked page is typed, written or left out with a reason"""

from __future__ import annotations

import pytest

from tests.acceptance.fleet.p_walk import GIVEN, PAGES, WRITTEN
from tests.acceptance.fleet.page import Block, PageError, Typed, Where, blocks
from tests.acceptance.fleet.printed import Like
from tests.acceptance.fleet.walk import must_end
from tests.conftest import ROOT

TWINS = [name for name in PAGES if (ROOT / name).with_suffix(".vi.md").exists()]


def page(*lines: str) -> list[Block]:
    return blocks("page.md", "\n".join(lines))


def test_a_command_comes_with_what_is_shown_below_it_and_where_it_is_typed() -> None:
    (block,) = page(
        "<!-- walk: on box, terminal 2, given a-clone after 1, counts -->",
        "```console", "$ cd folder", "$ ls", "a", "", "b", "^C", "over", "```",
    )  # fmt: skip

    assert block == Block(
        2, Where("box", 2),
        (Typed("cd folder", (), 3), Typed("ls", ("a", "b"), 4), Typed("^C", ("over",), 8)),
        (("a-clone", 1),), Like(counts=True),
    )  # fmt: skip


def test_a_machine_holds_until_another_is_named_and_begins_with_its_first_terminal() -> None:
    line = ("```console", "$ true", "```")
    read = page(
        "<!-- walk: on box -->", *line, *line, "<!-- walk: terminal 2 -->", *line,
        "<!-- walk: on station -->", *line,
    )  # fmt: skip

    assert [block.where for block in read] == [
        Where("box"), Where("box"), Where("box", 2), Where("station")
    ]  # fmt: skip


def test_what_stands_after_an_editor_is_written_and_a_block_that_types_nothing_looks() -> None:
    editor, look = page(
        "```console", "$ nano a.yaml", "```", "```yaml", "a: 1", "", "b: 2", "```",
        "```console", "one more", "```",
    )  # fmt: skip

    assert editor.typed == (Typed("nano a.yaml", (), 2, ("a: 1", "", "b: 2")),)
    assert look.typed == (Typed("", ("one more",), 9),)


@pytest.mark.parametrize(
    "lines",
    [
        ("```yaml", "a: 1", "```"),
        ("```", "drawn", "```"),
        ("```console", "$ ls", "```", "```", "a", "```"),
        ("```console", "$ nano a", "```", "```", "a", "```", "```", "b", "```"),
        ("<!-- walk: over there -->", "```console", "$ ls", "```"),
    ],
    ids=["no editor", "a drawing", "not an editor", "written twice", "an unknown word"],
)
def test_a_block_of_which_nothing_is_known_is_an_error_with_its_line(lines: tuple[str, ...]) -> None:
    with pytest.raises(PageError, match=r"page\.md:\d+: "):
        page(*lines)


def test_what_is_for_reading_says_why() -> None:
    (block,) = page("<!-- walk: not walked: a drawing, of boxes -->", "```", "──▶", "```")

    assert block.left_out == "a drawing, of boxes"


def test_a_command_must_end_unless_it_is_interrupted_looked_at_or_the_last_of_its_terminal() -> None:
    read = page(
        "```console", "$ one", "$ two", "^C", "$ three", "$ four", "```",
        "```console", "more", "```",
    )  # fmt: skip

    assert must_end(read) == {2, 4, 5}


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_can_be_read_and_ask_for_nothing_unknown(name: str) -> None:
    read = blocks(name, (ROOT / name).read_text(encoding="utf-8"))
    walked = [block for block in read if block.left_out is None]
    unknown = {given for block in walked for given, _ in block.given} - set(GIVEN)
    opened = [typed for block in walked for typed in block.typed if typed.edits and typed.written is None]

    assert unknown == set()
    assert {typed.command.rpartition(" ")[2] for typed in opened} <= set(WRITTEN)
    assert all(block.where.host for block in walked)


@pytest.mark.parametrize("name", TWINS)
def test_a_page_is_walked_in_vietnamese_as_it_is_in_english(name: str) -> None:
    """Commands, what is shown, and what a walker is told; written files say the place in their own words."""
    english, vietnamese = (
        blocks(str(path), path.read_text(encoding="utf-8"))
        for path in (ROOT / name, (ROOT / name).with_suffix(".vi.md"))
    )

    assert [walked(block) for block in english] == [walked(block) for block in vietnamese]


def walked(block: Block) -> object:
    if block.left_out is not None:
        return None
    typed = [
        (typed.command.partition("  #")[0].rstrip(), typed.shown, typed.written is None)
        for typed in block.typed
    ]
    return block.where, typed, block.given, block.like
