"""agent.evidence.clips.in_flight"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.core.types import Instant
from agent.evidence.clips.files import Package, PackageFile
from agent.evidence.clips.in_flight import PackageInFlight, suffix_of
from agent.wire.pieces import PIECE_BYTES
from agent.wire.ranges import Ranges
from tests.agent.evidence.clips.test_files import STORED
from tests.support.clip_bench import wanted

FILES = (
    PackageFile("manifest.json", PIECE_BYTES + 1, b"m" * (PIECE_BYTES + 1)),
    PackageFile("footage-1-00000.age", 10, None, replace(STORED, kind="init")),
    PackageFile("footage-1-00001.age", 10, None, replace(STORED, wall_s=100.0)),
    PackageFile("footage-1-00002.age", 10, None, replace(STORED, wall_s=102.0)),
    PackageFile("footage-2-00001.age", 10, None, replace(STORED, wall_s=150.0)),
)


@pytest.fixture
def package() -> PackageInFlight:
    return PackageInFlight(wanted("q-1", 0, 60), Package(FILES), Ranges())


def test_a_piece_is_known_by_its_topic_and_those_of_others_are_not(package: PackageInFlight) -> None:
    numbers = [package.number(f"{suffix_of('q-1')}{file.name}/{piece}") for _, file, piece in package.missing()]

    assert numbers == list(range(6))
    for other in ("evidence/q-2/manifest.json/0", "evidence/q-1/manifest.json/2", "evidence/q-1/none/0"):
        assert package.number(other) is None


def test_what_has_a_receipt_is_not_missing(package: PackageInFlight) -> None:
    package.sent.add(0)
    package.sent.add(2, 4)

    assert [number for number, _, _ in package.missing()] == [1, 5]


def test_a_file_is_read_once_for_all_its_pieces(package: PackageInFlight) -> None:
    read: list[str] = []

    def reads(file: PackageFile) -> bytes:
        read.append(file.name)
        return file.body or b"c" * file.size_bytes

    bodies = [package.message(file, piece, Instant(0, 0), reads).body for _, file, piece in package.missing()]

    assert read == [file.name for file in FILES]
    assert b"".join(bodies[:2]) == FILES[0].body


def test_its_pictures_are_what_the_station_has_in_the_end(package: PackageInFlight) -> None:
    assert [each.wall_s for each in package.pictures()] == [100.0, 102.0, 150.0]


def test_no_topic_of_another_request_begins_as_one_of_this() -> None:
    begins: Callable[[str], bool] = lambda topic: topic.startswith(suffix_of("q-1"))  # noqa: E731
    assert not begins("evidence/q-10/manifest.json/0")
