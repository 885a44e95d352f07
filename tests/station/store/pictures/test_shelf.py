"""station.store.pictures.shelf"""

from __future__ import annotations

import os
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from station.store.blobs import path_of
from station.store.pictures.holes import blank
from station.store.pictures.record import HEAD_BYTES
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.pictures.writer import CommittedEnd, PictureWriter
from tests.support.kept_pictures import pictures_on

SIZE = 20_000


def named(count: int) -> dict[str, bytes]:
    contents = (bytes([number]) * SIZE for number in range(1, count + 1))
    return {sha256(content).hexdigest(): content for content in contents}


def filled(folder: Path, count: int, segment_bytes: int = 2**26) -> dict[str, PicturePlace]:
    """So many pictures, two in each batch."""
    places: dict[str, PicturePlace] = {}
    pictures = list(named(count).items())
    with closing(PictureWriter(PictureShelf(folder), segment_bytes)) as writer:
        writer.resume(CommittedEnd())
        for at in range(0, count, 2):
            places |= writer.append(dict(pictures[at : at + 2]))
            writer.sync()
            writer.confirm()
    return places


def own_file(folder: Path, data: bytes) -> PicturePlace:
    place = PicturePlace(sha256(data).hexdigest(), len(data))
    path = path_of(folder, place.sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return place


def test_each_picture_is_read_from_its_segment_or_from_its_own_file(tmp_path: Path) -> None:
    shelf, places = PictureShelf(tmp_path), filled(tmp_path, 6)
    old = own_file(tmp_path, b"old")

    assert {name: shelf.read(place) for name, place in places.items()} == named(6)
    assert shelf.read(old) == b"old"
    assert all(shelf.has(place) for place in (*places.values(), old))


def test_what_is_at_another_place_or_nowhere_is_not_there(tmp_path: Path) -> None:
    shelf, (first, second, *_) = PictureShelf(tmp_path), filled(tmp_path, 2).values()
    swapped = PicturePlace(first.sha256, first.size_bytes, second.segment, second.offset)
    for place in (
        swapped,
        PicturePlace(first.sha256, first.size_bytes, 9, 0),
        PicturePlace(first.sha256, first.size_bytes, 1, 2**40),
        PicturePlace("0" * 64, 3),
    ):
        with pytest.raises(FileNotFoundError):
            shelf.read(place)
    assert not shelf.has(PicturePlace(first.sha256, first.size_bytes, 1, 2**40))


def test_what_a_segment_lacks_is_looked_for_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Pictures come back by copying them out of a backup."""
    shelf, places = PictureShelf(tmp_path), filled(tmp_path, 2)
    (name, place), *_ = places.items()
    shelf.segment(1).unlink()
    assert not shelf.has(place)

    own_file(tmp_path, named(2)[name])

    assert shelf.has(place)
    assert shelf.read(place) == named(2)[name]


def test_what_a_segment_has_with_other_bytes_is_looked_for_in_a_file_of_its_own(tmp_path: Path) -> None:
    shelf, places = PictureShelf(tmp_path), filled(tmp_path, 2)
    (name, place), *_ = places.items()
    with shelf.segment(1).open("r+b") as file:
        file.seek(HEAD_BYTES + 7)
        file.write(b"flipped")
    assert shelf.read(place) != named(2)[name]

    own_file(tmp_path, named(2)[name])

    assert shelf.read(place) == named(2)[name]


def test_what_lies_at_a_place_may_be_its_picture_or_nothing_any_more(tmp_path: Path) -> None:
    shelf, (first, second, *_) = PictureShelf(tmp_path), filled(tmp_path, 2).values()
    assert shelf.may_hold(first)
    assert not shelf.may_hold(PicturePlace(first.sha256, first.size_bytes, second.segment, second.offset))
    assert not shelf.may_hold(PicturePlace(first.sha256, first.size_bytes, 1, 5))
    assert not shelf.may_hold(PicturePlace(first.sha256, first.size_bytes, 9, 0))
    assert not shelf.may_hold(PicturePlace(first.sha256, first.size_bytes))

    shelf.remove([first])
    assert shelf.may_hold(first)


def test_every_record_is_found_behind_holes_zeros_and_what_is_no_record(tmp_path: Path) -> None:
    shelf, places = PictureShelf(tmp_path), list(filled(tmp_path, 8).values())
    shelf.remove(places[1:3])
    with shelf.segment(1).open("r+b") as file:
        blank(file.fileno(), places[4].offset or 0, places[4].end - (places[4].offset or 0))
        file.seek((places[6].offset or 0) + 3)
        file.write(b"damaged")
        file.seek(0, os.SEEK_END)
        file.write(b"torn" * 400_000)

    found = {at: head.sha256 for at, head in shelf.heads(1)}

    assert found == {places[n].offset: places[n].sha256 for n in (0, 3, 5, 7)}
    assert [at for at, _ in shelf.heads(1, places[5].offset or 0)] == [places[5].offset, places[7].offset]
    assert list(shelf.heads(1, 2**40)) == []


def test_removed_pictures_are_zeros_their_room_comes_back_and_their_neighbours_stay(tmp_path: Path) -> None:
    shelf, places = PictureShelf(tmp_path), filled(tmp_path, 10)
    going, staying = list(places.values())[2:8], [*list(places.values())[:2], *list(places.values())[8:]]
    before = shelf.segment(1).stat()

    shelf.remove(going)
    shelf.remove(going)  # a crash forgot that it was done

    after = shelf.segment(1).stat()
    assert after.st_size == before.st_size
    data = shelf.segment(1).read_bytes()
    assert data[going[0].offset : going[-1].end] == bytes(6 * (SIZE + 48))
    assert (before.st_blocks - after.st_blocks) * 512 > 5.5 * SIZE
    assert [shelf.read(each) for each in staying] == [named(10)[each.sha256] for each in staying]
    for each in going:
        with pytest.raises(FileNotFoundError):
            shelf.read(each)


def test_a_place_that_holds_another_picture_now_is_left_alone(tmp_path: Path) -> None:
    """Invariant 2: whatever a database says that was put back."""
    shelf, places = PictureShelf(tmp_path), filled(tmp_path, 4)
    first, second, *_ = places.values()

    shelf.remove([PicturePlace(first.sha256, first.size_bytes, second.segment, second.offset)])
    shelf.remove([PicturePlace(first.sha256, first.size_bytes, 7, 0)])

    assert pictures_on(tmp_path) == named(4)


def test_own_files_are_removed_and_one_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    shelf, old = PictureShelf(tmp_path), own_file(tmp_path, b"old")

    shelf.remove([old, PicturePlace("0" * 64, 0)])

    assert not shelf.has(old)


def test_whole_segments_go_and_their_sizes_are_told(tmp_path: Path) -> None:
    shelf = PictureShelf(tmp_path)
    assert shelf.sizes() == {}
    filled(tmp_path, 6, segment_bytes=1)
    (shelf.segments / "notes.txt").touch()
    assert shelf.sizes() == dict.fromkeys((1, 2, 3), 2 * (SIZE + 48))

    assert shelf.drop([1, 3]) == 2
    assert list(shelf.sizes()) == [2]


def test_what_is_no_file_or_longer_than_it_was_is_read_by_nobody(tmp_path: Path) -> None:
    """A link to what never ends, a pipe that nobody writes to, a file without end."""
    shelf = PictureShelf(tmp_path)
    link, pipe, long = (own_file(tmp_path, each) for each in (b"one", b"two", b"three"))
    for each in (link, pipe, long):
        path_of(tmp_path, each.sha256).unlink()
    path_of(tmp_path, link.sha256).symlink_to("/dev/zero")
    os.mkfifo(path_of(tmp_path, pipe.sha256))
    with path_of(tmp_path, long.sha256).open("wb") as file:
        file.truncate(2**40)

    assert [shelf.read(each) for each in (link, pipe, long)] == [b"", b"", bytes(6)]


def test_a_segment_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    shelf, places = PictureShelf(tmp_path / "blobs"), filled(tmp_path / "blobs", 2)
    shelf.segment(1).rename(tmp_path / "elsewhere")
    shelf.segment(1).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        shelf.read(next(iter(places.values())))
