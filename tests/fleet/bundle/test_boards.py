"""fleet.bundle.boards, and the locks that lie in the source"""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from agent.errors import NgatuError, UsageError
from fleet.bundle.boards import BOARDS, LOCKS, board_of, known, lock_of, make_lock
from fleet.bundle.build import Recipe, build
from fleet.bundle.lock import require
from fleet.bundle.wheels import Board
from tests.conftest import ROOT
from tests.support.disks import filled, small_disk
from tests.support.licensed_wheels import licensed_wheel
from tests.support.releases import Maker

LINE = re.compile(r"([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}")


def locked(name: str) -> dict[str, str]:
    """Package -> version."""
    lines = lock_of(name, ROOT).read_text(encoding="utf-8").splitlines()
    found = [LINE.fullmatch(line) for line in lines[1:]]
    assert all(found)
    return {each[1]: each[2] for each in found if each}


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_has_a_lock_in_the_source_which_holds_what_ngatu_asks_for(name: str) -> None:
    path = lock_of(name, ROOT)
    require(path)
    versions = locked(name)
    board = BOARDS[name]
    for line in wishes(board.locked):
        wish = Requirement(line)
        if wish.marker is None or wish.marker.evaluate({**board.board.markers(), "extra": ""}):
            if canonicalize_name(wish.name) in ("font-roboto", "ngatu"):
                continue
            assert wish.specifier.contains(versions[canonicalize_name(wish.name)]), f"{name}: {line}"
    assert "pip" in versions and "ngatu" not in versions


@pytest.mark.parametrize("name", BOARDS)
def test_a_lock_names_no_place(name: str) -> None:
    """Neither a registry nor a path: it is the same wherever it is made."""
    text = lock_of(name, ROOT).read_text(encoding="utf-8")
    assert not re.search(r"https?:|://|/opt|/tmp|/home|@ ", text)
    head, *lines = text.splitlines()
    assert head == f"# {about(name)}: ngatu bundle lock {name}"
    assert lines == sorted(lines)


def about(name: str) -> str:
    board = BOARDS[name].board
    return f"{BOARDS[name].about}: {board.arch}, Python {board.python}, glibc 2.{board.glibc}"


