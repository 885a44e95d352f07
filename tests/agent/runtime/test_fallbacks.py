"""agent.runtime.fallbacks"""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from agent.runtime import fallbacks


def test_without_a_key_nothing_need_be_signed() -> None:
    assert fallbacks.command_key(None) is None


def test_a_key_that_cannot_be_read_is_one_that_nobody_has(tmp_path: Path) -> None:
    with capture_logs() as lines:
        key = fallbacks.command_key(tmp_path / "none.pem")

    assert key is not None
    assert [line["event"] for line in lines] == ["command_key_unreadable"]


def test_a_journal_that_the_disk_will_not_have_is_kept_in_memory(tmp_path: Path) -> None:
    with capture_logs() as lines:
        journal = fallbacks.open_journal(tmp_path / "none" / "commands.db", 0.0)

    assert journal.unended() == []
    assert [line["event"] for line in lines] == ["commands_in_memory"]
    journal.close()


def test_a_journal_lies_on_the_disk_where_that_is_well(tmp_path: Path) -> None:
    fallbacks.open_journal(tmp_path / "commands.db", 0.0).close()

    assert (tmp_path / "commands.db").is_file()
