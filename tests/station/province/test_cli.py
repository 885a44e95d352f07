"""station.province.cli"""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from station.cli import commands

LEAST = "shard: s01\ndatabase: {url: 'postgresql://ngatu@127.0.0.1/province'}\n"


def test_a_file_is_judged_and_the_example_is_one_that_is_right(tmp_path: Path) -> None:
    example = CliRunner().invoke(commands, ["province", "example"])
    assert example.exit_code == 0 and "shard:" in example.output
    for text, code in ((example.output, 0), (LEAST, 0), ("shard: s01\n", 2)):
        (tmp_path / "province.yaml").write_text(text, encoding="utf-8")
        judged = CliRunner().invoke(commands, ["province", "check", "-c", str(tmp_path / "province.yaml")])
        assert judged.exit_code == code, judged.output


def test_a_worker_without_a_database_says_so_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "province.yaml"
    file.write_text(LEAST.replace("127.0.0.1", "127.0.0.1:1"), encoding="utf-8")

    ended = CliRunner().invoke(commands, ["province", "-c", str(file)])

    assert ended.exit_code == 1 and "Traceback" not in ended.output
