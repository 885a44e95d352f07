"""agent.detectors.plugins, with a package that lies outside of ngatu and is built and installed here"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.types import Box
from agent.detectors import load_detector, plugins
from agent.detectors.card import hashed
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from tests.support.squares import SQUARE, write_clip

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples/detector_plugin"
PIP = (sys.executable, "-P", "-m", "pip", "--quiet", "--disable-pip-version-check")
BAD = """
import math
from agent.core.types import Box, Detection, Size
from agent.errors import ModelError
WHOLE = Box(0.0, 0.0, 1.0, 1.0)
class Good:
    name, sha256, input_size, labels = "bad", "ab" * 32, Size(64, 64), ("car",)
    def __init__(self, answer): self._answer = answer
    def detect(self, images): return self._answer(images)
    def close(self): pass
def giving(answer):
    return lambda settings: Good(answer)
def one(label="car", score=0.5, box=WHOLE):
    return giving(lambda images: [(Detection(label, score, box),)])
def raising(error):
    def it(*_):
        raise error
    return it
fine = giving(lambda images: [(Detection("car", 0.2, WHOLE), Detection("car", 0.9, WHOLE)) for _ in images])
too_few = giving(lambda images: [])
nothing = giving(lambda images: None)
no_detection = giving(lambda images: [("car",)])
other_label = one(label="cat")
no_score = one(score=math.nan)
high_score = one(score=1.5)
far_box = one(box=Box(0.0, 0.0, 1.2, 1.0))
no_box = one(box=Box(0.5, 0.0, 0.5, 1.0))
crowd = giving(lambda images: [(Detection("car", 0.5, WHOLE),) * 301 for _ in images])
breaks = giving(raising(OSError("the device has gone")))
ours = giving(raising(ModelError("the chip is too hot", "cool it")))
def attribute(name, value):
    def load(settings):
        it = Good(lambda images: [])
        setattr(it, name, value)
        return it
    return load
no_name = attribute("name", "")
no_hash = attribute("sha256", "")
no_size = attribute("input_size", Size(0, 64))
no_labels = attribute("labels", ())
not_loading = raising(RuntimeError("no such device"))
refusing = raising(ModelError("detector.options: no such chip", "name one"))
def no_detector(settings):
    return object()
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the example is installed, as its README says, and nothing else."""
    folder = tmp_path_factory.mktemp("example")
    source, target = folder / "source", folder / "installed"
    shutil.copytree(EXAMPLE, source)  # a build writes into its folder
    build = ("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([*PIP, *build, str(source)], check=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name == "bright_spots-1.0.0-py3-none-any.whl"
    install = ("install", "--no-deps", "--no-index", "--target", str(target))
    subprocess.run([*PIP, *install, str(wheel)], check=True, timeout=100)
    return target


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Installs a package whose entry points are all the functions of BAD, under these names."""

    def install(package: str = "bad", *more: str) -> Path:
        folder = tmp_path / package
        about = folder / f"{package}-3.2.dist-info"
        about.mkdir(parents=True)
        (folder / f"{package}_module.py").write_text(BAD)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 3.2\n")
        names = [line.split()[0] for line in BAD.splitlines() if " = " in line and line[0].islower()]
        names += ["no_detector", *more]
        lines = [f"{name} = {package}_module:{name}" for name in names]
        (about / "entry_points.txt").write_text("\n".join([f"[{plugins.GROUP}]", *lines]) + "\n")
        monkeypatch.syspath_prepend(folder)
        return folder

    return install


def white_square() -> np.ndarray:
    picture = np.full((180, 320, 3), 60, np.uint8)
    cv2.rectangle(picture, (80, 45), (159, 89), (SQUARE,) * 3, -1)
    return picture