def wishes(extras: tuple[str, ...]) -> list[str]:
    """Lines of setup.cfg: what ngatu needs, and what these extras add."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    blocks = [setup["options"]["install_requires"], *(setup["options.extras_require"][each] for each in extras)]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture
def source(tmp_path: Path, shop: Path) -> Path:
    """A folder to make locks in; the registry has one package."""
    licensed_wheel(shop, "fast", "License: MIT")
    return tmp_path / "source"


def test_a_lock_is_made_of_what_the_registry_has_and_the_same_each_time(
    source: Path, tmp_path: Path, shop: Path
) -> None:
    own = licensed_wheel(tmp_path, "ngatu", "Requires-Dist: fast")
    path = make_lock("pi-bookworm", source, own)
    assert path == source / LOCKS / "pi-bookworm.lock"
    first = path.read_text()
    assert first.startswith("# Raspberry Pi OS bookworm: aarch64, Python 3.11, glibc 2.36: ngatu bundle lock")
    assert "\nfast==1.0 --hash=sha256:" in first and "ngatu==" not in first
    assert make_lock("pi-bookworm", source, own).read_text() == first
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_lock_that_was_there(tmp_path: Path, shop: Path) -> None:
    licensed_wheel(shop, "fast", "License: MIT")
    own = licensed_wheel(tmp_path, "ngatu", "Requires-Dist: fast")
    with small_disk(tmp_path / "stick", "100k") as stick:
        before = make_lock("pi-bookworm", stick, own).read_text()
        filled(stick)
        licensed_wheel(shop, "fast", "License: MIT", "Summary: of another day")
        with pytest.raises(NgatuError, match=r"pi-bookworm\.lock: No space left on device") as caught:
            make_lock("pi-bookworm", stick, own)
        assert "is there room" in (caught.value.hint or "")
        assert [each.name for each in (stick / LOCKS).iterdir()] == ["pi-bookworm.lock"]
        assert lock_of("pi-bookworm", stick).read_text() == before


def test_what_is_given_for_a_lock_is_judged_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "deploy").write_text("")
    with pytest.raises(NgatuError, match="deploy: this is no folder") as caught:
        make_lock("pi-bookworm", tmp_path)
    assert "--source" in (caught.value.hint or "")
    with pytest.raises(NgatuError, match=r"none\.whl: No such file"):
        make_lock("pi-bookworm", tmp_path / "there", tmp_path / "none.whl")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("arch", "python", "glibc", "board"),
    [
        (None, None, None, Board("aarch64", "3.11", 35)),
        ("x86_64", "3.13", "41", Board("x86_64", "3.13", 41)),
        ("aarch64", "3.12", "2.39", Board("aarch64", "3.12", 39)),
    ],
)
def test_options_name_a_board(arch: str | None, python: str | None, glibc: str | None, board: Board) -> None:
    assert board_of(arch, python, glibc) == board


@pytest.mark.parametrize(
    ("arch", "python", "glibc", "message", "hint"),
    [
        ("arm64", None, None, "--arch arm64: there is no such", "did you mean aarch64? there are"),
        ("x86-64", None, None, "--arch x86-64: there is no such", "did you mean x86_64?"),
        ("pi-bookworm", None, None, "--arch pi-bookworm: ", "did you mean --board pi-bookworm?"),
        ("", None, None, "--arch : there is no such", "there are aarch64, x86_64"),
        (None, "", None, "--python : ngatu needs 3.11 or newer", "3.11 on Debian 12"),
        (None, None, "", "--glibc : it is 2.17 or newer", "2.36 on Debian 12"),
        ("armv7l", None, None, "--arch armv7l: there is no such", "there are aarch64, x86_64: as `uname -m`"),
        (None, "3.13.5", None, "--python 3.13.5: ngatu needs 3.11 or newer", "3.13 on Debian 13"),
        (None, "3.9", None, "--python 3.9: ngatu needs 3.11 or newer", "3.11 on Debian 12"),
        (None, "python3.11", None, "--python python3.11: ", "write major and minor"),
        (None, None, "2.5", "--glibc 2.5: it is 2.17 or newer", "2.36 on Debian 12"),
        (None, None, "bookworm", "--glibc bookworm: it is 2.17 or newer", "`ldd --version`"),
        (None, None, "236", "--glibc 236: it is 2.17 or newer", "2.36 on Debian 12"),
    ],
)  # fmt: skip
def test_a_board_that_nobody_has_is_refused_with_those_that_there_are(
    arch: str | None, python: str | None, glibc: str | None, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        board_of(arch, python, glibc)
    assert str(refused.value).startswith(message)
    assert hint in (refused.value.hint or "")


def test_the_oldest_python_is_that_of_the_package() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    oldest = setup["options"]["python_requires"].removeprefix(">=")
    assert board_of(None, oldest, None).python == oldest
    with pytest.raises(UsageError):
        board_of(None, f"3.{int(oldest.removeprefix('3.')) - 1}", None)


@pytest.mark.long
def test_of_a_lock_two_bundles_are_the_same_byte_for_byte_and_a_byte_more_in_a_wheel_is_refused_by_name(
    source: Path, tmp_path: Path, shop: Path
) -> None:
    own = licensed_wheel(tmp_path, "ngatu", "Requires-Dist: fast")
    lock = make_lock("pi-bookworm", source, own)
    maker = Maker(tmp_path)
    board = known("pi-bookworm").board
    one, two = (
        build(Recipe(ROOT, board, wheel=own, lock=lock), maker.key, tmp_path / out)[0] for out in ("one", "two")
    )
    assert one.read_bytes() == two.read_bytes()

    wheel = shop / "fast-1.0-py3-none-any.whl"
    data = bytearray(wheel.read_bytes())
    data[len(data) // 2] ^= 1
    wheel.write_bytes(data)
    with pytest.raises(NgatuError, match=r"fast==1\.0: the registry gave another file"):
        build(Recipe(ROOT, board, wheel=own, lock=lock), maker.key, tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_an_unknown_board_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="amiga: no such board") as refused:
        known("amiga")
    assert "pi-bookworm" in refused.value.hint


def test_a_lock_that_was_not_made_yet_is_told_with_how_it_is(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="there is no lock of this board") as refused:
        lock_of("pi-trixie", tmp_path)
    assert "ngatu bundle lock pi-trixie" in refused.value.hint
