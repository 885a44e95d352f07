"""The user space of each system that a lock is for: what was built for it installs, loads and sees the same."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.bundle.boards import BOARDS
from tests.acceptance.boards.bundles import NGATU, built, manifest_of
from tests.acceptance.boards.events import NEAR_S, compared
from tests.acceptance.boards.libraries import newest_glibc
from tests.acceptance.boards.rows import ROWS, SystemRow
from tests.acceptance.boards.userland import Userland
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.fleet.golden import KEPT_IN
from tests.acceptance.fleet.hosts import run
from tests.support.cells import SURE, write_ncnn, write_onnx
from tests.support.releases import TOOL
from tests.support.squares import write_clip

CLIP, MODEL = "NGATU_BOARDS_CLIP", "NGATU_BOARDS_MODEL"
"""Where they name a clip and an .onnx file with a card that is beside it or known, these are replayed too."""
RELEASE = ["/usr/bin/python3", "-I", "-B", "/usr/local/lib/ngatu_release"]
THERE = "/opt/ngatu/current"
"""Where a box has its release. The tool's `switch` is not used: it waits two minutes for a program to start."""
CONFIGURED = "/etc/ngatu/config.yaml"
MARK = "installed; check finds nothing but the missing broker; replay gives the events of this machine"

CONFIG = """
device: {commune: hai-ninh, id: hai-ninh-01, place: Here, purpose: A test, legal_basis: None}
broker: {host: 127.0.0.1}
detector: DETECTOR
cameras:
  - name: north
    source: {kind: file, path: CLIP}
    rules:
      - {kind: motion, id: movement}
      - {kind: object, id: road-users}
"""


@promise("A1", "a bundle by the lock of Raspberry Pi OS trixie, in Debian 13 for arm64", MARK, minutes=25)
def trixie(trial: Trial) -> str:
    return tried(trial, "pi-trixie")


@promise("A2", "a bundle by the lock of Raspberry Pi OS bookworm, in Debian 12 for arm64", MARK, minutes=25)
def bookworm(trial: Trial) -> str:
    return tried(trial, "pi-bookworm")


@promise("A3", "a bundle by the lock of Ubuntu 24.04, in that for arm64", MARK, minutes=25)
def noble(trial: Trial) -> str:
    return tried(trial, "jetson-noble")


@promise("A4", "a bundle by the lock of Debian 13 on a PC, in that for amd64", MARK, minutes=8)
def station(trial: Trial) -> str:
    return tried(trial, "station-trixie")


def tried(trial: Trial, name: str) -> str:
    """The whole way of a bundle for the board of this name; each step is in its row of the table."""
    row = SystemRow(name)
    try:
        _walked(trial, row)
    except NotTried as why:
        row.stopped = str(why)
        raise
    except (Broken, AssertionError) as why:
        row.stopped = (str(why).splitlines() or ["an assertion failed"])[0][:200]
        raise
    finally:
        row.keep(ROWS)
    return (
        f"{row.wheels} wheels, built in {row.built_s:.0f} s, installed in {row.installed_s:.0f} s, "
        f"check {row.check_s:.0f} s, replay {row.replay_s:.0f} s; {row.events}"
    )


def _walked(trial: Trial, row: SystemRow) -> None:
    bundle, row.built_s = built(trial.folder, row.board)
    row.bundle_mb = bundle.stat().st_size / 1e6
    arch = BOARDS[row.board].board.arch
    row.wheels, row.glibc = newest_glibc(bundle, arch, trial.folder)
    row.keep(ROWS)
    if row.glibc > BOARDS[row.board].board.glibc:
        raise Broken(f"a wheel asks for glibc 2.{row.glibc}")
    with _installed(trial.folder, bundle, row) as board:
        assert board.run("uname", "-m").good().output.strip() == arch
        clip = write_clip(trial.folder / "clip.mp4")
        board.put(clip, "/srv/clip.mp4")
        squares = {"model": "squares", "models_dir": f"{THERE}/models"}
        _written(board, trial.folder, _config(squares, "/srv/clip.mp4"), CONFIGURED)
        _checked(board, row)
        replayed = _replayed(board, CONFIGURED, "/srv/clip.mp4")
        row.replay_s, there = replayed.seconds, replayed.events
        row.keep(ROWS)
        here = _here(trial.folder, squares | {"models_dir": str(trial.folder)}, clip)
        same = compared(there, here)
        row.events = f"{same.exact} of {same.here} the same" + (", to the last digit" if there == here else "")
        if not same.all_exact:
            raise Broken(f"{same}: {there} {here}")
        row.keep(ROWS)
        row.events += _by_ncnn(board, trial.folder, clip) if "ncnn" in BOARDS[row.board].locked else ""
        row.keep(ROWS)
        row.events += _of_footage(board, trial.folder)


