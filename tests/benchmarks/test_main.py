"""benchmarks.__main__, benchmarks.table, benchmarks.footage"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from agent.errors import NgatuError
from benchmarks import table
from benchmarks.__main__ import measured, show_step, with_truth
from benchmarks.footage import NAMES, default

ROWS: list[table.Row] = [
    {"part": "idle", "who": "decode alone", "ratio": 1.0, "kept": None},
    {"part": "idle", "who": "ngatu", "ratio": 1.25, "kept": True},
    {"part": "memory", "pss_mb": 141.5},
]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], capture_output=True, text=True, timeout=100, check=False
    )


def printed(rows: list[table.Row], width: int = 100) -> str:
    out = io.StringIO()
    table.show("cost", rows, Console(file=out, width=width))
    return out.getvalue()


def test_rows_of_one_shape_share_a_table_with_a_line_each() -> None:
    lines = printed(ROWS).splitlines()

    assert sum("who" in line for line in lines) == 1
    assert next(line for line in lines if "ngatu" in line).split("│")[3:5] == ["  1.25 ", "  yes "]
    assert any("141.5" in line for line in lines)


def test_a_table_that_is_too_wide_lies_on_its_side_and_loses_nothing() -> None:
    wide: list[table.Row] = [{f"column {n}": n * 1000 for n in range(30)}]

    text = printed(wide, width=60)

    assert all(f"column {n} " in text and str(n * 1000) in text for n in range(30))


def test_the_json_holds_the_same_rows_and_the_machine(tmp_path: Path) -> None:
    table.write(tmp_path / "deep" / "cost.json", "cost", ROWS)

    document = json.loads((tmp_path / "deep" / "cost.json").read_text())
    assert document["rows"] == ROWS
    assert document["benchmark"] == "cost"
    assert {"cpu", "cores", "python", "packages"} <= document["machine"].keys()


def test_where_nobody_watches_a_terminal_each_step_is_a_line_and_the_same_one_is_told_once() -> None:
    out = io.StringIO()
    with Progress(console=Console(file=out, width=100), transient=True) as progress:
        task = progress.add_task("province")
        for text in ("station, 20 a second", "station, 20 a second", "station, 40 a second"):
            show_step(progress, task, "province", text)

    lines = [line.split(" ", 1)[1] for line in out.getvalue().splitlines() if "station" in line]
    assert lines == ["province: station, 20 a second", "province: station, 40 a second"]


def test_each_clip_is_followed_by_its_truth() -> None:
    clips, truths = [Path("a.avi"), Path("b.avi")], [Path("a.txt")]

    assert with_truth(clips, truths) == [Path("a.avi"), Path("a.txt"), Path("b.avi")]
    assert with_truth(clips, []) == clips


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NgatuError, match="no benchmark speed") as caught:
        measured("speed", [])
    assert all(name in caught.value.hint for name in NAMES)


def test_where_there_is_no_quick_way_it_is_said() -> None:
    with pytest.raises(NgatuError, match="swarm has no quick way"):
        measured("swarm", [], quick=True)


def test_footage_that_is_not_there_is_named() -> None:
    result = run("tracking", "nowhere/MOT99")

    assert result.returncode == 1
    assert "nowhere/MOT99: no such file or folder" in result.stderr


def test_without_the_folder_of_footage_it_says_what_to_do(tmp_path: Path) -> None:
    result = run("cost", f"--data={tmp_path / 'nothing'}")

    assert result.returncode == 1
    assert "--data" in result.stderr


@pytest.mark.footage
def test_the_usual_footage_of_every_benchmark_is_there(shared_data: Path) -> None:
    for name in NAMES:
        assert all(path.exists() for path in default(name, shared_data)), name
