"""agent.evidence.clips.files"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.evidence.clips.files import Package, PackageFile, file_at, place_json
from agent.evidence.fragment import StoredFragment
from agent.wire.pieces import PIECE_BYTES
from agent.wire.ranges import Ranges

STORED = StoredFragment(
    camera="north",
    run="run-1",
    kind="media",
    segment=4,
    position=512,
    bytes=3 * PIECE_BYTES,
    start=Instant(7.5, 100.25),
    boot="boot-1",
    wall_s=100.5,
    clock="ntp",
    duration_s=2.0,
    key=True,
    codec="h264",
    width_px=1920,
    height_px=1080,
    sha256="a" * 64,
    cipher_sha256="b" * 64,
    init_sha256="c" * 64,
    recorded="encoded",
    mask_sha256=None,
)


def test_where_a_file_lies_is_read_as_it_was_noted() -> None:
    for file in (
        PackageFile("a", 9, None, STORED),
        PackageFile("a", 2, b"{}"),
        PackageFile("a", 7, None, frame="1.road.rare_scene.0x0.3.700.id.sample.age"),
    ):
        assert file_at(file.name, file.size_bytes, file.body, place_json(file)) == file
        assert not file.gone
    assert PackageFile("a", 9, None).gone


@given(st.lists(st.integers(0, 3 * PIECE_BYTES + 2), max_size=6), st.data())
def test_pieces_are_counted_through_all_files(sizes: list[int], data: st.DataObject) -> None:
    package = Package(tuple(PackageFile(f"f{place}", size, None) for place, size in enumerate(sizes)))

    every = list(package.every())
    some = data.draw(st.sets(st.integers(0, max(0, len(every) - 1)))) if every else set()

    assert len(every) == package.parts
    assert [package.number_of(each.file.name, each.number) for each in every] == list(range(len(every)))
    lengths = [len(each.of(bytes(each.file.size_bytes))) for each in every]
    assert sum(lengths) == package.size_bytes
    assert package.bytes_of(Ranges((n, n) for n in some)) == sum(lengths[n] for n in some)
    assert package.number_of("nowhere", 0) is None
