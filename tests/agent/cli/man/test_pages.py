"""agent.cli.man.pages"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from agent.cli.exit import ExitCode
from agent.cli.main import gathered
from agent.cli.man.__main__ import main
from agent.cli.man.pages import pages
from tests.conftest import ROOT

MAN = ROOT / "docs/man"


@cache
def written() -> dict[str, str]:
    return {path.name: path.read_text(encoding="ascii") for path in MAN.glob("*.1")}


def plain(page: str) -> str:
    """Without fonts and escapes, as somebody reads it."""
    return re.sub(r"\\f[BIR]|\\&", "", page).replace("\\-", "-").replace("\\e", "\\")


def clicked(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    """Every command as Typer itself has built it, which the pages are not made from."""
    yield words, command
    for name, each in getattr(command, "commands", {}).items():
        yield from clicked(each, f"{words} {name}")


def test_the_pages_are_what_the_code_says() -> None:
    assert written() == pages(gathered()), "run `make docs`"


def test_every_command_has_a_page_with_every_option_and_argument() -> None:
    commands = dict(clicked(typer.main.get_command(gathered()), "ngatu"))

    assert {f"{words.replace(' ', '-')}.1" for words in commands} == set(written())
    lacking = [
        (words, name)
        for words, command in commands.items()
        for each in command.params
        for name in ([each.name.upper()] if each.param_type_name == "argument" else each.opts)
        if name not in plain(written()[f"{words.replace(' ', '-')}.1"])
        and name not in ("--install-completion", "--show-completion")  # Typer's own, of the terminal's shell
    ]
    assert lacking == []


def test_the_first_page_names_every_command_below_it_and_every_exit_code() -> None:
    first = plain(written()["ngatu.1"])

    commands = typer.main.get_command(gathered()).commands  # type: ignore[attr-defined]

    named = re.findall(r"^(ngatu-[a-z-]+)\(1\)$", first, re.MULTILINE)
    assert named == [f"ngatu-{name}" for name in commands]
    assert re.findall(r"^(\d+)$", first.partition(".SH EXIT STATUS")[2], re.MULTILINE) == [
        str(code.value) for code in ExitCode
    ]


def test_a_page_says_what_must_be_given_what_holds_without_and_between_which_bounds() -> None:
    app = typer.Typer()

    @app.command("dig")
    def _dig(
        place: Annotated[Path, typer.Argument(help="Where.")],
        deep: Annotated[int, typer.Option("--deep", "-d", min=1, max=9, help="How deep, in `m`.")] = 2,
        fill: Annotated[bool, typer.Option(help="Afterwards.")] = True,
    ) -> None:
        """Dig a hole.

        It may rain.

        At night, too.
        """

    shown = plain(pages(app)["ngatu-dig.1"])

    assert ".SH NAME\nngatu-dig - Dig a hole.\n" in shown
    assert "ngatu dig [OPTIONS] PLACE\n" in shown
    assert ".SH DESCRIPTION\nIt may rain.\n.PP\nAt night, too.\n" in shown
    assert ".SH ARGUMENTS\n.TP\nPLACE\nWhere. Required.\n" in shown
    assert "--deep, -d <whole number, 1..9>\nHow deep, in m. Default: 2\n" in shown
    assert "--fill / --no-fill\nAfterwards. Default: True\n" in shown


def test_a_group_that_only_gathers_is_no_command_by_itself() -> None:
    assert "ngatu ca [OPTIONS] COMMAND ..." in plain(written()["ngatu-ca.1"])
    synopsis = plain(written()["ngatu-station.1"]).partition(".SH SYNOPSIS\n")[2].partition(".SH")[0]
    assert synopsis == "ngatu station [OPTIONS]\n.br\nngatu station [OPTIONS] COMMAND ...\n"


@pytest.mark.parametrize("reader", ["groff -man -Tutf8 -ww -z", "mandoc -T lint -W warning"])
def test_no_reader_of_man_pages_has_anything_to_say(reader: str) -> None:
    program = reader.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here: apt install {program.replace('groff', 'groff-base')}")
    words = [*reader.split(), *(str(MAN / name) for name in sorted(written()))]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    # A page of the same code is the same on each day, so it carries none.
    said = [each for each in f"{done.stdout}{done.stderr}".splitlines() if "missing date" not in each]

    assert said == []


def test_check_tells_a_page_that_is_stale_and_one_that_is_no_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "docs" / "man"
    shutil.copytree(MAN, folder)
    (folder / "ngatu-gone.1").write_text("old")
    (folder / "ngatu-run.1").write_text("old")
    monkeypatch.chdir(tmp_path)

    assert main(["--check"]) == 1
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"docs/man/ngatu-{name}.1 written" for name in ("gone", "run")
    ]
    assert main(["--check"]) == 0
    assert not (folder / "ngatu-gone.1").exists()
