"""station.describe"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings.introspect import groups
from station.config import StationConfig, load, parse
from station.describe import (
    EXAMPLE,
    PAGE,
    PROVINCE_EXAMPLE,
    PROVINCE_PAGE,
    example_text,
    main,
    page_text,
    province_page,
    province_text,
)
from station.province.settings import load as load_province

ROOT = Path(__file__).resolve().parents[2]
HINT = "run `make docs`"


def test_the_example_and_the_page_are_what_the_code_says() -> None:
    assert (ROOT / EXAMPLE).read_text(encoding="utf-8") == example_text(), HINT
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page_text(), HINT


def test_the_example_equals_the_built_in_defaults() -> None:
    assert load(ROOT / EXAMPLE) == parse(b"commune: hai-ninh", "least")


def test_every_setting_has_a_description_and_a_row() -> None:
    for group in groups(StationConfig):
        for setting in group.settings:
            assert setting.description, setting.path
            assert f"`{setting.name}`" in page_text() or group.path.endswith(("password", "secret")), (
                setting.path
            )


def test_the_writer_tells_what_is_stale_and_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["--check"]) == 1
    assert capsys.readouterr().out.count("is not what the code says") == 4
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert (tmp_path / EXAMPLE).read_text(encoding="utf-8") == example_text()


def test_the_provinces_example_and_page_are_what_the_code_says() -> None:
    assert (ROOT / PROVINCE_EXAMPLE).read_text(encoding="utf-8") == province_text(), HINT
    assert (ROOT / PROVINCE_PAGE).read_text(encoding="utf-8") == province_page(), HINT
    assert load_province(ROOT / PROVINCE_EXAMPLE).shard == "s01"
