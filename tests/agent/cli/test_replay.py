"""agent.cli.replay"""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import av
import pytest

from tests.support.boxes import NGATU, ROAD_RULES
from tests.support.squares import write_clip, write_model


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_model(tmp_path)
    return write_clip(tmp_path / "road.mp4")


def replay(clip: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*NGATU, "replay", str(clip), "--model", str(clip.parent / "squares.onnx"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.long
def test_without_a_label_only_persons_are_written_and_that_is_said(clip: Path) -> None:
    tracks = clip.parent / "tracks.txt"
    done = replay(clip, f"--tracks={tracks}")

    assert done.returncode == 0, done.stderr
    assert tracks.read_text() == ""
    assert "person only; --label all adds 1 other tracks" in done.stdout
    assert replay(clip, f"--tracks={tracks}", "--label=all").returncode == 0
    assert tracks.read_text()


@pytest.mark.long
def test_the_overlay_is_a_video_as_long_as_the_clip(clip: Path) -> None:
    overlay = clip.parent / "overlay.mp4"
    done = replay(clip, f"--overlay={overlay}")

    assert done.returncode == 0, done.stderr
    with av.open(str(overlay)) as video:
        assert sum(1 for _ in video.decode(video=0)) == 80


@pytest.mark.long
def test_the_rules_of_a_configuration_are_obeyed(clip: Path) -> None:
    config = clip.parent / "box.yaml"
    config.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\n"
        f"cameras:\n  - name: north\n    source: {{kind: file, path: {clip}}}{ROAD_RULES}"
    )
    events = clip.parent / "events.jsonl"
    done = replay(clip, f"--config={config}", f"--events={events}")

    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert done.returncode == 0, done.stderr
    assert "1 line_crossed" in done.stdout
    assert {event["device"] for event in lines} == {"hai-ninh-03"}
    crossing = next(event for event in lines if event.get("kind") == "line_crossed")
    assert crossing["rule"] == {"id": "the-line", "kind": "line"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nothing.mp4"], "nothing.mp4: no such file"),
        (["--camera=south"], "there is no camera south"),
        (["--model=/nowhere/x.onnx"], "/nowhere/x.onnx"),
    ],
)
def test_mistakes_are_told_in_a_line(clip: Path, words: list[str], expected: str) -> None:
    first = [] if words[0].startswith("--") else words[:1]
    command = [*NGATU, "replay", *(first or [str(clip)]), *([] if first else words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode in (1, 2)
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_replay_in_a_pipe_prints_its_summary_and_nothing_else(clip: Path) -> None:
    done = replay(clip)

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("80 frames, the detector rested on ")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.long
def test_a_replay_on_a_terminal_shows_how_far_it_is(clip: Path) -> None:
    main, side = pty.openpty()
    with subprocess.Popen(
        [*NGATU, "replay", str(clip), "--model", str(clip.parent / "squares.onnx")],
        stdout=subprocess.DEVNULL,
        stderr=side,
        env={**os.environ, "TERM": "xterm-256color"},
    ) as running:
        os.close(side)
        shown = b""
        try:
            while piece := os.read(main, 4096):
                shown += piece
        except OSError:  # the terminal's other end is closed
            pass
        assert running.wait(60) == 0
    os.close(main)

    assert b"road.mp4" in shown


@pytest.mark.long
@pytest.mark.parametrize("option", ["--events", "--tracks", "--overlay"])
def test_an_output_that_cannot_be_written_is_told_in_a_line(clip: Path, option: str) -> None:
    nowhere = clip.parent / "none" / "out.mp4"
    done = replay(clip, f"{option}={nowhere}")

    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"{nowhere}: cannot be written: No such file")
