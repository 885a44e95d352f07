"""station.lookup.pictures"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NgatuError
from station.lookup.pictures import PictureFolder
from station.store.database import engine_of
from station.store.pictures.rows import KeptPictures
from tests.station.ingest.test_receipts import messages
from tests.station.lookup.test_output import EVENT
from tests.support.plain_user import PLAIN
from tests.support.stores import Place

PICTURE = messages(1, 1, picture=True)[1]
NAME = str(PICTURE.image_sha256)


@pytest.fixture
def kept(sqlite_place: Place) -> Iterator[KeptPictures]:
    """Of a store of one picture."""
    with closing(sqlite_place.open()) as store:
        store.commit([PICTURE])
    with closing(
        KeptPictures(engine_of(sqlite_place.url, writes=False), sqlite_place.folder / "blobs")
    ) as made:
        yield made


def test_pictures_are_copied_under_names_for_people_and_the_row_says_where(
    kept: KeptPictures, tmp_path: Path
) -> None:
    folder = PictureFolder(tmp_path / "out", kept)

    found = folder.copy(replace(EVENT, picture=NAME, scene="0" * 64))

    assert found.picture is not None
    path = Path(found.picture)
    assert path.read_bytes() == PICTURE.raw
    assert path.name.endswith("_north_line_crossed_thumbnail_e-1.jpg")
    assert found.scene is None
    assert (folder.copied, folder.missing) == (1, 1)
    assert kept.has(NAME)


def test_a_folder_that_cannot_be_written_is_one_clear_error(kept: KeptPictures, tmp_path: Path) -> None:
    taken = tmp_path / "out"
    taken.write_text("a file where a folder should be")

    with pytest.raises(NgatuError, match=r"out.*: Not a directory") as caught:
        PictureFolder(taken, kept).copy(replace(EVENT, picture=NAME))

    assert "that you may write to" in caught.value.hint


@pytest.mark.long
def test_a_picture_that_may_not_be_read_is_told(
    kept: KeptPictures, sqlite_place: Place, tmp_path: Path
) -> None:
    segments = sqlite_place.folder / "blobs" / "segments"
    words = (
        "import sys; from pathlib import Path; from sqlalchemy import URL; from dataclasses import replace;"
        "from station.lookup.pictures import PictureFolder; from station.store.database import engine_of;"
        "from station.store.pictures.rows import KeptPictures;"
        "from tests.station.lookup.test_output import EVENT;"
        "engine = engine_of(URL.create('sqlite', database=sys.argv[1] + '/station.db'), writes=False);"
        "kept = KeptPictures(engine, Path(sys.argv[1]) / 'blobs');"
        "PictureFolder(Path(sys.argv[2]), kept).copy(replace(EVENT, picture=sys.argv[3]))"
    )
    segments.chmod(0)
    try:
        command = [*PLAIN, sys.executable, "-c", words, str(sqlite_place.folder), str(tmp_path / "out"), NAME]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        segments.chmod(0o750)

    assert "00000001.segment: Permission denied" in done.stderr
