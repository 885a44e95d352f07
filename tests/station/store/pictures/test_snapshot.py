"""station.store.pictures.snapshot"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from station.store.pictures.snapshot import KeptSnapshot
from tests.station.ingest.test_receipts import messages
from tests.support.backups import config, keep
from tests.support.plain_user import PLAIN

PICTURE = messages(1, 1, picture=True)[1]


def test_a_picture_that_is_kept_is_told_and_read(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, [PICTURE])

    with closing(KeptSnapshot(settings, str(PICTURE.image_sha256))) as kept:
        assert kept.is_kept(0.0) is True
        assert kept.read() == PICTURE.raw
    with closing(KeptSnapshot(settings, "0" * 64)) as other:
        assert other.is_kept(0.0) is False
        assert other.read() is None


def test_where_no_store_is_nothing_is_kept_and_nothing_is_made(tmp_path: Path) -> None:
    with closing(KeptSnapshot(config(tmp_path / "state"), "0" * 64)) as kept:
        assert kept.is_kept(0.0) is False
        assert kept.read() is None
    assert not (tmp_path / "state").exists()


@pytest.mark.long
def test_who_may_not_look_learns_nothing(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, [PICTURE])
    settings.state_dir.chmod(0)
    words = (
        "import sys; from pathlib import Path; from station.config import parse;"
        "from station.store.pictures.snapshot import KeptSnapshot;"
        "text = f'commune: hai-ninh\\nstate_dir: {sys.argv[1]}\\n';"
        "print(KeptSnapshot(parse(text.encode(), 'x'), '0' * 64).is_kept(0.0))"
    )
    command = [*PLAIN, sys.executable, "-c", words, str(settings.state_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "None\n"