@pytest.mark.long
def test_a_plugin_that_lies_outside_of_ngatu_is_found_by_its_entry_point_and_finds(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(example)
    it = load_detector(DetectorSettings(backend="bright-spots", model="none"))
    assert (it.name, it.sha256, it.labels) == ("bright-spots", hashed(example / "bright_spots.py"), ("car",))
    dark = np.zeros((180, 320, 3), np.uint8)
    ((found,), nothing) = it.detect([white_square(), dark])
    assert (found.label, found.score, nothing) == ("car", 1.0, ())
    assert found.box == Box(0.25, 0.25, 0.5, 0.5)
    it.close()


@pytest.mark.long
def test_a_plugin_is_told_its_options_and_says_which_are_wrong(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(example)
    brighter = DetectorSettings(backend="bright-spots", model="none", options={"bright": "255"})
    assert load_detector(brighter).detect([white_square()]) == [()]
    with pytest.raises(ModelError, match=r"detector\.options\.bright: 'very' is no brightness"):
        load_detector(DetectorSettings(backend="bright-spots", model="none", options={"bright": "very"}))


@pytest.mark.long
def test_events_of_a_replay_come_of_the_plugin(example: Path, tmp_path: Path) -> None:
    """The whole way: a configuration, `ngatu replay` in a process of its own, and what it tells."""
    clip = write_clip(tmp_path / "clip.mp4")
    (tmp_path / "ngatu.yaml").write_text(
        "device: {commune: replay, id: replay}\nbroker: {host: localhost}\n"
        "detector: {backend: bright-spots, model: none}\n"
        "cameras:\n"
        "  - name: road\n"
        "    source: {kind: file, path: clip.mp4}\n"
        "    rules: [{id: road-users, kind: object, labels: [car]}]\n"
    )
    words = [
        "replay",
        str(clip),
        "--config",
        str(tmp_path / "ngatu.yaml"),
        "--events",
        str(tmp_path / "events"),
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent", *words],
        env=os.environ | {"PYTHONPATH": f"{example}:{ROOT}"},
        cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    models = {event["model"]["name"] for event in said if event.get("kind") == "object"}
    assert models == {"bright-spots"}


def test_the_best_score_comes_first_whatever_the_plugins_order(bad: Callable[..., Path]) -> None:
    bad()
    (found,) = load_detector(DetectorSettings(backend="fine")).detect([white_square()])
    assert [one.score for one in found] == [0.9, 0.2]


@pytest.mark.parametrize(("backend", "why"), [
    ("too_few", "0 answers for 1 pictures"),
    ("nothing", "TypeError"),
    ("no_detection", "a str where a Detection was due"),
    ("other_label", "a label that it does not have: 'cat'"),
    ("no_score", "a score of nan"),
    ("high_score", "a score of 1.5"),
    ("far_box", "a box that is none"),
    ("no_box", "a box that is none"),
    ("crowd", "301 objects in one picture"),
    ("breaks", "OSError: the device has gone"),
    ("ours", "the chip is too hot"),
])  # fmt: skip
def test_what_a_plugin_gives_that_is_no_detection_gets_nowhere_and_names_it(
    bad: Callable[..., Path], backend: str, why: str
) -> None:
    bad()
    it = load_detector(DetectorSettings(backend=backend))
    with pytest.raises(ModelError, match=why) as refused:
        it.detect([white_square()])
    assert backend == "ours" or f"plug-in {backend} fails" in str(refused.value)


@pytest.mark.parametrize(("backend", "why"), [
    ("no_name", "its name is no word"),
    ("no_hash", "its sha256 is no SHA-256"),
    ("no_size", "its input_size is"),
    ("no_labels", "its labels are no words"),
    ("not_loading", "the plug-in not_loading fails: RuntimeError: no such device"),
    ("no_detector", "the plug-in no_detector fails: AttributeError"),
    ("missing", "the plug-in missing fails: AttributeError"),
    ("refusing", "detector.options: no such chip"),
])  # fmt: skip
def test_what_is_no_detector_is_told_when_it_is_loaded(
    bad: Callable[..., Path], backend: str, why: str
) -> None:
    bad("bad", "missing")
    with pytest.raises(ModelError, match=why):
        load_detector(DetectorSettings(backend=backend))


def test_a_name_that_nobody_has_is_told_with_those_that_there_are(bad: Callable[..., Path]) -> None:
    bad()
    with pytest.raises(ModelError, match="nothing here is called hailo") as refused:
        load_detector(DetectorSettings(backend="hailo"))
    assert (
        "fine" in refused.value.hint and "ncnn, " in refused.value.hint and "onnxruntime" in refused.value.hint
    )


def test_a_name_that_two_packages_have_is_nobodys(bad: Callable[..., Path]) -> None:
    bad("bad")
    bad("worse")
    with pytest.raises(ModelError, match=r"several packages: bad 3\.2, worse 3\.2"):
        load_detector(DetectorSettings(backend="fine"))
