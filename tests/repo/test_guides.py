"""docs/guide: what the pages about the fleet tell people to type, name and change is there"""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.config.schema import parse
from tests.conftest import ROOT
from tests.repo.test_docs import LEAST, blocks, text
from tests.support.releases import TOOL

ANSIBLE = ROOT / "deploy/ansible"
GUIDES = ROOT / "docs/guide"
NAMES = (
    "console", "console.vi", "fleet", "fleet.vi", "first-box", "first-box.vi", "stolen-box", "stolen-box.vi",
    "update", "update.vi",
)  # fmt: skip
PAGES = [GUIDES / f"{name}.md" for name in NAMES]
TRANSLATED = [name for name in NAMES if f"{name}.vi" in NAMES]
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
OUTSIDE = {"git", "python3", "pip", "mkdir", "cp", "cd", "ssh", "sudo", "tar", "ngatu"}
"""Programs that are not Ansible's; tests/repo/test_docs.py looks at those of ngatu."""


def commands(page: Path) -> list[list[str]]:
    """What is typed, as words."""
    lines = [line for block in blocks(text(page), "console") for line in block.splitlines()]
    return [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


@functools.cache
def options(program: str) -> set[str]:
    """That a program of Ansible's takes."""
    path = Path(sys.executable).with_name(program)
    printed = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-zA-Z-]*", printed.stdout))


@functools.cache
def variables() -> set[str]:
    """Of the roles, by their argument specs; what the example sets; what playbooks ask for."""
    specs = ANSIBLE.glob("roles/*/meta/argument_specs.yml")
    names = {
        name for path in specs for name in yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"]
    }
    example = "".join(path.read_text() for path in (ANSIBLE / "inventory/example").rglob("*.yml"))
    names |= set(re.findall(r"^\s*((?:vault_)?ngatu_\w+):", example, re.MULTILINE))
    return names | set(re.findall(r"\bvault_ngatu_\w+", example))


@EACH
def test_every_program_and_option_is_one(page: Path) -> None:
    assert commands(page)
    for words in commands(page):
        if not words[0].startswith("ansible"):
            assert words[0] in OUTSIDE, words
            continue
        asked = {word.split("=")[0] for word in words if word.startswith("-")}
        assert asked <= options(words[0]), words


@EACH
def test_every_playbook_exists_and_knows_what_it_is_given(page: Path) -> None:
    for words in commands(page):
        if words[0] != "ansible-playbook":
            continue
        (playbook,) = (word for word in words if re.fullmatch(r"[\w-]+\.yml", word))
        play = (ANSIBLE / playbook).read_text()
        for name, _, _ in (words[at + 1].partition("=") for at, word in enumerate(words) if word == "-e"):
            assert name in variables() or re.search(rf"\b{name}\b", play), words


@EACH
def test_every_playbook_in_the_text_exists(page: Path) -> None:
    named = set(re.findall(r"`(?:[^`]* )?([a-z-]+\.yml)\b[^`]*`", text(page)))
    there = {path.name for path in [*ANSIBLE.rglob("*.yml"), *ANSIBLE.rglob("*.yaml")]}

    assert {name for name in named if not name.startswith("box-")} <= there | {
        "vault.yml",
        "all.yml",
        "answers.yml",
    }


@EACH
def test_every_variable_is_one_of_the_roles(page: Path) -> None:
    named = set(re.findall(r"\b(?:vault_)?ngatu_[a-z_]+\b", text(page)))

    assert {name for name in named if name not in variables()} == set()


def test_the_defaults_in_the_tables_are_those_of_the_roles() -> None:
    defaults: dict[str, Any] = {}
    for path in ANSIBLE.glob("roles/*/defaults/main.yml"):
        defaults |= yaml.safe_load(path.read_text())
    tables = text(GUIDES / "fleet.md") + text(GUIDES / "fleet.vi.md")
    rows = re.findall(r"^\| `(ngatu_base_\w+)` \| (\d+|true|false) \|", tables, re.MULTILINE)
    for page in PAGES:
        rows += [(name, number) for number, name in re.findall(r"(\d+) (?:s|giây) \(`(\w+)`\)", text(page))]

    assert len(rows) > 10
    assert {(name, default) for name, default in rows if str(defaults[name]).lower() != default} == set()


