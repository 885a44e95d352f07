"""agent.wire.describe"""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from agent.wire import describe
from agent.wire.channels import models
from agent.wire.payloads import Payload

ROOT = Path(__file__).resolve().parents[3]
FILES = describe.files(ROOT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_as_the_models_say(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path], "run python -m agent.wire.describe"


def test_no_schema_file_is_left_over() -> None:
    assert set((ROOT / describe.SCHEMAS).iterdir()) == {p for p in FILES if p.suffix == ".json"}


@pytest.mark.parametrize("model", models(), ids=describe.slug)
def test_every_field_says_what_it_means(model: type[Payload]) -> None:
    rows = describe.fields_table(model).splitlines()[2:]

    assert rows
    assert not [row for row in rows if row.endswith("|  |")]


@pytest.mark.parametrize("model", models(), ids=describe.slug)
def test_every_schema_is_one(model: type[Payload]) -> None:
    jsonschema.Draft202012Validator.check_schema(describe.schema(model))
