"""models.label.outbound"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from models.dataset.coco import read_coco
from models.label.outbound import Outbound
from models.label.sheet import LabelSheet
from models.label.workplace import Workplace
from tests.support.brokers import until
from tests.support.labelled import NAMES, pictures


def test_what_is_done_is_written_soon_and_the_rest_at_the_end(tmp_path: Path) -> None:
    with closing(Workplace(pictures(tmp_path))) as workplace:
        one, two, *_ = [each["id"] for each in workplace.store.summaries()]
        outbound = Outbound(workplace)
        outbound.start()
        workplace.store.save(one, LabelSheet(state="done"), 0)
        outbound.changed()
        until((tmp_path / "instances.json").exists)
        assert [image.path.name for image in read_coco(tmp_path).images] == [NAMES[0]]

        workplace.store.save(two, LabelSheet(state="done"), 0)
        outbound.changed()
        outbound.stop()
    assert [image.path.name for image in read_coco(tmp_path).images] == list(NAMES[:2])
    assert outbound.name == str(tmp_path / "instances.json")


def test_a_file_that_cannot_be_written_is_told_until_it_can(tmp_path: Path) -> None:
    with closing(Workplace(pictures(tmp_path))) as workplace:
        outbound = Outbound(workplace)
        outbound.start()
        workplace.store.save(workplace.store.summaries()[0]["id"], LabelSheet(state="done"), 0)
        (tmp_path / ".instances.json.new").mkdir()
        outbound.changed()
        until(lambda: outbound.error)
        shutil.rmtree(tmp_path / ".instances.json.new")
        outbound.stop()

        assert outbound.error is None
