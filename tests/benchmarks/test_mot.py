"""benchmarks.mot: folders of MOTChallenge as they are downloaded"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import NgatuError
from benchmarks import mot, tracking

SEQINFO = "[Sequence]\nname=X-01\nframeRate=25\nseqLength=3\nimWidth=640\nimHeight=480\n"
TRUTH = "1,1,10,20,30,40,1,-1,-1,-1\n2,1,12,20,30,40,1,-1,-1,-1\n"
FOUND = "1,-1,10,20,30,40,0.9,-1,-1,-1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As in train/ of MOT15 to MOT20."""
    place = tmp_path / "train" / "X-01"
    for name, text in (("seqinfo.ini", SEQINFO), ("gt/gt.txt", TRUTH), ("det/det.txt", FOUND)):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def test_a_folder_its_parent_and_the_whole_data_set_name_the_same_sequences(folder: Path) -> None:
    (folder.parent.parent / "test" / "X-02" / "det").mkdir(parents=True)  # these have no truth

    for path in (folder, folder.parent, folder.parent.parent):
        assert mot.folders([path]) == [folder]


def test_frames_without_a_row_are_empty_and_frames_begin_with_one(folder: Path) -> None:
    sequence = mot.read(folder)

    assert [len(ids) for ids in sequence.truth_ids] == [1, 1, 0]
    assert sequence.truth_boxes[1].tolist() == [[12, 20, 42, 60]]
    assert [len(each) for each in sequence.detections["det"]] == [1, 0, 0]


@pytest.mark.parametrize("text", [
    TRUTH.replace(",", " "), TRUTH.replace("\n", "\r\n"), "\ufeff" + TRUTH, TRUTH + "\n\n",
])  # fmt: skip
def test_blanks_line_ends_and_marks_make_no_difference(folder: Path, text: str) -> None:
    (folder / "gt/gt.txt").write_text(text, encoding="utf-8")

    assert mot.read(folder).truth_boxes[0].tolist() == [[10, 20, 40, 60]]


def test_a_detector_that_found_nothing_is_a_detector(folder: Path) -> None:
    (folder / "det/det.txt").write_text("")

    assert [len(each) for each in mot.read(folder).detections["det"]] == [0, 0, 0]


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: (folder / "seqinfo.ini").unlink(), "seqinfo.ini: not there"),
        (write("seqinfo.ini", "frameRate=25"), "seqinfo.ini: not as MOTChallenge has it"),
        (write("seqinfo.ini", SEQINFO.replace("frameRate=25", "")), "seqinfo.ini: not as .*frameRate"),
        (write("seqinfo.ini", SEQINFO.replace("=25", "=0")), "seqinfo.ini: frameRate = 0"),
        (lambda folder: (folder / "gt/gt.txt").unlink(), "no gt/gt.txt"),
        (write("gt/gt.txt", "frame,id,left\n"), "gt.txt: no table of MOTChallenge"),
        (write("gt/gt.txt", "1,2,3\n"), "gt.txt: no table of MOTChallenge: 3 columns"),
        (lambda folder: (folder / "det/det.txt").unlink(), r"no det\*/det.txt"),
    ],
)
def test_what_is_missing_or_spoiled_is_named_with_what_to_do(
    folder: Path, spoil: Callable[[Path], object], named: str
) -> None:
    spoil(folder)

    with pytest.raises(NgatuError, match=named) as caught:
        tracking.main([folder])
    assert str(folder) in caught.value.what
    assert caught.value.hint
