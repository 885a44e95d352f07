"""agent.cli.footage.clip"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.footage.clip import meant
from agent.cli.main import commands
from tests.support.footage import NOON_S, RingBench


@pytest.mark.parametrize(
    ("words", "become"),
    [
        (["clip", "box", "north"], ["station", "clip", "box", "north"]),
        (["clip", "--list"], ["station", "clip", "--list"]),
        (["clip", "--camera", "north", "-o", "x"], None),
        (["clip", "--output=x"], None),
        (["clip", "--help"], None),
        (["run", "clip"], None),
        ([], None),
    ],
)
def test_with_a_folder_it_is_meant_here_and_without_one_it_asks_a_box(
    words: list[str], become: list[str] | None
) -> None:
    assert meant(words) == (words if become is None else become)


def test_the_words_stand_in_the_package_as_an_order_would_bring_them(tmp_path: Path) -> None:
    """Without the blanks and the control characters of whoever typed or pasted them."""
    (tmp_path / "state/evidence").mkdir(parents=True)
    bench = RingBench(tmp_path / "state/evidence")
    bench.record(40)
    bench.ring.close()
    path = tmp_path / "box.yaml"
    path.write_text(
        f"device: {{commune: hai-ninh, id: hai-ninh-03}}\nstate_dir: {tmp_path / 'state'}\n"
        f"broker: {{host: localhost}}\nevidence: {{recipient: {bench.recipient}}}\n"
        "cameras:\n  - {name: north, source: {kind: csi}, record: {mode: continuous}}\n"
    )
    first, last = (datetime.fromtimestamp(NOON_S + each, UTC).isoformat() for each in (4, 16))
    words = ["--camera", "north", "--from", first, "--to", last, "-c", str(path), "-o", str(tmp_path / "stick")]
    why = ["--case", " 12/2026 ", "--purpose", "  collision\n", "--officer", "Lê\x1b[2J Văn A "]

    done = CliRunner().invoke(commands, ["clip", *words, *why])

    assert done.exit_code == 0, done.output
    request = json.loads((tmp_path / "stick" / "manifest.json").read_bytes())["request"]
    assert [request[name] for name in ("case_number", "purpose", "officer")] == [
        "12/2026",
        "collision",
        "Lê\ufffd[2J Văn A",
    ]
