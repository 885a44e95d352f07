"""station.store.pictures.writer"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from station.store.pictures import writer as module
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.pictures.writer import CommittedEnd, OrphanRemoval, PictureWriter
from tests.acceptance.faults.crash_disk import Op, after_a_cut
from tests.support.kept_pictures import pictures_on


def named(*contents: bytes) -> dict[str, bytes]:
    return {sha256(content).hexdigest(): content for content in contents}


@pytest.fixture
def shelf(tmp_path: Path) -> PictureShelf:
    return PictureShelf(tmp_path / "blobs")


@pytest.fixture
def writer(shelf: PictureShelf) -> Iterator[PictureWriter]:
    with closing(PictureWriter(shelf)) as made:
        made.resume(CommittedEnd())
        yield made


def put(writer: PictureWriter, *contents: bytes, confirmed: bool = True) -> PicturePlace:
    """One batch; the place of the last of it."""
    places = writer.append(named(*contents))
    writer.sync()
    if confirmed:
        writer.confirm()
    return places[sha256(contents[-1]).hexdigest()]


def end_of(place: PicturePlace) -> CommittedEnd:
    assert place.segment is not None
    return CommittedEnd(place.segment, place.end)


def test_pictures_lie_one_behind_the_other_and_may_be_read_by_the_group_alone(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    first = put(writer, b"one", b"two")
    second = put(writer, b"three")

    assert (first.segment, second.segment, second.offset) == (1, 1, first.end)
    assert pictures_on(shelf.folder) == named(b"one", b"two", b"three")
    assert shelf.segment(1).stat().st_mode & 0o777 == 0o640
    assert writer.append({}) == {}


def test_a_new_segment_is_begun_when_one_is_full_and_not_within_a_batch(shelf: PictureShelf) -> None:
    with closing(PictureWriter(shelf, segment_bytes=100)) as writer:
        writer.resume(CommittedEnd())
        places = [put(writer, *(b"%d-%d" % (batch, number) * 20 for number in range(3))) for batch in range(3)]

    assert [each.segment for each in places] == [1, 2, 3]
    assert len(pictures_on(shelf.folder)) == 9


def test_it_goes_on_behind_what_is_committed_and_cuts_off_what_is_not(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    """Invariant 3."""
    kept = put(writer, b"kept")
    put(writer, b"lost", b"lost, too")
    writer.close()
    assert not writer.is_ready

    assert writer.resume(end_of(kept)) == OrphanRemoval(removed=2)

    assert put(writer, b"next").offset == kept.end
    assert pictures_on(shelf.folder) == named(b"kept", b"next")


def test_half_a_record_is_cut_off(writer: PictureWriter, shelf: PictureShelf) -> None:
    kept = put(writer, b"kept")
    put(writer, b"torn" * 100)
    with shelf.segment(1).open("r+b") as file:
        file.truncate(kept.end + 90)
    writer.close()

    writer.resume(end_of(kept))

    assert shelf.segment(1).stat().st_size == kept.end


def test_nothing_is_appended_behind_what_nobody_confirmed(writer: PictureWriter) -> None:
    """Invariant 2."""
    put(writer, b"one")
    put(writer, b"two", confirmed=False)
    with pytest.raises(AssertionError, match="nobody confirmed"):
        writer.append(named(b"three"))

    writer.doubt()
    assert not writer.is_ready
    writer.confirm()
    assert not writer.is_ready, "a later transaction says nothing of this one"


def test_a_transaction_that_fails_without_pictures_leaves_no_doubt(writer: PictureWriter) -> None:
    put(writer, b"one")
    writer.doubt()
    assert writer.is_ready


def test_a_picture_whose_commit_was_in_doubt_and_is_there_stays(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    place = put(writer, b"one", confirmed=False)
    writer.doubt()

    assert writer.resume(end_of(place)) == OrphanRemoval()
    put(writer, b"two")

    assert pictures_on(shelf.folder) == named(b"one", b"two")


def test_more_orphans_than_a_crash_leaves_are_spared(
    writer: PictureWriter, shelf: PictureShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 3: an empty database beside full segments must not empty them."""
    monkeypatch.setattr(module, "MAX_ORPHANS", 2)
    put(writer, b"1", b"2", b"3")
    writer.close()

    assert writer.resume(CommittedEnd()) == OrphanRemoval(spared=3)

    assert put(writer, b"4").segment == 2
    assert len(pictures_on(shelf.folder)) == 4


