"""station.audit.cli"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agent.wire.audit_log import AuditEntry
from station.cli import commands
from tests.agent.wire.test_audit_log import log_of
from tests.station.audit.test_box_logs import ack_message, lines_message
from tests.support.stores import Place

app = typer.Typer()
app.add_typer(commands)
ARGS = {"camera": "north", "officer": "Lan", "purpose": "case 12"}


@pytest.fixture
def config(tmp_path: Path, sqlite_place: Place) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(f"commune: hai-ninh\nstate_dir: {sqlite_place.folder}\nbroker: {{host: localhost}}\n")
    return path


def run(config: Path, *words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(
        app, ["station", *words, "-c", str(config)], env={"COLUMNS": "160", "TZ": "UTC"}
    )
    return result.exit_code, result.stdout, result.stderr


def lines() -> list[AuditEntry]:
    return log_of(4, time="2026-03-02T11:00:00.000Z", state="done", args=ARGS)


def test_who_looked_at_what_is_shown_for_each_box(config: Path, sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([lines_message(1, lines())])
    code, out, _ = run(config, "audit", "--since", "2026-03-01")

    assert code == 0
    assert [line.split()[3:] for line in out.splitlines()[1:]] == [
        ["Lan", "look", "north", "case", "12", "done"]
    ] * 4
    assert run(config, "audit", "--since", "2026-03-03")[1] == "nobody asked for anything in that time\n"
    _, out, _ = run(config, "audit", "--since", "2026-03-01", "--json")
    assert [json.loads(line)["line"]["n"] for line in out.splitlines()] == [1, 2, 3, 4]


def test_a_rewritten_line_ends_audit_and_verify_with_1_and_is_named(config: Path, sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([lines_message(1, lines()), ack_message(2, lines()[1])])
        assert run(config, "verify")[0] == 0
        store.commit(
            [
                lines_message(3, log_of(2, prev=lines()[1].sha256, n=3)),
                lines_message(4, log_of(1, prev="ab" * 32, n=9)),
            ]
        )
    words = "hai-ninh/north-01 audit log: not what it was: 3\n"

    code, _, err = run(config, "audit")
    assert (code, words in err, "missing: 5-8" in err) == (1, True, True)
    code, out, _ = run(config, "verify")
    assert (code, words in out) == (1, True)


def test_a_log_that_began_again_is_told_and_accuses_nobody(config: Path, sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([lines_message(1, lines()), lines_message(2, log_of(2))])

    for command in ("audit", "verify"):
        code, out, err = run(config, command)
        assert code == 0
        assert "began again at line 1" in out + err
