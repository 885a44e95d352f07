"""agent.evidence.clips.requests"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.errors import FootageError
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.requests import KEPT, MOST_OPEN, ClipRequest, ClipRequests, ClipState
from agent.wire.pieces import PIECE_BYTES
from agent.wire.ranges import Ranges
from tests.agent.evidence.clips.test_files import STORED

ONE = ClipRequest("r1", "north", 100.0, 160.0, "12/2026", "collision", "Lê Văn A", "station", 200.0, "ab", 7)
FILES = (
    PackageFile("manifest.json", PIECE_BYTES + 1, b"m" * (PIECE_BYTES + 1)),
    PackageFile("manifest.sig", 64, b"s" * 64),
    PackageFile("footage-1-00000.age", 3 * PIECE_BYTES, None, STORED),
)


_OPENED: list[ClipRequests] = []


def opened(path: Path) -> ClipRequests:
    """As a life of the agent opens it, closed after the test: a life that died closes nothing."""
    _OPENED.append(ClipRequests(path))
    return _OPENED[-1]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "clips.db"
    while _OPENED:
        _OPENED.pop().close()


def test_a_request_is_there_again_after_a_death_as_it_was_noted(path: Path) -> None:
    requests = opened(path)
    assert requests.note(ONE) is None
    requests.cut("r1", FILES)
    requests.note_sent("r1", Ranges([(0, 2), (4, 4)]))

    again = opened(path)  # the first was never closed

    (noted,) = again.open()
    assert noted.request == ONE
    assert (noted.state, noted.bytes, noted.parts) == (ClipState.SENDING, 4 * PIECE_BYTES + 65, 6)
    assert list(noted.sent) == [(0, 2), (4, 4)]
    assert again.package("r1").files == FILES


def test_an_id_is_noted_once(path: Path) -> None:
    requests = opened(path)
    requests.note(ONE)
    requests.cut("r1", FILES)

    known = requests.note(replace(ONE, purpose="another"))

    assert known is not None
    assert (known.request.purpose, known.state) == ("collision", ClipState.SENDING)


def test_what_is_over_is_not_sent_and_stays_held_until_it_is_released(path: Path) -> None:
    requests = opened(path)
    requests.note(ONE)
    assert requests.cut("r1", FILES)

    assert requests.end("r1", ClipState.COMPLETE)
    assert not requests.end("r1", ClipState.FAILED, "too late")
    assert requests.open() == []
    assert requests.package("r1").files == ()
    assert [each.request.id for each in requests.held()] == ["r1"]

    before = requests.release("r1", "no longer wanted")
    assert before is not None
    assert before.state is ClipState.COMPLETE
    assert requests.held() == []
    assert requests.release("r2", "never asked for") is None


def test_what_was_released_while_it_was_cut_is_not_sent(path: Path) -> None:
    requests = opened(path)
    requests.note(ONE)
    assert requests.release("r1", "no longer wanted") is not None

    assert not requests.cut("r1", FILES)

    assert requests.package("r1").files == ()
    assert requests.open() == []


@pytest.mark.long
def test_what_is_over_is_forgotten_in_the_end_and_what_is_held_never(path: Path) -> None:
    """A release during a cut left files behind, and 500 requests later no request could be noted any more."""
    requests = opened(path)
    requests.note(ONE)
    requests.end("r1", ClipState.COMPLETE)
    requests.tell("r1", ClipState.COMPLETE)
    with sqlite3.connect(path) as left:  # as an earlier version left it
        left.execute(
            "insert into request select 'left', camera, from_s, to_s, case_number, purpose, officer, issuer,"
            " asked_s, null, null, 'released', null, 'released', '[]', 1, 1 from request where id = 'r1'"
        )
        left.execute("insert into file values ('left', 0, 'manifest.json', 1, x'00', null)")
    left.close()
    for number in range(KEPT + 5):
        requests.note(replace(ONE, id=f"n{number}", asked_s=300.0 + number))
        requests.release(f"n{number}", "no longer wanted")
        requests.tell(f"n{number}", ClipState.RELEASED)

    assert [each.request.id for each in requests.held()] == ["r1"]
    assert requests.find("left") is None
    assert requests.find("n0") is None
    assert requests.find(f"n{KEPT}") is not None


def test_a_word_for_the_station_stays_until_the_outbox_has_it(path: Path) -> None:
    requests = opened(path)
    requests.note(ONE)
    assert [each.state for each in requests.unannounced()] == [ClipState.REQUESTED]

    requests.tell("r1", ClipState.REQUESTED)
    assert requests.unannounced() == []

    requests.cut("r1", FILES)
    assert [each.state for each in opened(path).unannounced()] == [ClipState.SENDING]


def test_more_than_can_be_sent_in_days_is_refused_in_words(path: Path) -> None:
    requests = opened(path)
    for number in range(MOST_OPEN):
        requests.note(replace(ONE, id=f"r{number}"))

    with pytest.raises(FootageError, match="clips wait to be sent"):
        requests.note(replace(ONE, id="one-more"))

    requests.end("r0", ClipState.REFUSED, "nothing there")
    assert requests.note(replace(ONE, id="one-more")) is None


@pytest.mark.parametrize("rubbish", [b"no database at all" * 400, b"\0" * 8192])
def test_a_damaged_file_is_set_aside_and_told(path: Path, rubbish: bytes) -> None:
    path.write_bytes(rubbish)

    with capture_logs() as logs:
        requests = opened(path)

    assert requests.open() == []
    assert [each["event"] for each in logs] == ["clips_damaged"]
    assert path.with_name("clips.db.damaged").read_bytes() == rubbish


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    requests = opened(path)
    requests.note(ONE)
    requests.close()
    whole = path.read_bytes()
    newer = whole[:60] + (9).to_bytes(4, "big") + whole[64:]
    path.write_bytes(newer)

    with pytest.raises(FootageError, match="newer version"):
        opened(path)
    assert path.read_bytes() == newer


def test_what_a_request_takes_may_be_fixed_when_it_is_noted_and_be_gone_later(path: Path) -> None:
    frames = [PackageFile(f"frame-{n}", 7, None, frame=f"{n}.sample") for n in (1, 2)]
    opened(path).note(ONE, frames)
    assert opened(path).package("r1").files == tuple(frames)

    opened(path).cut("r1", frames)
    opened(path).lose("r1", "frame-2")

    first, second = opened(path).package("r1").files
    assert first == frames[0]
    assert second.gone
    assert second.size_bytes == 7, "its pieces keep their numbers"