def test_no_more_is_read_of_another_stores_segments_than_tells_them_apart(
    shelf: PictureShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start takes as long with a million pictures beside it."""
    monkeypatch.setattr(module, "MAX_ORPHANS", 2)
    with closing(PictureWriter(shelf, segment_bytes=1)) as writer:
        writer.resume(CommittedEnd())
        for number in range(9):
            put(writer, b"%d" % number)
    opened: list[int] = []
    real = shelf.segment
    monkeypatch.setattr(shelf, "segment", lambda number: opened.append(number) or real(number))

    with closing(PictureWriter(shelf)) as writer:
        assert writer.resume(CommittedEnd()) == OrphanRemoval(spared=3)

    assert opened == [1, 2, 3, 10]


def test_where_another_picture_lies_than_the_last_row_says_nothing_is_cut_off(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    """Invariant 3: the rows are another store's, however few the pictures are."""
    put(writer, b"one", b"two", b"three")
    writer.close()
    foreign = PicturePlace(sha256(b"els").hexdigest(), 3, 1, 51)

    assert writer.resume(CommittedEnd(1, foreign.end, foreign)) == OrphanRemoval(spared=1)

    assert put(writer, b"next").segment == 2
    assert pictures_on(shelf.folder) == named(b"one", b"two", b"three", b"next")


def test_a_last_picture_that_is_removed_already_is_none_of_another_store(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    last = put(writer, b"one" * 100)
    shelf.remove([last])
    writer.close()

    writer.resume(CommittedEnd(1, last.end, last))

    assert put(writer, b"two").offset == last.end


def test_a_segment_of_which_no_row_is_left_gives_its_number_to_no_other(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    """Invariant 4: a removal that is still to be made names it."""
    place = put(writer, b"one")
    writer.close()
    shelf.segment(1).unlink()

    writer.resume(end_of(place))

    assert put(writer, b"two").segment == 2


def test_a_segment_that_is_shorter_than_its_rows_say_is_not_written_again(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    place = put(writer, b"one" * 100)
    with shelf.segment(1).open("r+b") as file:
        file.truncate(60)
    writer.close()

    writer.resume(end_of(place))

    assert put(writer, b"two").segment == 2
    assert shelf.segment(1).stat().st_size == 60


@pytest.mark.parametrize("gone", [".", "segments"])
def test_a_folder_that_somebody_removed_is_made_again(
    writer: PictureWriter, shelf: PictureShelf, gone: str
) -> None:
    """Invariant 5."""
    place = put(writer, b"one")
    assert writer.is_ready
    shutil.rmtree(shelf.folder / gone)
    assert not writer.is_ready

    writer.resume(end_of(place))

    assert put(writer, b"two").segment == 2
    assert pictures_on(shelf.folder) == named(b"two")


def test_a_file_in_the_place_of_the_folder_is_an_error_and_not_taken_for_it(
    writer: PictureWriter, shelf: PictureShelf
) -> None:
    shutil.rmtree(shelf.folder)
    shelf.folder.write_text("no folder")

    assert not writer.is_ready
    with pytest.raises(OSError, match="blobs"):
        writer.resume(CommittedEnd())


def test_a_full_disk_leaves_half_a_batch_that_the_next_one_takes_the_place_of(
    writer: PictureWriter, shelf: PictureShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put(writer, b"kept")
    real = module.os.pwrite

    def full(descriptor: int, data: memoryview, offset: int) -> int:
        if offset > kept.end:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:50], offset)

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            writer.append(named(b"lost" * 100))
    writer.doubt()

    writer.resume(end_of(kept))
    assert put(writer, b"next").offset == kept.end
    assert pictures_on(shelf.folder) == named(b"kept", b"next")


@dataclass
class Watched:
    """What a writer and a shelf do to one folder, as crash_disk.py wants it told."""

    folder: Path
    ops: list[Op] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def name(self, path: object) -> str:
        return str(Path(str(path)).relative_to(self.folder))

    def opened(self, real: Callable[..., int], path: object, flags: int, *mode: int) -> int:
        is_new = not Path(str(path)).exists()
        descriptor = real(path, flags, *mode)
        if Path(str(path)).is_relative_to(self.folder):
            name = self.name(path) if Path(str(path)) != self.folder else ""
            self.names[descriptor] = name
            if is_new and flags & os.O_CREAT:
                self.ops.append(Op("create", name))
        return descriptor

    def written(self, real: Callable[..., int], descriptor: int, data: bytes, offset: int) -> int:
        count = real(descriptor, data, offset)
        self.ops.append(Op("write", self.names[descriptor], offset, bytes(data)[:count]))
        return count

    def synced(self, real: Callable[[int], None], descriptor: int) -> None:
        real(descriptor)
        name = self.names[descriptor]
        is_folder = (self.folder / name).is_dir()
        self.ops.append(Op("sync folder" if is_folder else "sync", name))

    def cut(self, real: Callable[[int, int], None], descriptor: int, length: int) -> None:
        real(descriptor, length)
        self.ops.append(Op("truncate", self.names[descriptor], length))

    def made(self, real: Callable[..., None], path: object, *more: object, **words: object) -> None:
        real(path, *more, **words)
        if Path(str(path)) != self.folder:
            self.ops.append(Op("make folder", self.name(path)))

    def removed(self, real: Callable[..., None], path: object, **words: object) -> None:
        real(path, **words)
        self.ops.append(Op("unlink", self.name(path)))


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """The machine's disk calls, noted down as they are made."""
    seen = Watched(folder)
    calls = {
        "open": seen.opened, "pwrite": seen.written, "fdatasync": seen.synced, "fsync": seen.synced,
        "ftruncate": seen.cut, "mkdir": seen.made, "unlink": seen.removed,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, note in calls.items():
            patch.setattr(os, name, partial(note, getattr(os, name)))
        yield seen


@dataclass(frozen=True)
class Life:
    """What a station's database said after each of its steps: the place in the record, and its rows."""

    ops: list[Op]
    rows: list[tuple[int, dict[str, PicturePlace]]]


def lived(folder: Path, seed: int, *, synced: bool = True) -> Life:
    """A station that appends, fails now and then, starts anew, and removes segments that nothing names."""
    chance, number = random.Random(seed), 0
    shelf = PictureShelf(folder / "blobs")
    rows: dict[str, PicturePlace] = {}
    states: list[tuple[int, dict[str, PicturePlace]]] = []
    with watched(folder) as seen, closing(PictureWriter(shelf, segment_bytes=9_000)) as writer:
        if not synced:
            writer.sync = lambda: None  # type: ignore[method-assign]
        for _ in range(25):
            if not writer.is_ready or chance.random() < 0.1:
                writer.resume(end_of_rows(rows))
            contents = [
                b"%d " % (number + each) * chance.randint(30, 900) for each in range(chance.randint(1, 4))
            ]
            number += len(contents)
            places = writer.append(named(*contents))
            writer.sync()
            if chance.random() < 0.15:
                writer.doubt()
                continue
            rows = rows | places
            states.append((len(seen.ops), rows))  # the database has committed
            writer.confirm()
            if chance.random() < 0.2 and len(shelf.sizes()) > 2:
                oldest = min(shelf.sizes())
                rows = {name: place for name, place in rows.items() if place.segment != oldest}
                states.append((len(seen.ops), rows))
                shelf.drop([oldest])
    return Life(seen.ops, states)


def end_of_rows(rows: dict[str, PicturePlace]) -> CommittedEnd:
    return max(
        (end_of(place) for place in rows.values()),
        key=lambda end: (end.segment, end.end),
        default=CommittedEnd(),
    )


def lost(life: Life, disk: Path, chance: random.Random) -> tuple[int, int]:
    """After a cut behind each step: how many pictures with rows were not there any more, and of how many."""
    missing = wanted = 0
    for cut in range(1, len(life.ops) + 1):
        rows: dict[str, PicturePlace] = next((each for at, each in reversed(life.rows) if at <= cut), {})
        shutil.rmtree(disk, ignore_errors=True)
        (disk / "blobs").mkdir(parents=True)
        for name, content in after_a_cut(life.ops[:cut], chance).items():
            (disk / name).parent.mkdir(parents=True, exist_ok=True)
            (disk / name).write_bytes(content)
        shelf = PictureShelf(disk / "blobs")
        with closing(PictureWriter(shelf)) as writer:
            writer.resume(end_of_rows(rows))
            more = put(writer, b"one more")
        for place in (*rows.values(), more):
            wanted += 1
            try:
                missing += sha256(shelf.read(place)).hexdigest() != place.sha256
            except FileNotFoundError:
                missing += 1
    return missing, wanted


@pytest.mark.parametrize("seed", range(4))
def test_no_picture_with_a_row_is_lost_by_a_power_cut_after_any_step(tmp_path: Path, seed: int) -> None:
    """Invariants 1 to 3. Which disks a cut may leave: tests/acceptance/faults/crash_disk.py."""
    (tmp_path / "state").mkdir()
    life = lived(tmp_path / "state", seed)

    missing, wanted = lost(life, tmp_path / "disk", random.Random(seed))

    assert {op.kind for op in life.ops} >= {"create", "make folder", "write", "sync", "sync folder", "unlink"}
    assert wanted > 500
    assert missing == 0


def test_without_the_sync_pictures_are_lost(tmp_path: Path) -> None:
    """Else the test above is blind."""
    (tmp_path / "state").mkdir()
    life = lived(tmp_path / "state", 1, synced=False)

    assert lost(life, tmp_path / "disk", random.Random(1))[0] > 0
