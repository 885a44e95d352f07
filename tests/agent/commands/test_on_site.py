"""agent.commands.on_site"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from agent.commands.audit import verify
from agent.commands.on_site import noted, who
from agent.errors import NgatuError
from agent.settings.access import user_name

ROOT = Path(__file__).parents[3]


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "audit.log").read_text().splitlines()]


def test_who_records_stands_in_the_log_before_it_is_done_and_what_left_after_it(tmp_path: Path) -> None:
    with noted(tmp_path, "record", {"camera": "north"}, officer="Lan", purpose="case 12") as left:
        assert [line["state"] for line in lines(tmp_path)] == ["begun"]
        left["sha256"] = "ab" * 32
    begun, done = lines(tmp_path)

    assert begun["args"] == {"camera": "north", "officer": "Lan", "purpose": "case 12"}
    assert (done["state"], done["result"], done["id"]) == ("done", {"sha256": "ab" * 32}, begun["id"])
    assert (begun["issuer"], begun["at"]) == (who(), "box")
    assert verify(tmp_path / "audit.log") is None


def test_what_failed_or_was_broken_off_is_in_the_log_as_well(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), noted(tmp_path, "record", {}):
        raise KeyboardInterrupt

    assert [line["state"] for line in lines(tmp_path)] == ["begun", "failed"]


def test_nothing_leaves_where_the_log_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "audit.log").mkdir()
    with (
        pytest.raises(NgatuError, match="cannot be written, so nothing leaves the box"),
        noted(tmp_path, "x", {}),
    ):
        pytest.fail("it must not begin")


def test_where_no_box_works_nothing_is_written(tmp_path: Path) -> None:
    with noted(tmp_path / "none", "record", {}):
        pass

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_log_that_root_begins_belongs_to_the_agent_who_must_go_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, 1234, 1234)
    monkeypatch.setenv("SUDO_USER", "lan")
    with noted(tmp_path, "record", {}):
        pass

    assert (tmp_path / "audit.log").stat().st_uid == 1234
    assert lines(tmp_path)[0]["issuer"] == "lan (sudo)"


def logged_in(folder: Path, number: int) -> Path:
    """What the kernel says of the process."""
    path = folder / "loginuid"
    path.write_text(str(number))
    return path


def test_whoever_becomes_the_agent_s_user_stands_there_by_his_own_name(tmp_path: Path) -> None:
    """`sudo -u ngatu ngatu record`, in a process of another user."""
    daemon = pwd.getpwnam("daemon").pw_uid
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    program = f"import os; from agent.commands.on_site import who; os.setuid({daemon}); print(who())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "SUDO_USER": "lan"}, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip

    assert done.stdout.strip() == "lan (sudo, daemon)"


def test_who_logged_in_is_believed_before_what_the_environment_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "minh")
    daemon = pwd.getpwnam("daemon")
    here = user_name()
    expected = "daemon (sudo)" if os.geteuid() == 0 else f"daemon (sudo, {here})"

    assert who(logged_in(tmp_path, daemon.pw_uid)) == expected
    for unknown in (0, 2**32 - 1, 2**31 - 7):
        assert who(logged_in(tmp_path, unknown)).startswith("minh (sudo")
    monkeypatch.delenv("SUDO_USER")
    assert who(tmp_path / "none") == here


@pytest.mark.skipif(os.geteuid() == 0, reason="root may claim anything")
def test_who_claims_to_be_another_is_named_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "minh")

    assert who(tmp_path / "none") == f"minh (sudo, {user_name()})"
