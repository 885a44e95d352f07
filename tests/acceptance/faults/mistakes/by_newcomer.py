"""The newcomer: the first commands, on a machine that lacks something."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from tests.acceptance.faults.mistakes.desk import Desk
from tests.acceptance.faults.mistakes.mistake import Said, mistake
from tests.acceptance.faults.suite import NotTried
from tests.conftest import ROOT

WHO = "newcomer"
PYTHON = os.path.realpath(sys.executable)
"""The machine's, in which nothing of ngatu is installed."""
FILES = ("Makefile", "setup.cfg", "pyproject.toml", "README.md", ".ci")
CODE = ("agent", "station", "models", "fleet", "verifier", "examples")


def clone(desk: Desk, *more: str) -> Path:
    """What git would give, as far as the first commands read it."""
    place = desk.folder / "ngatu"
    place.mkdir(exist_ok=True)
    for name in (*FILES, *more):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    return place


def make(
    desk: Desk, place: Path, *words: str, env: dict[str, str] | None = None, plain_user: bool = False
) -> Said:
    """`make` with these words, in the clone."""
    command = ["make", f"PYTHON={PYTHON}", *words]
    return desk.run(command, cwd=place, env={"PYTHONPATH": "", **(env or {})}, plain_user=plain_user)


@mistake(
    WHO, "`make demo` with a Python that is too old", 2,
    what="is Python 3.9", where="{python}", todo="make PYTHON=python3.11 demo",
)  # fmt: skip
def old_python(desk: Desk) -> Said:
    desk.file("old/sitecustomize.py", "import sys\nsys.version_info = (3, 9, 2, 'final', 0)\n")
    return make(desk, clone(desk), "demo", env={"PYTHONPATH": str(desk.folder / "old")})


@mistake(
    WHO, "`make demo` with a Python that is not there", 2,
    what="no such program", where="python3.99", todo="make PYTHON=python3.11 demo",
)  # fmt: skip
def no_python(desk: Desk) -> Said:
    return make(desk, clone(desk), "PYTHON=python3.99", "demo")


@mistake(
    WHO, "`make demo` without Debian's package for environments", 2,
    what="has no module ensurepip", where="{python}", todo="apt install python{version}-venv",
)  # fmt: skip
def no_ensurepip(desk: Desk) -> Said:
    if os.geteuid() != 0:
        raise NotTried("only root can take a part of Python away")
    found = importlib.util.find_spec("ensurepip")
    if found is None or found.origin is None:
        raise NotTried(f"{PYTHON} itself has no ensurepip")
    hide = f"mount -t tmpfs none '{Path(found.origin).parent}' && exec make PYTHON='{PYTHON}' demo"
    command = ["unshare", "--mount", "sh", "-c", hide]
    return desk.run(command, cwd=clone(desk), env={"PYTHONPATH": ""})


@mistake(
    WHO, "`make demo` in a clone that may not be written", 2,
    what="cannot be made: Permission denied", where="ngatu/.venv-demo", todo="clone into a folder of your own",
)  # fmt: skip
def read_only(desk: Desk) -> Said:
    place = clone(desk)
    place.chmod(0o555)
    return make(desk, place, "demo", plain_user=True)


@mistake(
    WHO, "`make test` on a disk that is full", 2,
    what="MB free; 1500 MB are needed", where="ngatu", todo="clone to a larger disk",
)  # fmt: skip
def full_disk(desk: Desk) -> Said:
    with desk.small_disk("ngatu", "6m"):
        return make(desk, clone(desk), "test")


@mistake(
    WHO, "`make setup` without a way to the package registry", 2,
    what="cannot be reached", where="http://127.0.0.1:{port}/simple", todo="pip config list",
)  # fmt: skip
def no_registry(desk: Desk) -> Said:
    registry = f"http://127.0.0.1:{desk.parts.closed_port}/simple"
    return make(desk, clone(desk), "setup", env={"PIP_INDEX_URL": registry, "PIP_CONFIG_FILE": os.devnull})


@mistake(
    WHO, "a slip in the target", 2, what="there is no target", where="demoo", todo="'make help' lists them"
)
def slip_in_target(desk: Desk) -> Said:
    return make(desk, clone(desk), "demoo")


@mistake(WHO, "the demo's program by hand", 1, what="has no package", where="{python}", todo="make demo")
def demo_by_hand(desk: Desk) -> Said:
    place = clone(desk, *CODE)
    return desk.run([PYTHON, "examples/demo/run.py"], cwd=place, env={"PYTHONPATH": ""})


@mistake(
    WHO, "`python3 -m agent` without an environment", 1,
    what="has no package", where="{python}", todo="make setup, then .venv/bin/ngatu",
)  # fmt: skip
def agent_by_hand(desk: Desk) -> Said:
    return desk.run([PYTHON, "-m", "agent", "check"], cwd=clone(desk, *CODE), env={"PYTHONPATH": ""})
