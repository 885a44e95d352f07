"""The shape of code and tests: every module has its mirror, and no test reaches behind the door of another."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agent", "station", "models", "fleet", "verifier")
_HOME = "tests/support/home_assistant_schema.py"
ALLOWED: frozenset[str] = frozenset(  # of Home Assistant, which is tried there, and of paho: not ours
    {f"{_HOME}: {name}" for name in ("_parse_device_payload", "_merge_common_device_options")}
    | {"tests/conftest.py: _socketpair_compat"}
)
"""Private names that a test may touch: `path: name`."""
GRADUAL = "station/store/migrations"
"""Steps of a database are never changed again; tests/station/store/test_database.py runs all of them."""


def modules(*folders: str) -> list[Path]:
    """Python files below these folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def where(path: Path) -> str:
    """Its path in the project."""
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Facts:
    """What of a module is asked about; its tree would stay in memory, and so would those of two thousand."""

    functions: bool
    classes: tuple[str, ...]
    foreign: tuple[tuple[int, str], ...]
    """Private names of other modules that it touches, with their lines."""
    so_called: tuple[int, ...]
    """Lines in which something is called `told`."""
    asked_of_ours: tuple[tuple[int, str, str], ...]
    """Line, module and name of what it imports from modules of the project."""


@cache
def facts(path: Path) -> Facts:
    """Read and walked through once: of all modules that takes half a minute."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return Facts(
        functions=any(isinstance(node, ast.FunctionDef) for node in nodes),
        classes=tuple(node.name for node in nodes if isinstance(node, ast.ClassDef)),
        foreign=tuple(foreign_private_names(nodes)) if where(path).startswith("tests/") else (),
        so_called=tuple(line for line, name in identifiers(nodes) if name == "told"),
        asked_of_ours=tuple(asked_of_ours(nodes)),
    )


def does_something(path: Path) -> bool:
    """Whether a module has a function; one of declarations only is tried with whoever reads them."""
    return facts(path).functions


def has_its_mirror(path: Path) -> bool:
    """Whether there is a file of tests of this module, which says so; or need not be."""
    place = path.relative_to(ROOT)
    if path.stem.startswith("__") or place.is_relative_to(GRADUAL) or not does_something(path):
        return True
    mirror = ROOT / "tests" / place.parent / f"test_{path.name}"
    said = mirror.read_text(encoding="utf-8") if mirror.is_file() else ""
    return said.startswith(f'"""{".".join(place.with_suffix("").parts)}')


# A file of thousands of small tests takes half a minute of the whole run: each of these looks at all modules.
def test_every_module_that_does_something_has_its_mirror() -> None:
    assert [where(path) for path in modules(*PACKAGES) if not has_its_mirror(path)] == []


def shown(mirror: Path) -> Path:
    """The module that this one shows; `test_init.py` is that of a package."""
    name = "__init__.py" if mirror.stem == "test_init" else mirror.name.removeprefix("test_")
    return ROOT / mirror.parent.relative_to(ROOT / "tests") / name


def test_every_mirror_shows_a_module() -> None:
    mirrors = [path for path in modules(*(f"tests/{each}" for each in PACKAGES)) if path.stem[:5] == "test_"]

    assert [path.name for path in mirrors if not shown(path).is_file()] == []


def own_names(nodes: Sequence[ast.AST]) -> set[str]:
    """What a test module defines itself: its functions, classes, their fields and what they set of `self`."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            names.add(node.attr)
    return names


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def foreign_private_names(nodes: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    own = own_names(nodes)
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "os")):
                yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
            words = [word.value for word in node.args if isinstance(word, ast.Constant)]
            parts = [word.rpartition(".")[2] for word in words if isinstance(word, str)]
            yield from ((node.lineno, part) for part in parts if is_private(part))


def test_no_test_touches_a_private_name_of_another_module() -> None:
    touched = [
        (f"{where(path)}:{line}", name)
        for path in modules("tests")
        for line, name in facts(path).foreign
        if f"{where(path)}: {name}" not in ALLOWED
    ]

    assert touched == []


def test_the_check_of_private_names_bites() -> None:
    nodes = list(
        ast.walk(
            ast.parse("from x import _y\nbox._disk.put()\nmonkeypatch.setattr('a.b._c', 1)\nself._mine = 1\n")
        )
    )

    assert sorted(foreign_private_names(nodes)) == [(1, "_y"), (2, "_disk"), (3, "_c")]


def identifiers(nodes: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every name that code gives or uses."""
    for node in nodes:
        for field in ("id", "arg", "attr", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield getattr(node, "lineno", 0), value


def test_nothing_is_called_told() -> None:
    """It would say nothing: a bool, bytes, a moment, ids or a box, each has a name of its own."""
    everywhere = modules(*PACKAGES, "tests", "benchmarks", "examples", "deploy")

    assert [f"{where(path)}:{line}" for path in everywhere for line in facts(path).so_called] == []


def test_no_class_name_stands_twice() -> None:
    names = Counter(name for path in modules(*PACKAGES) for name in facts(path).classes)

    assert [name for name, times in names.items() if times > 1] == []


OURS = (*PACKAGES, "tests", "benchmarks", "examples")


def asked_of_ours(nodes: Sequence[ast.AST]) -> Iterator[tuple[int, str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in OURS:
            yield from ((node.lineno, str(node.module), alias.name) for alias in node.names)


@cache
def given(module: str) -> frozenset[str] | None:
    """What may be imported from this module; None: there is none."""
    place = ROOT / module.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    below = {each.stem for each in place.iterdir()} if place.is_dir() else set()
    if not path.is_file():
        return frozenset(below) if place.is_dir() else None
    return frozenset(below | set(bound(ast.parse(path.read_text(encoding="utf-8")).body)))


def bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that these lines of a module give; also those in an `if` or a `try`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        else:
            names = (each for each in ast.walk(node) if isinstance(each, ast.Name))
            yield from (each.id for each in names if isinstance(each.ctx, ast.Store))
            for part in ("body", "orelse", "handlers", "finalbody"):
                yield from bound(getattr(node, part, []))


def test_the_check_of_imports_bites() -> None:
    nodes = list(ast.walk(ast.parse("from agent.errors import NgatuError, Gone\nfrom os import path\n")))

    assert list(asked_of_ours(nodes)) == [(1, "agent.errors", "NgatuError"), (1, "agent.errors", "Gone")]
    assert {"NgatuError", "Gone"} & set(given("agent.errors") or ()) == {"NgatuError"}
    assert given("agent.gone") is None


def test_whatever_is_imported_is_there() -> None:
    """Trials and benchmarks are not run before each commit: what one lacks shall not be found at a release."""
    lacking = [
        f"{where(path)}:{line}: {module} has no {name}"
        for path in modules(*OURS)
        for line, module, name in facts(path).asked_of_ours
        if name not in (given(module) or ())
    ]

    assert lacking == []
