"""The documents, beside the code that they speak of"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.cli import reference
from agent.cli.main import gathered
from agent.config.reference import EXAMPLES
from agent.config.schema import Config, parse
from agent.detectors.card import parse_card
from agent.settings.introspect import groups
from agent.transport import errors as broker_errors
from agent.wire import codec
from agent.wire.payloads import EventPayload
from station.config import StationConfig
from station.config import parse as parse_station

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agent", "station", "models", "fleet", "verifier")
MODULES = 14
"""No folder of a package holds more: a reader takes in so many names at a glance."""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
READMES = ("README.md", "README.vi.md")
CASES = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def text(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def prose(page: str) -> str:
    """Without blocks and pieces of code."""
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^\s*```.*?^\s*```", "", page, flags=re.DOTALL | re.MULTILINE))


def anchors(page: str) -> set[str]:
    """What GitHub makes of the headings: small, without marks, a hyphen for each space."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# ------------------------------------------------------------------------------------------------ links


@CASES
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(text(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(text(target)), link


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)\)", text(index))}

    assert {page for page in PAGES if page.parent != ROOT and page != index} <= linked


# ------------------------------------------------------------------------------------------------ commands


@CASES
def test_every_command_in_a_console_exists_with_its_options(page: Path) -> None:
    known = {words: set(options(command)) for words, command in reference.commands(gathered())}
    for block in blocks(text(page), "console"):
        for line in re.findall(r"^\$ (ngatu .*)$", block, re.MULTILINE):
            words = re.split(r"\s+[#>]", line)[0].split()
            name = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), None)
            assert name is not None, line
            assert {word for word in words if word.startswith("-")} <= known[name], line


def options(command: Any) -> Iterator[str]:
    for name, *_ in reference.rows(command):
        yield from re.findall(r"--?[a-z][a-z0-9-]*", name)


@pytest.mark.parametrize("readme", READMES)
def test_the_two_commands_of_the_readme_are_make_targets(readme: str) -> None:
    assert {"demo", "test"} <= set(re.findall(r"`make ([a-z]+)`", text(readme)))


@CASES
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):(?!=)", text("Makefile"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)`", text(page)) + re.findall(
        r"^\$ make ([a-z-]+)", text(page), re.MULTILINE
    )

    assert set(named) <= targets


# ------------------------------------------------------------------------------------------------ the code


def test_the_code_map_names_every_module_and_no_other() -> None:
    chapters = re.split(
        r"^### `(.+?)/`", text("docs/ARCHITECTURE.md").partition("## Code map")[2], flags=re.MULTILINE
    )
    named = {
        f"{folder}/{name}"
        for folder, chapter in zip(chapters[1::2], chapters[2::2], strict=True)
        for row in re.findall(r"^\| (`.+?) \|", chapter, re.MULTILINE)
        for name in re.findall(r"`([\w/]+\.py)`", row)
    }
    named |= {  # a row for all modules of a folder
        str(module.relative_to(ROOT))
        for folder, chapter in zip(chapters[1::2], chapters[2::2], strict=True)
        if "| `*.py` |" in chapter
        for module in (ROOT / folder).glob("[!_]*.py")
    }
    there = {
        str(module.relative_to(ROOT))
        for package in PACKAGES
        for module in (ROOT / package).rglob("*.py")
        if module.name != "__init__.py" or f"{module.parent.relative_to(ROOT)}/__init__.py" in named
    }

    assert named == there


def test_the_layers_of_the_architecture_are_those_of_the_contract() -> None:
    contract = re.findall(
        r"^ {4}(.+)$", text("setup.cfg").partition("layers =\n")[2].partition("exhaustive")[0], re.MULTILINE
    )
    page = text("docs/ARCHITECTURE.md").partition("## Imports point down")[2].partition("##")[0]
    named = re.findall(r"^\| (`agent\..+?) \|", page, re.MULTILINE)

    assert [layer.split(" | ") for layer in contract] == [re.findall(r"`agent\.(.+?)`", row) for row in named]


def test_the_drawn_rooms_are_the_folders_with_their_number_of_modules() -> None:
    drawn, above = {}, [""]
    for indent, name, modules in re.findall(
        r"^( *)([a-z]+)/ +(\d+)  ", text("docs/ARCHITECTURE.md").partition("## The rooms")[2], re.MULTILINE
    ):
        depth = len(indent) // 2
        above[depth + 1 :] = [f"{above[depth]}{name}/"]
        drawn[above[-1]] = int(modules)

    assert drawn == {
        f"{package.parent.relative_to(ROOT)}/": sum(1 for _ in package.parent.glob("[!_]*.py"))
        + sum(1 for _ in package.parent.glob("__main__.py"))
        for top in PACKAGES
        for package in (ROOT / top).rglob("__init__.py")
    }


def test_no_folder_holds_so_many_modules_that_its_name_says_nothing() -> None:
    folders = Counter(
        str(module.parent.relative_to(ROOT))
        for package in PACKAGES
        for module in (ROOT / package).rglob("*.py")
        if module.name != "__init__.py"
    )

    del folders["station/store/migrations/versions"]  # a step is never changed, and one follows another
    assert {folder: modules for folder, modules in folders.items() if modules > MODULES} == {}


