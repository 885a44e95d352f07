"""station.ingest.alarms"""

from __future__ import annotations

from pathlib import Path

import pytest

from station.ingest.alarms import AlarmKind

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_every_kind_says_in_a_line_what_it_means_and_stands_in_the_glossary(kind: AlarmKind) -> None:
    assert 20 < len(kind.meaning) < 100
    assert f"`{kind}`: {kind.meaning}" in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
