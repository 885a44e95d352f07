"""agent.wire.payloads"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from agent.wire import payloads


def public_names(module: Path) -> Iterator[str]:
    """What it defines: classes, functions, types of fields and constants."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = [node.name]
        else:
            targets = node.targets if isinstance(node, ast.Assign) else []
            names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        yield from (name for name in names if not name.startswith("_"))


def test_whatever_a_module_defines_can_be_had_from_the_package() -> None:
    modules = Path(payloads.__file__).parent.glob("[!_]*.py")

    assert sorted(payloads.__all__) == sorted(name for each in modules for name in public_names(each))
