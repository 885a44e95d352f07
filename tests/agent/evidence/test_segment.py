"""agent.evidence.segment: a file that is whole up to a cut, and nothing after it is believed."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.evidence import segment
from agent.evidence.fragment import StoredFragment
from agent.evidence.segment import (
    Header,
    SegmentWriter,
    goes_on,
    mend,
    read_body,
    read_segment,
    segment_name,
    segment_number,
)
from tests.support.footage import NOON_S


def stored(kind: str, at_s: float, cipher: bytes) -> StoredFragment:
    digest = hashlib.sha256(cipher).hexdigest()
    return StoredFragment(
        "north", "run-1", kind, 1, 0, len(cipher), Instant(100.0 + at_s, NOON_S + at_s), "boot", NOON_S + at_s,
        "ntp", 0.0 if kind == "init" else 2.0, True, "h264", 640, 480, "0" * 64, digest, "1" * 64,
        "encoded from masked pictures", "2" * 64,
    )  # fmt: skip


def write(path: Path, finish: bool = True) -> list[int]:
    """A segment of an init and three pieces; where each record ends."""
    writer = SegmentWriter(path, Header("north", 1, "boot", "run-1", "", "a" * 64))
    writer.open()
    ends = [writer.size]
    for number, kind in enumerate(("init", "media", "media", "media")):
        cipher = bytes([number]) * 50
        writer.append(stored(kind, 2.0 * number, cipher), cipher)
        ends.append(writer.size)
    if finish:
        writer.finish()
        ends.append(writer.size)
    writer.close()
    return ends


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1)
    write(path)

    lies = read_segment(path)

    assert lies is not None
    assert (lies.ended, lies.torn, lies.header.previous) == (True, False, "a" * 64)
    assert [each.kind for each in lies.fragments] == ["init", "media", "media", "media"]
    assert [read_body(path, each) for each in lies.media] == [bytes([n]) * 50 for n in (1, 2, 3)]
    link = lies.link
    assert (link.start.mono_ms, link.end.mono_ms) == (102_000, 108_000)
    assert [part.at_ms for part in link.parts] == [0, 2000, 4000]


@pytest.mark.long
def test_a_cut_at_any_byte_leaves_what_was_whole_before_it(tmp_path: Path) -> None:
    path, ends = tmp_path / "whole.seg", []
    ends = write(path)
    data = path.read_bytes()
    for cut in range(len(data)):
        torn = tmp_path / "torn.seg"
        torn.write_bytes(data[:cut])

        lies = read_segment(torn, check=True)

        if cut < ends[0]:
            assert lies is None
            continue
        assert lies is not None
        assert len(lies.fragments) == sum(end <= cut for end in ends[1:5])
        assert lies.bytes == max(end for end in ends if end <= cut)
        mend(torn, lies)
        mended = read_segment(torn, check=True)
        assert mended is not None
        assert (mended.ended, mended.torn, mended.fragments) == (True, False, lies.fragments)


@given(st.data())
def test_a_flipped_bit_anywhere_is_never_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("segment")
    ends = write(folder / "x.seg")
    whole = read_segment(folder / "x.seg", check=True)
    spoiled = bytearray((folder / "x.seg").read_bytes())
    at = data.draw(st.integers(ends[0], len(spoiled) - 1))
    spoiled[at] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "x.seg").write_bytes(spoiled)

    lies = read_segment(folder / "x.seg", check=True)

    assert lies is not None
    assert whole is not None
    assert lies.fragments == whole.fragments[: sum(end <= at for end in ends[1:5])]


def test_a_body_that_is_not_what_was_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.seg"
    write(path)
    lies = read_segment(path)
    assert lies is not None
    spoiled = bytearray(path.read_bytes())
    spoiled[lies.media[0].position] ^= 1
    path.write_bytes(spoiled)

    with pytest.raises(ValueError, match="not what was written"):
        read_body(path, lies.media[0])


def test_a_write_that_fails_half_way_is_cut_off_again(tmp_path: Path) -> None:
    path = tmp_path / "x.seg"
    writer = SegmentWriter(path, Header("north", 1, "boot", "run-1"))
    writer.open()
    writer.append(stored("init", 0, b"i" * 50), b"i" * 50)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    pid = os.fork()
    if pid == 0:  # the limit is of a process
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (writer.size + 1000, before[1]))
        try:
            writer.append(stored("media", 0, b"m" * 5000), b"m" * 5000)
        except OSError as error:
            os._exit(0 if error.errno == errno.EFBIG and path.stat().st_size == writer.size else 3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    writer.append(stored("media", 0, b"m" * 5000), b"m" * 5000)
    writer.finish()

    lies = read_segment(path, check=True)
    assert lies is not None
    assert [each.bytes for each in lies.fragments] == [50, 5000]


def test_an_existing_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "x.seg"
    path.write_bytes(b"something")
    with pytest.raises(FileExistsError):
        SegmentWriter(path, Header("north", 1, "boot", "run-1")).open()
    assert path.read_bytes() == b"something"


@pytest.mark.long
def test_a_cut_is_told_from_damage_by_the_end(tmp_path: Path) -> None:
    path = tmp_path / segment_name(1)
    ends = write(path)
    whole = path.read_bytes()
    for cut in range(ends[0], len(whole), 7):
        path.write_bytes(whole[:cut] + bytes(20))
        assert not goes_on(path, 0, "end")
    for at in range(ends[0], len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        lies = read_segment(path, check=True)
        assert lies is not None
        assert goes_on(path, lies.bytes, "end") == (at < ends[-2]), "the end comes after the damage"
    path.write_bytes(b"ngR1e" * 100)
    assert not goes_on(path, 0, "end")


@pytest.mark.parametrize("read_bytes", [5, 64, 97])
def test_what_follows_a_damage_is_found_wherever_one_read_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_bytes: int
) -> None:
    monkeypatch.setattr(segment, "READ_BYTES", read_bytes)
    path = tmp_path / segment_name(1)
    ends = write(path, finish=False)
    for at in range(ends[-3] + 1, ends[-2] + 1):
        assert goes_on(path, at)
    assert not goes_on(path, ends[-2] + 1), "inside of the last record"


def test_names_are_in_the_order_of_numbers() -> None:
    numbers = [1, 9, 10, 123_456, 9_999_999]
    assert sorted(map(segment_name, numbers)) == [segment_name(number) for number in numbers]
    assert [segment_number(segment_name(number)) for number in numbers] == numbers
    assert segment_number("index.db") is None
    assert segment_number("²²²²²²²²²².seg") is None


def test_the_pieces_are_on_disk_before_the_end_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / segment_name(1)
    writer = SegmentWriter(path, Header("north", 1, "boot", "run-1", "", "a" * 64))
    writer.open()
    for number, kind in enumerate(("init", "media")):
        writer.append(stored(kind, 2.0 * number, b"x" * 50), b"x" * 50)
    synced: list[bool] = []
    inner = os.fdatasync

    def fdatasync(fd: int) -> None:
        lies = read_segment(path)
        assert lies is not None
        synced.append(lies.ended)
        inner(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    writer.finish()

    assert synced == [False, True]
