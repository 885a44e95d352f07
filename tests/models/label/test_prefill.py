"""models.label.prefill"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image as Pictures

from agent.core.types import Detection, Image
from agent.errors import ModelError
from models.label.prefill import Prefill, decoded
from models.label.sheet import DrawnBox, LabelSheet
from models.label.workplace import Workplace
from tests.models.label.test_proposer import MarkReader
from tests.support.brokers import until
from tests.support.labelled import NAMES, picture, pictures


def marked(folder: Path) -> Path:
    """Pictures with a red car each."""
    for name in NAMES:
        image = Pictures.new("RGB", (640, 360))
        image.paste((255, 0, 0), (100, 100, 200, 160))
        folder.mkdir(exist_ok=True)
        image.save(folder / name, quality=95)
    return folder


def test_every_picture_that_nobody_touched_gets_proposals_and_no_label(tmp_path: Path) -> None:
    with closing(Workplace(marked(tmp_path / "set"))) as workplace:
        touched = workplace.store.summaries()[0]["id"]
        workplace.store.save(
            touched, LabelSheet(boxes=(DrawnBox(label="car", left=1, top=1, right=9, bottom=9),)), 0
        )
        prefill = Prefill(workplace, MarkReader())
        prefill.start()
        until(lambda: not prefill.running)
        prefill.stop()

        assert [each["proposals"] for each in workplace.store.summaries()] == [0, 1, 1, 1]
        assert workplace.dataset().images == ()
        found = workplace.store.picture(workplace.store.summaries()[1]["id"])
        assert found is not None
        assert found.sheet.proposals[0].label == "car"
        assert found.sheet.proposals[0].left == pytest.approx(100, abs=3)


class BrokenNetwork(MarkReader):
    """As a file whose network fails."""

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        raise ModelError("the network failed")


def test_a_network_that_fails_is_told_and_ends_the_looking(tmp_path: Path) -> None:
    with closing(Workplace(pictures(tmp_path))) as workplace:
        prefill = Prefill(workplace, BrokenNetwork())
        prefill.start()
        until(lambda: not prefill.running)

        assert str(prefill.error) == "the network failed"
        prefill.stop()


def test_a_picture_that_breaks_off_is_passed_over(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / NAMES[0]).write_bytes((tmp_path / NAMES[0]).read_bytes()[:700])
    with closing(Workplace(tmp_path)) as workplace:
        prefill = Prefill(workplace, MarkReader())
        prefill.start()
        until(lambda: not prefill.running)
        prefill.stop()

        assert prefill.error is None
        assert workplace.store.without_proposals("0" * 64) is None


def test_a_picture_is_decoded_as_it_is_shown(tmp_path: Path) -> None:
    exif = Pictures.Exif()
    exif[274] = 6
    Pictures.new("RGB", (30, 20)).save(tmp_path / "turned.jpg", exif=exif)

    assert decoded(tmp_path / "turned.jpg").shape == (30, 20, 3)
    assert decoded(picture(tmp_path / "x.png", 64, 48)).shape == (48, 64, 3)
    for content in (b"", b"no picture"):
        (tmp_path / "bad.jpg").write_bytes(content)
        with pytest.raises(ModelError, match="cannot be decoded"):
            decoded(tmp_path / "bad.jpg")
