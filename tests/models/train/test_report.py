"""models.train.report"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.core.types import Box
from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage
from models.train.held_back import HeldBackResult, TrainingMistake
from models.train.report import write_report
from models.train.results import HeldBackPoint, Mixture, TrainResult
from tests.support.labelled_squares import write_set


def result(folder: Path, own: tuple[AnnotatedImage, ...] = ()) -> TrainResult:
    image = read_coco(write_set(folder / "set")).images[0]
    points = tuple(HeldBackPoint(step, {"car": 0.1 + step / 200}, 0.9, 3.0, 0.1) for step in (0, 50, 100))
    return TrainResult(
        model=folder / "mine.onnx",
        steps=100,
        planned=120,
        points=points,
        best=50,
        mixtures=(Mixture(0.5, points[1]), Mixture(1.0, points[2])),
        share=0.5,
        before=HeldBackResult({"car": 0.1}, (), 1.0),
        after=HeldBackResult(
            {"car": 0.42},
            (
                TrainingMistake(image, "car", Box(0.1, 0.1, 0.3, 0.3), None, 0.2),
                TrainingMistake(image, "car", Box(0.5, 0.5, 0.7, 0.7), 0.77, 0.77),
            ),
            0.93,
        ),
        sure_from=0.47,
        learned=10,
        held_back=2,
        rehearsed=20,
        checked=4,
        pseudo_labelled=own,
        pseudo_labels=2 * len(own),
        cameras=("f<b>",),
        seconds=90,
        device="cpu",
        memory_mb=512,
    )


def test_the_page_has_figures_curves_and_the_worst_mistakes(tmp_path: Path) -> None:
    page = write_report(result(tmp_path), "en").read_text(encoding="utf-8")

    assert page.count("<polyline") == 2 + 2 + 2
    assert page.count("<figure>") == 2
    assert "car 0.77, a" in page
    for figure in ("42", "93", "1.5", "512", "taken, %</td><td>50</td>", "0.6</td><td>0.47</td>"):
        assert figure in page


def test_names_are_text(tmp_path: Path) -> None:
    page = write_report(result(tmp_path), "en").read_text(encoding="utf-8")

    assert "f&lt;b&gt;" in page


def test_the_page_speaks_vietnamese(tmp_path: Path) -> None:
    page = write_report(result(tmp_path), "vi").read_text(encoding="utf-8")

    assert '<html lang="vi">' in page
    assert "Report of a training" not in page


def test_where_nothing_was_rehearsed_nothing_is_said_of_what_is_kept(tmp_path: Path) -> None:
    found = result(tmp_path)
    points = tuple(replace(one, kept=None) for one in found.points)
    mixtures = tuple(replace(one, point=replace(one.point, kept=None)) for one in found.mixtures)
    after = replace(found.after, kept=None)

    page = write_report(replace(found, points=points, mixtures=mixtures, after=after), "en").read_text()

    assert page.count("<polyline") == 1 + 2 + 1
    assert "kept of what" not in page


def test_what_it_labelled_itself_is_shown(tmp_path: Path) -> None:
    own = read_coco(write_set(tmp_path / "own")).images

    page = write_report(result(tmp_path, own), "en").read_text(encoding="utf-8")

    assert page.count("<figure>") == 2 + 9
    assert "how many labels</td><td>12, 24</td>" in page
