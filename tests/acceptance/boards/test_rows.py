"""tests.acceptance.boards.rows"""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.boards.rows import HEAD, SystemRow, kept, table

WHOLE = SystemRow(
    "pi-trixie", 41, 132.4, 190.0, 28, 120.0, 700.0, 24.0, 23.0, "4 of 4 the same"
)  # fmt: skip


def test_rows_are_read_as_they_were_kept_in_the_order_of_the_boards(tmp_path: Path) -> None:
    other = SystemRow("pi-bookworm", 41)
    for row in (WHOLE, other):
        row.keep(tmp_path)
    assert kept(tmp_path) == [other, WHOLE]
    assert kept(tmp_path / "nothing") == []


def test_the_table_has_a_line_for_each_system_with_what_was_measured() -> None:
    head, rule, line = table([WHOLE]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|") == len(HEAD) + 1
    assert cells(WHOLE) == [
        "Raspberry Pi OS trixie, aarch64", "3.13", "41", "132 MB, 190 s", "2.28 of 2.41", "120 s", "700 s",
        "24 s", "23 s", "4 of 4 the same",
    ]  # fmt: skip


def test_where_it_stopped_stands_with_the_reason() -> None:
    row = SystemRow("jetson-noble", 41, 132.0, 131.0, 28, stopped="no mirror")
    assert cells(row)[5:] == ["no: no mirror", "no", "no", "no", ""]
    row.root_s = 0.0
    assert cells(row)[5:] == ["kept", "no: no mirror", "no", "no", ""]
    row.installed_s = 700.0
    assert cells(row)[5:] == ["kept", "700 s", "no: no mirror", "no", ""]


def cells(row: SystemRow) -> list[str]:
    return [cell.strip() for cell in table([row]).splitlines()[2].strip()[1:-1].split("|")]
