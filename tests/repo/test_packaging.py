"""The source as somebody gets it who has no clone: it is whole, builds the wheel, and passes its tests"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest

from fleet.prepare.folder import files
from tests.conftest import ROOT

PACKAGES = ("agent", "fleet", "models", "station", "verifier")
LEFT = re.compile(r"\.git|\.venv.*|build|demo|dist|mutants|bundle|.*\.egg-info|\..*_cache|\.hypothesis")
"""What lies in a checkout beside what belongs to it."""
SOME_TESTS = (
    "tests/agent/core/test_ids.py", "tests/agent/wire/test_topics.py", "tests/agent/test_errors.py",
    "tests/fleet/bundle/test_archive.py", "tests/station/store/schema/test_init.py",
    "tests/verifier/test_timeline.py",
)  # fmt: skip
"""A few of every package, which take seconds."""
BUILD = "import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
"""What `python -m build` calls, with the setuptools that is here, and no registry."""
WAIT_S = 300
pytestmark = pytest.mark.timeout(2 * WAIT_S)


@dataclass(frozen=True)
class Delivered:
    """What somebody has who was given the source."""

    source: Path
    """Unpacked, apart from any checkout."""
    wheel: Path
    """Built from it."""
    environment: Path
    """With that wheel, and the packages that it needs."""

    def names(self) -> set[str]:
        """Of the wheel's files."""
        with ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def metadata(self) -> Message:
        """Of the wheel."""
        with ZipFile(self.wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            return HeaderParser().parsestr(archive.read(name).decode())

    def run(self, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """A program of the environment."""
        program = str(self.environment / "bin" / words[0])
        environment = {name: word for name, word in os.environ.items() if not name.startswith("PYTEST")}
        return subprocess.run(
            [program, *words[1:]], cwd=cwd, capture_output=True, text=True, check=False, timeout=WAIT_S,
            env=environment,
        )  # fmt: skip


def build(kind: str, source: Path, into: Path) -> Path:
    into.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(kind=kind), str(into)],
        cwd=source, capture_output=True, text=True, check=False, timeout=WAIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (made,) = into.iterdir()
    return made


def _left(folder: str, names: list[str]) -> set[str]:
    top = Path(folder) == ROOT
    return {each for each in names if each == "__pycache__" or (top and LEFT.fullmatch(each))}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    folder = tmp_path_factory.mktemp("delivered")
    shutil.copytree(ROOT, folder / "checkout", ignore=_left, symlinks=True)
    with tarfile.open(build("sdist", folder / "checkout", folder / "sdist")) as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(folder / "checkout")
    (source,) = folder.glob("ngatu-*")
    wheel = build("wheel", source, folder / "wheel")
    shutil.rmtree(source / "build")
    environment = folder / "environment"
    for words in (
        ["venv", "--without-pip", str(environment)],
        [
            "pip",
            "--python",
            str(environment / "bin/python"),
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            "--no-compile",
            str(wheel),
        ],
    ):
        subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True, timeout=WAIT_S)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"))
    return Delivered(source, wheel, environment)


@pytest.mark.long
@pytest.mark.repository
def test_the_source_holds_every_file_of_the_repository(delivered: Delivered) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip(
            "only a clone knows which files belong to it: this is an unpacked source, or git is not here"
        )
    words = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    there = {path.relative_to(delivered.source).as_posix() for path in delivered.source.rglob("*")}

    assert {name for name in listed if name and (ROOT / name).exists()} <= there


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_packages_and_no_other_package(delivered: Delivered) -> None:
    wanted = {
        path.relative_to(delivered.source).as_posix()
        for package in PACKAGES
        for path in (delivered.source / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in delivered.names() if not name.startswith("ngatu-")}

    assert wanted <= held
    assert {name.partition("/")[0] for name in held} == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= held
    assert held - wanted == {f"fleet/deploy/{name}" for name in files(delivered.source / "deploy")}


@pytest.mark.long
def test_what_the_wheel_says_of_itself_is_true(delivered: Delivered) -> None:
    metadata = delivered.metadata()

    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert set(metadata.get_all("Classifier", [])) >= {"Typing :: Typed", "Operating System :: POSIX :: Linux"}
    assert "armv7" not in metadata.as_string(), "ONNX Runtime has no wheels for 32 bits"


@pytest.mark.long
def test_whoever_installs_the_wheel_has_the_man_pages(delivered: Delivered) -> None:
    installed = {path.name: path.read_bytes() for path in (delivered.environment / "share/man/man1").iterdir()}

    assert installed == {path.name: path.read_bytes() for path in (delivered.source / "docs/man").iterdir()}
    assert "ngatu-station-events.1" in installed


@pytest.mark.long
def test_whoever_has_only_the_wheel_writes_the_playbooks_and_the_wheel_itself(
    delivered: Delivered, tmp_path: Path
) -> None:
    done = delivered.run("ngatu", "fleet", "init", "there", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path / "there/deploy") for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(files(delivered.source / "deploy"))
    assert "#!" in (tmp_path / "there/deploy/ansible/roles/ngatu_agent/files/ngatu-release").read_text()[:2]

    pack = "import sys, pathlib; from fleet.bundle.installed import wheel_again; wheel_again(pathlib.Path())"
    done = delivered.run("python", "-P", "-c", pack, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with ZipFile(tmp_path / delivered.wheel.name) as again, ZipFile(delivered.wheel) as first:
        assert {each: again.read(each) for each in again.namelist() if not each.endswith("/RECORD")} == {
            each: first.read(each) for each in first.namelist() if not each.endswith("/RECORD")
        }


@pytest.mark.long
def test_its_tests_pass_apart_from_the_checkout(delivered: Delivered) -> None:
    words = ["-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SOME_TESTS]
    done = delivered.run("python", *words, cwd=delivered.source)

    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-1000:]}"
    assert " passed" in done.stdout


# ------------------------------------------------------------------------------- what the code says of it


@cache
def nodes() -> list[tuple[str, ast.AST]]:
    """(module, what stands in it) of every package, texts and lists alone."""
    return [
        (path.relative_to(ROOT).as_posix(), node)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant | ast.List)
    ]


@pytest.mark.long
def test_no_message_says_how_to_install_but_by_the_one_way_that_always_works() -> None:
    """cryptography is what somebody installs who has nothing of ours."""
    said = [
        f"{name}: {node.value[:80]}"
        for name, node in nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "pip install" in node.value and "pip install cryptography" not in node.value
        if name != "agent/errors.py"
    ]

    assert said == []


def test_no_interpreter_of_ours_looks_into_the_current_folder() -> None:
    """Decision 0052: the packages keep general names, and another `agent` may lie where somebody stands."""
    started = [
        (name, [ast.unparse(each) for each in node.elts[:2]])
        for name, node in nodes()
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable"
    ]

    assert len(started) > 5
    # A box that starts itself anew takes the words with which it was started.
    assert [each for each in started if each[1][1] != "'-P'" and each[0] != "agent/host/relaunch.py"] == []
