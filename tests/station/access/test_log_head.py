"""station.access.log_head"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from station.access.audit_entry import HEAD, LogEnd
from station.access.log_head import LogHead


def end(number: int) -> LogEnd:
    return LogEnd(number, f"{number:064x}")


def test_an_end_is_read_as_it_was_written_by_another_process_too(tmp_path: Path) -> None:
    head = LogHead(tmp_path)
    assert head.read() is None
    head.advance(end(3))

    assert LogHead(tmp_path).read() == end(3)
    assert (tmp_path / HEAD).stat().st_mode & 0o777 == 0o640


def test_it_never_goes_back(tmp_path: Path) -> None:
    one, other = LogHead(tmp_path), LogHead(tmp_path)
    one.advance(end(5))
    other.advance(end(4))
    one.advance(end(2))

    assert one.read() == end(5)


def test_many_writers_leave_the_latest_end_and_no_other_file(tmp_path: Path) -> None:
    heads = [LogHead(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: heads[number % 4].advance(end(number)), range(1, 101)))

    assert heads[0].read() == end(100)
    assert [path.name for path in tmp_path.iterdir()] == [HEAD]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"id": 0, "sha256": ""}', '{"id": 3}', '{"id": 3, "sha256": "x"}']
)
def test_what_says_no_end_is_told_and_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / HEAD).write_text(text)
    head = LogHead(tmp_path)
    with pytest.raises(ValueError):
        head.read()
    head.advance(end(1))

    assert head.read() == end(1)


def test_after_a_restore_it_goes_back_to_what_is_there(tmp_path: Path) -> None:
    head = LogHead(tmp_path)
    head.advance(end(9))
    head.replace(end(4))
    assert head.read() == end(4)
    head.advance(end(5))
    assert head.read() == end(5)
    head.replace(None)

    assert head.read() is None
