"""station.backup.segments"""

from __future__ import annotations

import json
import os
import struct
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.backup.folder import FORMAT, BackupError
from station.backup.segments import Segment, SegmentHead, frame, head_line, heads, holes, paths
from station.ingest.inbound import InboundMessage
from tests.station.ingest.test_receipts import messages
from tests.station.store.test_store import JPEG, bytes_by

BATCHES = [
    messages(1, 1, picture=True),
    [bytes_by("camera/north/event", b"\x00\xff?", 3), bytes_by("camera/north/snapshot", JPEG, 4)],
    messages(2, 5),
]


def head(number: int = 1, *, joins: bool = True) -> SegmentHead:
    return SegmentHead("a-store", "a-run", joins, number, "", 0)


def written(path: Path, batches: list[list[InboundMessage]]) -> list[int]:
    """A file of these; the places at which its frames end."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(head_line(head()))
    ends, digest = [path.stat().st_size], Segment(path).end().digest
    for number, batch in enumerate(batches):
        data, digest = frame(digest, 1000 + number, batch)
        with path.open("ab") as file:
            file.write(data)
        ends.append(path.stat().st_size)
    return ends


def test_what_was_written_is_read_back_as_it_came(tmp_path: Path) -> None:
    """Also what could not be read when it came, and pictures with their numbers."""
    written(tmp_path / "1.journal", BATCHES)

    segment = Segment(tmp_path / "1.journal")
    found = list(segment.batches())

    assert [at_ms for at_ms, _ in found] == [1000, 1001, 1002]
    for (_, batch), came in zip(found, BATCHES, strict=True):
        assert [(each.raw, each.suffix, each.stream, each.seq, each.problem, each.image) for each in batch] == [
            (each.raw, each.suffix, each.stream, each.seq, each.problem, each.image) for each in came
        ]
    end = segment.end()
    assert (end.after_bytes, end.is_changed) == (0, False)


def test_what_was_unreadable_then_is_not_read_by_a_version_that_could(tmp_path: Path) -> None:
    (readable,) = messages(1, 1)
    set_aside = type(readable)(
        **{name: getattr(readable, name) for name in readable.__slots__}
        | {"payload": None, "event": None, "problem": "too new"}
    )
    written(tmp_path / "1.journal", [[set_aside]])

    ((_, (found,)),) = Segment(tmp_path / "1.journal").batches()

    assert (found.problem, found.event, found.payload, found.raw) == ("too new", None, None, readable.raw)


@given(st.data())
def test_wherever_a_file_is_cut_its_whole_frames_are_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "1.journal"
    ends = written(path, BATCHES)
    cut = data.draw(st.integers(ends[0], ends[-1]))
    with path.open("r+b") as file:
        file.truncate(cut)

    segment = Segment(path)
    batches, end = list(segment.batches()), segment.end()

    assert len(batches) == sum(each <= cut for each in ends) - 1
    assert (end.whole_bytes, end.is_changed) == (max(each for each in ends if each <= cut), False)


@given(st.data())
def test_a_changed_byte_ends_the_reading_before_it_and_is_told_from_a_cut(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("changed") / "1.journal"
    ends = written(path, BATCHES)
    at = data.draw(st.integers(ends[0], ends[-2] - 1))  # a frame follows it
    whole = bytearray(path.read_bytes())
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)

    segment = Segment(path)
    batches, end = list(segment.batches()), segment.end()

    assert len(batches) == sum(each <= at for each in ends) - 1
    assert end.is_changed


def test_a_frame_that_was_taken_out_breaks_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "1.journal"
    ends = written(path, BATCHES)
    whole = path.read_bytes()
    path.write_bytes(whole[: ends[0]] + whole[ends[1] :])

    segment = Segment(path)

    assert list(segment.batches()) == []
    assert segment.end().is_changed


@pytest.mark.parametrize("line", [b"", b'{"store": "a"', b"{}\n", b"\xff\n", b"[]\n", b"x" * 5000])
def test_a_file_without_a_whole_first_line_is_refused(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "1.journal").write_bytes(line)

    with pytest.raises(BackupError, match="first line is not whole"):
        Segment(tmp_path / "1.journal")
    assert heads(tmp_path) == []


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    line = head_line(head()).replace(f'"format": {FORMAT}'.encode(), b'"format": 99')
    (tmp_path / "1.journal").write_bytes(line)

    with pytest.raises(BackupError, match="newer ngatu"):
        Segment(tmp_path / "1.journal")


@pytest.mark.parametrize(("first", "found", "said"), [
    (1, [head(1), head(2)], []),
    (2, [head(1), head(2, joins=False), head(3)], []),
    (0, [head(1)], ["no journal"]),
    (3, [head(1)], ["no journal"]),
    (1, [head(2), head(3)], ["files 1 to 1"]),
    (1, [head(1), head(4)], ["files 2 to 3"]),
    (1, [head(1), head(2, joins=False)], ["without its journal"]),
])  # fmt: skip
def test_holes_are_files_that_are_missing_and_those_that_join_none(
    first: int, found: list[SegmentHead], said: list[str]
) -> None:
    words = list(holes(first, found))

    assert len(words) == len(said)
    assert all(piece in word for piece, word in zip(said, words, strict=True))


def test_files_are_in_their_order_and_nothing_else_is_one(tmp_path: Path) -> None:
    assert paths(tmp_path / "nowhere") == []
    for name in ("00000010.journal", "00000009.journal", "journal.lock"):
        (tmp_path / name).touch()

    assert [path.name for path in paths(tmp_path)] == ["00000009.journal", "00000010.journal"]


GOOD = {"commune": "hai-ninh", "device": "north-01", "suffix": "camera/north/event", "stream": "s", "seq": 1}


@pytest.mark.parametrize(
    "payload",
    [
        b"no json\nbytes",
        b"[]\n",
        b'{"messages": []}\n',
        b"[" * 100_000 + b"\n",
        json.dumps({"at_ms": "x", "messages": []}).encode() + b"\n",
        json.dumps({"at_ms": 10**25, "messages": []}).encode() + b"\n",
        json.dumps({"at_ms": 1, "messages": [GOOD | {"problem": None, "bytes": -5}]}).encode() + b"\n{}",
        json.dumps({"at_ms": 1, "messages": [GOOD | {"commune": "..", "bytes": 2}]}).encode() + b"\n{}",
    ],
)
def test_a_whole_frame_that_no_station_wrote_ends_the_reading_as_a_change(
    tmp_path: Path, payload: bytes
) -> None:
    end = written(tmp_path / "1.journal", BATCHES)[-1]
    digest = Segment(tmp_path / "1.journal").end().digest
    own = sha256(bytes.fromhex(digest) + payload).digest()
    with (tmp_path / "1.journal").open("ab") as file:
        file.write(struct.pack(">4sII32s", b"NGJ1", len(payload), zlib.crc32(payload), own) + payload)

    segment = Segment(tmp_path / "1.journal")

    assert len(list(segment.batches())) == len(BATCHES)
    assert (segment.end().whole_bytes, segment.end().is_changed) == (end, True)


def test_a_pipe_among_the_files_is_none_of_them(tmp_path: Path) -> None:
    written(tmp_path / "1.journal", BATCHES)
    os.mkfifo(tmp_path / "2.journal")

    assert [path.name for path in paths(tmp_path)] == ["1.journal"]


def test_a_first_line_with_other_kinds_of_values_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "1.journal", [])
    text = (tmp_path / "1.journal").read_text()
    (tmp_path / "1.journal").write_text(text.replace('"number": 1', '"number": "1"'))

    with pytest.raises(BackupError, match="first line is not whole"):
        Segment(tmp_path / "1.journal")
