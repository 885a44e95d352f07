"""agent.cli.reference"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from agent.cli import reference
from agent.cli.main import gathered

ROOT = Path(__file__).resolve().parents[3]


@cache
def text(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_reference_of_the_commands_is_what_the_code_says() -> None:
    assert text(reference.PAGE) == reference.page(gathered()), "run `make docs`"


def test_the_reference_holds_the_commands_of_all_three_packages() -> None:
    named = set(re.findall(r"^## `(.+)`$", text(reference.PAGE), re.MULTILINE))

    assert {"ngatu run", "ngatu check", "ngatu replay", "ngatu watch", "ngatu models fetch"} <= named
    assert named == {words for words, _ in reference.commands(gathered())}