@contextmanager
def _installed(folder: Path, bundle: Path, row: SystemRow) -> Iterator[Userland]:
    """The board with the bundle as a release: by its own tool, or as that left it at an earlier run.

    Under an emulator pip takes many minutes: what it made of the very same files is kept.
    """
    kept = KEPT_IN / f"installed-{hashlib.sha256(manifest_of(bundle)).hexdigest()[:16]}"
    took = kept.with_suffix(".seconds")
    with Userland(folder / "board", row.board, kept if kept.exists() else None) as board:
        row.root_s = board.made_s
        if kept.exists():
            row.installed_s = float(took.read_text())
        else:
            board.put(TOOL, "/usr/local/lib/ngatu_release")
            board.put(folder / "release.pub", "/etc/ngatu/release.pub")
            board.put(bundle, "/var/cache/ngatu.bundle")
            row.installed_s = board.run(*RELEASE, "install", "/var/cache/ngatu.bundle").good().seconds
            took.write_text(str(row.installed_s))
            board.keep(kept)
        row.keep(ROWS)
        (release,) = (board.root / "opt/ngatu/releases").iterdir()
        (board.root / THERE.lstrip("/")).symlink_to(f"releases/{release.name}")
        yield board


def _checked(board: Userland, row: SystemRow) -> None:
    checked = board.run(f"{THERE}/bin/ngatu", "check", "-c", CONFIGURED)
    row.check_s = checked.seconds
    row.keep(ROWS)
    # There is no broker: nothing else may be wrong.
    wrong = [line for line in checked.output.splitlines() if "│ failed" in line]
    if checked.code != 1 or len(wrong) != 1 or "broker" not in wrong[0]:
        raise Broken(f"check said more than that there is no broker: {checked.output}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay there gave."""

    events: list[dict[str, Any]]
    seconds: float


def _replayed(board: Userland, config: str, clip: str) -> Replayed:
    done = board.run(f"{THERE}/bin/ngatu", "replay", clip, "-c", config, "--events", "/srv/events").good()
    return Replayed(_events(board.root / "srv" / "events"), done.seconds)


def _by_ncnn(board: Userland, folder: Path, clip: Path) -> str:
    """The clip by NCNN there, beside the same network by ONNX Runtime here."""
    board.put(write_ncnn(folder), "/srv/models/cells.ncnn")
    board.put(folder / "cells.yaml", "/srv/models/cells.yaml")
    sure = {"min_score": SURE}
    there = {"model": "/srv/models/cells.ncnn", "backend": "ncnn"} | sure
    _written(board, folder, _config(there, "/srv/clip.mp4"), "/srv/ncnn.yaml")
    replayed = _replayed(board, "/srv/ncnn.yaml", "/srv/clip.mp4")
    here = _here(folder, {"model": str(write_onnx(folder))} | sure, clip)
    same = compared(replayed.events, here)
    if not same.all_near:
        raise Broken(f"NCNN there, ONNX Runtime here: {same}")
    return f"; by NCNN {same.exact} of {same.here} as by ONNX Runtime here"


def _of_footage(board: Userland, folder: Path) -> str:
    """The same with a clip and a detector that somebody names, which no test can bring along."""
    clip, model = (os.environ.get(name) for name in (CLIP, MODEL))
    if not (clip and model):
        return ""
    for source in filter(Path.exists, (Path(model), Path(model).with_suffix(".yaml"))):
        board.put(source, f"/srv/models/{source.name}")
    board.put(Path(clip), "/srv/footage.mp4")
    there = {"model": f"/srv/models/{Path(model).name}"}
    _written(board, folder, _config(there, "/srv/footage.mp4"), "/srv/footage.yaml")
    replayed = _replayed(board, "/srv/footage.yaml", "/srv/footage.mp4")
    same = compared(replayed.events, _here(folder, {"model": model}, Path(clip)))
    return (
        f"; {Path(model).stem} on {Path(clip).name}: {same.exact} of {same.here} messages the same, "
        f"{same.near} of {same.events} events within {NEAR_S} s, replayed in {replayed.seconds:.0f} s"
    )


def _here(folder: Path, detector: dict[str, Any], clip: Path) -> list[dict[str, Any]]:
    config, events = folder / "here.yaml", folder / "events"
    config.write_text(_config(detector, str(clip)), encoding="utf-8")
    run(NGATU, "replay", str(clip), "-c", str(config), "--events", str(events), timeout_s=600).good()
    return _events(events)


def _config(detector: dict[str, Any], clip: str) -> str:
    return CONFIG.replace("DETECTOR", json.dumps(detector)).replace("CLIP", clip)


def _written(board: Userland, folder: Path, text: str, place: str) -> None:
    file = folder / "there.yaml"
    file.write_text(text, encoding="utf-8")
    board.put(file, place)


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