@EACH
def test_what_the_output_tables_quote_is_what_the_roles_and_tools_say(page: Path) -> None:
    head = r"in the output|trong kết quả có"
    tables = re.findall(rf"^\| (?:{head}) \|.*\n\|[-|]+\n((?:\|.*\n)+)", text(page), re.MULTILINE)
    quoted = [
        piece
        for table in tables
        for row in table.splitlines()
        for piece in re.findall("`(.+?)`", row.split("|")[1])
    ]
    ours = [piece for piece in quoted if piece not in SSH and not re.match(r"it runs|camera ", piece)]
    sources = [*ANSIBLE.rglob("*.yml"), *TOOL.rglob("*.py"), ROOT / "fleet/rollout_check.py"]
    said = "\n".join(re.sub(r"\s+", " ", path.read_text()) for path in sources)

    for piece in ours:
        assert piece in said, piece
    assert quoted or "update" not in page.name


SSH = {"UNREACHABLE", "Permission denied (publickey)", "Host key verification failed"}


@EACH
def test_the_inventory_of_the_page_makes_a_configuration_that_the_agent_takes(page: Path) -> None:
    for block in blocks(text(page), "yml"):
        inventory = yaml.safe_load(block)
        assert set(inventory) <= variables() | {"commune_hai_ninh"}
        for box in inventory.get("commune_hai_ninh", {}).get("hosts", {}).values():
            cameras = box["ngatu_agent_cameras"]
            parse(yaml.safe_dump(LEAST | {"cameras": cameras}, allow_unicode=True).encode(), page.name)
            secret = cameras[0]["source"]["password"]["file"].rpartition("/")[2]
            assert secret in box["ngatu_agent_secrets"]


@pytest.mark.parametrize("name", TRANSLATED)
def test_both_languages_tell_people_to_type_the_same(name: str) -> None:
    english, vietnamese = (GUIDES / f"{each}.md" for each in (name, f"{name}.vi"))

    assert commands(english) == commands(vietnamese)
    shape = r"^(?:#+|\||\d\.|- )"
    assert len(re.findall(shape, text(english), re.MULTILINE)) == len(
        re.findall(shape, text(vietnamese), re.MULTILINE)
    )


@pytest.mark.parametrize("name", ["first-box", "first-box.vi"])
def test_the_first_box_takes_seven_steps_at_most(name: str) -> None:
    steps = re.findall(r"^## (\d+)\.", text(GUIDES / f"{name}.md"), re.MULTILINE)

    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    assert 1 <= len(steps) <= 7


def test_the_bundles_of_the_guide_are_called_as_the_example_calls_them() -> None:
    example = "".join(path.read_text() for path in (ANSIBLE / "inventory/example").rglob("*.yml"))
    named = {name[1:] for name in re.findall(r"-(?:aarch64|x86_64)-py\d+", example)}
    built = {
        f"{words[words.index('--arch') + 1]}-py{words[words.index('--python') + 1].replace('.', '')}"
        for words in commands(GUIDES / "fleet.md")
        if words[:3] == ["ngatu", "bundle", "build"]
    }

    assert named <= built


def test_the_label_says_what_the_guide_says_of_it() -> None:
    from fleet.label import Label  # noqa: PLC0415

    assert f"`{Label('hai-ninh', 'hai-ninh-03').code}`" in text(GUIDES / "fleet.md")


def test_the_page_beside_the_playbooks_names_each_of_them() -> None:
    page = text(ANSIBLE / "README.md")

    assert set(re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE)) == {
        path.name for path in ANSIBLE.glob("*.yml")
    }
    assert all((ANSIBLE / link).resolve().exists() for link in re.findall(r"\]\((.+?)\)", page))


def test_the_playbooks_are_parsed_by_ansible_itself() -> None:
    playbooks = sorted(path.name for path in ANSIBLE.glob("*.yml"))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--syntax-check", *playbooks],
        capture_output=True, text=True, check=False, timeout=100, cwd=ANSIBLE,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(playbooks) == 7
