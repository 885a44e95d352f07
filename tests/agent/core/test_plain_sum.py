"""agent.core.plain_sum"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.plain_sum import plain_sum
from tests.conftest import ROOT

CORE = sorted((ROOT / "agent" / "core").rglob("*.py"))


@given(st.lists(st.floats(-1e9, 1e9), max_size=20))
def test_each_step_is_rounded(values: list[float]) -> None:
    """As Python 3.11 did it: `sum` of a later one compensates what was rounded away."""
    total = 0.0
    for value in values:
        total = total + value

    assert plain_sum(values) == total
    assert isinstance(plain_sum(values), float)


def test_what_a_compensating_sum_gives_is_not_what_it_gives() -> None:
    assert plain_sum([0.1] * 10) == 0.9999999999999999
    assert plain_sum([1.0, 1e100, 1.0, -1e100]) == 0.0


@pytest.mark.parametrize("module", CORE, ids=lambda path: path.stem)
def test_no_module_of_the_core_calls_sum(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]

    assert not [f"{module.name}:{call.lineno}" for call in calls if ast.unparse(call.func) == "sum"]
