"""agent.detectors.shadow_process"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from agent.core.shadow.comparison import ShadowFailure
from agent.core.types import Image
from agent.detectors import load_detector, shadow_process
from agent.detectors.settings import DetectorSettings
from agent.detectors.shadow_process import ShadowBroken, ShadowProcess
from agent.errors import ModelError
from tests.support.shadowed import Fault, write_shadow
from tests.support.squares import picture


def shown() -> Image:
    """A crop with one square, BGR as RGB: grey all the same."""
    return picture((100.0,), width=256, height=256)


def process(folder: Path, fault: Fault = "none", **more: int) -> ShadowProcess:
    return ShadowProcess(DetectorSettings(model=str(write_shadow(folder, fault, **more))))


def test_it_finds_what_the_same_model_finds_in_this_process(tmp_path: Path) -> None:
    """And it says what that took."""
    one = process(tmp_path)
    try:
        answer = one.look(shown())
        again = one.look(shown())
    finally:
        one.close()
    (expected,) = load_detector(DetectorSettings(model=str(tmp_path / "new-squares.onnx"))).detect([shown()])

    assert answer is not None and again is not None
    assert answer.found == again.found == expected != ()
    assert answer.ms > 0 and 10 < answer.mb < 2000


def test_crops_of_any_shape_come_over_as_they_are(tmp_path: Path) -> None:
    one = process(tmp_path)
    network = load_detector(DetectorSettings(model=str(tmp_path / "new-squares.onnx")))
    try:
        for width, height in ((64, 48), (255, 131), (512, 256)):
            image = picture((10.0,), width=width, height=height, top_px=5)
            answer = one.look(image)
            assert answer is not None and [answer.found] == network.detect([image])
    finally:
        one.close()


def test_its_process_gives_way_and_is_the_first_to_die(tmp_path: Path) -> None:
    one = process(tmp_path)
    try:
        one.look(shown())
        assert one.pid is not None
        assert psutil.Process(one.pid).nice() == 19
        assert Path(f"/proc/{one.pid}/oom_score_adj").read_text().strip() == "1000"
    finally:
        one.close()


def test_a_model_that_cannot_be_loaded_is_a_model_error_with_its_words(tmp_path: Path) -> None:
    one = process(tmp_path, "broken")
    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        one.look(shown())
    assert one.pid is None


@pytest.mark.long
def test_a_process_that_dies_is_told_and_the_next_look_starts_another(tmp_path: Path) -> None:
    one = process(tmp_path)
    one.look(shown())
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)

    with pytest.raises(ShadowBroken) as broken:
        one.look(shown())
    answer = one.look(shown())
    one.close()

    assert broken.value.how is ShadowFailure.DIED
    assert answer is not None and answer.found


def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_process, "LOOK_SLICES", 4)
    one = process(tmp_path, "hangs")
    turns: list[int] = []

    def turn() -> bool:
        turns.append(one.pid or 0)
        return True

    with pytest.raises(ShadowBroken) as broken:
        one.look(shown(), turn)

    assert broken.value.how is ShadowFailure.LATE
    assert turns and not psutil.pid_exists(turns[-1])


def test_whoever_no_longer_wants_the_answer_does_not_wait_for_it(tmp_path: Path) -> None:
    one = process(tmp_path, "hangs")

    assert one.look(shown(), lambda: False) is None
    assert one.pid is None


def test_numbers_that_are_none_are_nonsense_and_not_merely_nothing_found(tmp_path: Path) -> None:
    one = process(tmp_path, "nonsense")
    try:
        with pytest.raises(ShadowBroken, match="no number") as broken:
            one.look(shown())
        quiet = one.look(picture((), width=256, height=256))
    finally:
        one.close()

    assert broken.value.how is ShadowFailure.NONSENSE
    assert quiet is not None and quiet.found == ()


def test_one_that_holds_too_much_memory_is_ended(tmp_path: Path) -> None:
    one = ShadowProcess(DetectorSettings(model=str(write_shadow(tmp_path, "hangs"))), lambda: 1.0)
    with pytest.raises(ShadowBroken, match=r"it held [0-9]+ MB") as broken:
        one.look(shown())

    assert broken.value.how is ShadowFailure.DIED
    assert one.pid is None


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    one = process(tmp_path)
    one.look(shown())
    pid = one.pid
    one.close()
    one.close()

    assert pid is not None and not psutil.pid_exists(pid)
