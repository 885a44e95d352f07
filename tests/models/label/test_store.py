"""models.label.store"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import ModelError
from models.label.sheet import DrawnBox, LabelSheet, ProposedBox
from models.label.store import FILE, LabelStore, PictureRow, StaleSheet

BOX = DrawnBox(label="car", left=1, top=2, right=30.5, bottom=40)
PROPOSED = ProposedBox(label="car", left=1, top=2, right=30.5, bottom=40, score=0.5)


def row(name: str, **values: object) -> PictureRow:
    return PictureRow(0, name, "cam", None, "", 640, 360, str(values.get("fault", "")), LabelSheet(), "", 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with closing(LabelStore(tmp_path)) as made:
        made.take_in([row("a.jpg"), row("b.jpg")])
        yield made


def numbers(store: LabelStore) -> list[int]:
    return [each["id"] for each in store.summaries()]


def test_what_was_saved_is_there_after_it_was_closed(store: LabelStore, tmp_path: Path) -> None:
    first, _ = numbers(store)
    sheet = LabelSheet(state="done", boxes=(BOX,), proposals=(PROPOSED,))

    assert store.save(first, sheet, 0) == 1
    store.close()
    with closing(LabelStore(tmp_path)) as again:
        kept = again.picture(first)

    assert kept is not None
    assert (kept.sheet, kept.version, kept.name) == (sheet, 1, "a.jpg")


def test_a_sheet_is_saved_only_over_the_version_that_its_writer_saw(store: LabelStore) -> None:
    first, _ = numbers(store)
    store.save(first, LabelSheet(boxes=(BOX,)), 0)

    with pytest.raises(StaleSheet):
        store.save(first, LabelSheet(), 0)
    with pytest.raises(StaleSheet):
        store.save(999, LabelSheet(), 0)
    kept = store.picture(first)
    assert kept is not None
    assert kept.sheet.boxes == (BOX,)


def test_of_many_writers_of_one_version_one_is_heard(store: LabelStore) -> None:
    first, _ = numbers(store)
    heard: list[int] = []

    def write() -> None:
        try:
            heard.append(store.save(first, LabelSheet(boxes=(BOX,)), 0))
        except StaleSheet:
            heard.append(0)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(heard) == [0] * 7 + [1]


def test_proposals_come_only_to_what_nobody_has_touched(store: LabelStore) -> None:
    first, second = numbers(store)
    store.save(first, LabelSheet(), 0)
    store.propose(first, "model", [PROPOSED])
    store.propose(second, "model", [PROPOSED])

    touched, fresh = store.picture(first), store.picture(second)
    assert touched is not None
    assert fresh is not None
    assert touched.sheet.proposals == ()
    assert (fresh.sheet.proposals, fresh.version) == ((PROPOSED,), 0)
    assert store.done() == []


def test_the_next_without_proposals_is_what_somebody_looks_at(store: LabelStore) -> None:
    first, second = numbers(store)

    for wanted, expected in ((second, second), (0, first)):
        found = store.without_proposals("model", wanted)
        assert found is not None
        assert found.id == expected
        store.propose(expected, "model", ())
    assert store.without_proposals("model") is None
    assert store.without_proposals("a better one") is not None


def test_changes_are_told_since_a_revision(store: LabelStore) -> None:
    first, second = numbers(store)
    before = store.revision
    store.save(second, LabelSheet(state="unsure"), 0)

    assert [each["id"] for each in store.summaries(before)] == [second]
    assert store.summaries(store.revision) == []
    store.save(first, LabelSheet(state="done"), 0)
    assert [each["state"] for each in store.summaries()] == ["done", "unsure"]


def test_a_picture_whose_file_is_gone_is_hidden_and_comes_back_with_its_labels(store: LabelStore) -> None:
    first, second = numbers(store)
    store.save(first, LabelSheet(state="done", boxes=(BOX,)), 0)

    store.keep_only(["b.jpg"])
    assert (numbers(store), store.done()) == ([second], [])
    store.keep_only(["a.jpg", "b.jpg"])
    store.take_in([row("a.jpg")])
    assert [each.sheet.boxes for each in store.done()] == [(BOX,)]


KILLED = """
import sys
from pathlib import Path
from models.label.sheet import DrawnBox, LabelSheet
from models.label.store import LabelStore
store = LabelStore(Path(sys.argv[1]))
for version in range(10**6):
    box = DrawnBox(label="car", left=0, top=0, right=1 + version, bottom=1)
    store.save(1, LabelSheet(boxes=(box,) * 20), version)
    print(version + 1, flush=True)
"""


def test_killed_in_the_middle_of_a_save_the_last_one_that_was_confirmed_is_there_whole(
    store: LabelStore, tmp_path: Path
) -> None:
    store.close()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        confirmed = [int(process.stdout.readline()) for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        confirmed += [int(line) for line in process.stdout.read().splitlines() if line]

    with closing(LabelStore(tmp_path)) as again:
        kept = again.picture(1)

    assert kept is not None
    assert kept.version in (confirmed[-1], confirmed[-1] + 1)
    assert {box.right for box in kept.sheet.boxes} == {float(kept.version)}


def test_what_is_no_such_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database, but something else that is long enough" * 20)

    with pytest.raises(ModelError, match=r"labels\.sqlite3: cannot be opened"):
        LabelStore(tmp_path)


def test_facts_are_noted(store: LabelStore) -> None:
    store.note("licence", "CC0-1.0")
    store.note("licence", "CC-BY-4.0")

    assert (store.fact("licence"), store.fact("nothing")) == ("CC-BY-4.0", "")