def test_every_word_of_the_glossary_is_there_once_and_in_order() -> None:
    words = re.findall(r"^\| \*(.+?)\* \|", text("docs/glossary.md"), re.MULTILINE)

    assert words == sorted(set(words))
    assert {"frame", "box", "motion", "detection", "track", "rule", "event", "thumbnail", "message"} <= set(
        words
    )
    assert {"outbox", "receipt", "station"} <= set(words)


@cache
def said() -> str:
    """Every text in the code that is no docstring, pieces of f-strings apart."""
    texts = []
    for module in (module for package in PACKAGES for module in (ROOT / package).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(text(module))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        ]
    roles = sorted((ROOT / "deploy/ansible/roles").rglob("files/*"))
    texts += [each.read_text(encoding="utf-8") for each in roles if each.suffix in (".c", ".py")]
    return "\n".join(texts)


def test_every_message_in_the_troubleshooting_is_one_that_the_code_gives() -> None:
    page = text("docs/guide/troubleshoot.md")
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    messages = [message for row in rows for message in re.findall("`(.+?)`", row)]

    assert len(messages) > 60
    for message in messages:
        for piece in filter(None, re.split(r"…", message)):
            assert piece.strip() in said(), message


def logged() -> set[str]:
    """Names of everything that a box or the station logs as a warning or worse."""
    calls = (
        node
        for program in ("agent", "station")
        for module in (ROOT / program).rglob("*.py")
        for node in ast.walk(ast.parse(text(module)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("warning", "error", "exception", "critical")
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("log", "logger")
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def texts_of(module: str, function: str) -> set[str]:
    """What this function of a module says: its texts of several words."""
    (node,) = (
        each
        for each in ast.parse(text(module)).body
        if isinstance(each, ast.FunctionDef) and each.name == function
    )
    docstring = ast.get_docstring(node, clean=False)
    texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return {each for each in texts if isinstance(each, str) and each != docstring and " " in each}


def test_whatever_a_box_or_the_station_logs_as_a_warning_or_worse_is_in_the_troubleshooting() -> None:
    page = text("docs/guide/troubleshoot.md")

    assert len(logged()) > 20
    assert {name for name in logged() if f"`{name}`" not in page} == set()


def test_whatever_a_broker_or_an_order_meets_is_in_the_troubleshooting() -> None:
    """By the start of the text: what follows may be a name."""
    page = text("docs/guide/troubleshoot.md").replace("`", "")
    broker = {what for what, _hint in broker_errors.REFUSED.values()} | set(broker_errors.LOST.values())
    orders = texts_of("agent/commands/policy.py", "untimely")

    assert len(broker) > 20 and len(orders) >= 4
    assert {what for what in broker | orders if what not in page} == set()


# ------------------------------------------------------------------------------------------------ examples

LEAST: dict[str, Any] = {
    "device": {"commune": "hai-ninh", "id": "hai-ninh-03"},
    "broker": {"host": "localhost"},
    "cameras": [{"name": "north", "source": {"kind": "csi"}}],
}
SOURCES = {"cameras.md": "cameras:\n  - name: north\n"}
"""Pages whose examples are a part of one camera."""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(text(page), "yaml")], ids=lambda page: page.name
)
def test_every_yaml_example_is_one_that_the_agent_accepts(page: Path) -> None:
    for block in blocks(text(page), "yaml"):
        example = yaml.safe_load(SOURCES[page.name] + block if block.startswith(" ") else block)
        if page.name.removesuffix(".md").removesuffix(".vi") in ("station", "backup", "console", "integrate"):
            parse_station(block.encode(), page.name)
            continue
        if "head" in example:
            parse_card(example | {"sha256": "0" * 64}, page)
            continue
        whole = LEAST | example
        whole["cameras"] = [{**LEAST["cameras"][0], **camera} for camera in whole["cameras"]]
        parse(yaml.safe_dump(whole, allow_unicode=True).encode(), page.name)


@cache
def settings() -> set[str]:
    """The path of every setting, without the brackets of lists and kinds: cameras.source.url."""
    both = [*groups(Config), *groups(StationConfig)]
    paths = (f"{group.path}.{setting.name}" for group in both for setting in group.settings)
    return {re.sub(r"\[\]|\([^)]*\)", "", path).removeprefix(".") for path in paths}


# The dotted names of wire.md are those of payloads; tests/agent/wire/test_describe.py checks them.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "wire.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    for path in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text(page)):
        top, suffix = path.split(".")[0], path.rsplit(".", 1)[-1]
        if top in Config.model_fields and suffix not in ("py", "md", "db", "sql"):
            assert path in settings(), path


def test_the_message_of_the_guide_is_an_event() -> None:
    (example,) = blocks(text("docs/guide/message.md"), "json")
    event = codec.parse(EventPayload, example.encode())

    assert (event.kind, event.phase, event.severity) == ("line_crossed", "start", "alert")
    assert json.loads(example)["image"]["topic"] == f"camera/{event.camera}/image/{event.id}/thumbnail"


def test_the_example_of_the_first_camera_is_the_same_in_both_languages() -> None:
    english, vietnamese = (
        [yaml.safe_load(block) for block in blocks(text(f"docs/guide/{name}"), "yaml")]
        for name in ("first-camera.md", "first-camera.vi.md")
    )
    for words in ("place", "purpose", "legal_basis"):
        english[0]["device"].pop(words)
        vietnamese[0]["device"].pop(words)

    assert english == vietnamese
    assert EXAMPLES["device.commune"] == english[0]["device"]["commune"]
