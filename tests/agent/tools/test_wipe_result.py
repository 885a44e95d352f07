"""agent.tools.wipe_result"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import NgatuError
from agent.tools.wipe_result import LIMITS, as_text, signature_fault, signed, still_there, write


def result_of(*files: tuple[str, str]) -> dict[str, Any]:
    return {
        "box": "hai-ninh/hai-ninh-03", "time": "2026-03-02T11:00:00.000Z", "by": "lan (sudo)",
        "files": [{"path": path, "bytes": 7, "how": how, "why": None} for path, how in files],
        "deleted_files": 1, "deleted_bytes": 7, "left_files": 0, "others_left": ["/x/notes.txt"],
        "folders_left": [], "secrets_not_here": [], "limits": list(LIMITS),
    }  # fmt: skip


def test_a_signed_result_holds_and_any_change_of_it_is_found() -> None:
    key = Ed25519PrivateKey.generate()
    whole = signed(result_of(("/x/outbox.db", "deleted")), key)

    assert signature_fault(whole, None) is None
    assert signature_fault(whole, whole["key"]) is None
    for name in (*result_of(), "key"):
        changed = {**whole, name: "another"}
        assert "was changed" in (signature_fault(changed, None) or ""), name
    other = signed(result_of(), Ed25519PrivateKey.generate())
    assert "another key" in (signature_fault(other, whole["key"]) or "")
    assert "not signed" in (signature_fault(result_of(), None) or "")


def test_a_file_that_is_there_although_it_should_be_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").touch()
    gone, there = str(tmp_path / "commands.db"), str(tmp_path / "outbox.db")

    assert still_there(result_of((gone, "deleted"), (there, "overwritten and deleted"))) == [there]
    assert still_there(result_of((there, "not deleted"))) == []
    for junk in ({}, {"files": 7}, {"files": [{}]}):
        with pytest.raises(NgatuError, match="no result of a wipe"):
            still_there(junk)


def test_it_is_written_as_json_and_as_a_text_that_says_what_flash_keeps(tmp_path: Path) -> None:
    written = write(result_of(("/x/outbox.db", "deleted")), tmp_path)

    assert json.loads(written.read_text()) == result_of(("/x/outbox.db", "deleted"))
    text = written.with_suffix(".txt").read_text()
    assert text == as_text(result_of(("/x/outbox.db", "deleted")))
    assert "flash card or SSD keeps copies" in text
    assert "not ngatu's, left: /x/notes.txt" in text
    with pytest.raises(NgatuError, match="No such file or directory"):
        write(result_of(), tmp_path / "none")
