"""What comes after: the commands, as they are typed, with this province's own names in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fleet.prepare.inventory import bundle
from fleet.prepare.questions import BOARDS, Answers

MODEL: Final = "yolov3-tiny-416"


def commands(checkout: Path, province: Path, answers: Answers, version: str) -> Iterator[tuple[str, str]]:
    """What each is for, and the command; those whose work is done already are left out."""
    model = province / "models" / f"{MODEL}.onnx"
    if not model.exists():
        yield "the detector's model", f"ngatu models fetch {MODEL} --dir {_path(model.parent)}"
    if answers.get("board"):
        yield from _builds(checkout, province, answers, version, model)
        for what in ("station", "box"):
            login = f"{answers['login']}@{answers[f'{what}_address']}"
            yield (
                f"meet the {what}: answer yes only if its own screen shows this fingerprint",
                f"ssh-copy-id {login}",
            )
    yield "where playbooks run", f"cd {_path(checkout / 'deploy' / 'ansible')}"
    yield "everything", f"ansible-playbook -i {_path(province / 'hosts')} site.yml --ask-vault-pass"


def _builds(
    checkout: Path, province: Path, answers: Answers, version: str, model: Path
) -> Iterator[tuple[str, str]]:
    """One release for boxes and one for stations; a single one where they are machines of one kind."""
    boxes, stations = f" --model {_path(model)}", " --extra station"
    wanted = {"boxes": ("board", boxes), "stations": ("station_board", stations)}
    if answers["board"] == answers["station_board"]:
        wanted = {"boxes and stations": ("board", boxes + stations)}
    for what, (key, more) in wanted.items():
        if (province / "bundles" / bundle(answers, key, version)).exists():
            continue
        board = BOARDS[answers[key]]
        yield (
            f"the release for {what}",
            f"ngatu bundle build --source {_path(checkout)} --key {_path(province / 'release.key')} "
            f"--arch {board.arch} --python {board.python} --glibc {board.glibc}{more} "
            f"--out {_path(province / 'bundles')}",
        )


def _path(path: Path) -> str:
    return shlex.quote(str(path))
