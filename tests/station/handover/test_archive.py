"""station.handover.archive"""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import av
import pytest

from agent.errors import NgatuError
from station.footage.folder import FootageStage
from station.handover.archive import HandedOver, archive_name, hand_over
from station.handover.dossier import NotJudged, PlaceNames
from station.handover.guide import COMMAND
from station.handover.report import HandOver
from tests.support.judged_packages import JudgedPackages
from tests.support.pdf import text_of
from verifier.judge import judge

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 11, 27, 14, 3, 22, tzinfo=HERE)
NAMES = PlaceNames("Ngã tư", "Hướng Bắc")
WHAT = HandOver(AT, "Trần Thị B", "vi", "Cơ quan điều tra")


def made(packages: JudgedPackages, into: Path, **words: str) -> HandedOver:
    return hand_over(packages.here(**words), into, packages.custody, NAMES, WHAT)


def unpacked(found: HandedOver, to: Path) -> Path:
    with zipfile.ZipFile(found.file) as archive:
        archive.extractall(to)
    (top,) = to.iterdir()
    return top


def commands(top: Path, name: str) -> list[list[str]]:
    lines = (top / name).read_text(encoding="utf-8-sig").splitlines()
    return [shlex.split(line) for line in lines if line.startswith(COMMAND)]


def run(words: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    bin_folder = str(Path(sys.executable).parent)
    env = {"PATH": bin_folder + os.pathsep + os.environ["PATH"], "LANG": "C", **more}
    command = shlex.join(words).replace("'package/*'", "package/*")
    return subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, check=False, encoding="utf-8"
    )


def test_all_of_it_lies_in_one_folder_under_plain_names(packages: JudgedPackages, tmp_path: Path) -> None:
    found = made(packages, tmp_path, case_number="Số 12/2026 – Đường Bưởi")

    with zipfile.ZipFile(found.file) as archive:
        names = archive.namelist()
    assert all(name.isascii() for name in names)
    top = found.file.stem
    assert top.startswith("ngatu-so-12-2026-duong-buoi-pole-7-north-")
    assert sorted(name.removeprefix(f"{top}/") for name in names) == [
        "HUONG-DAN.txt", "INSTRUCTIONS.txt", "keys/pole-7.pub", "keys/station.pub", "ngatu-verify.pyz",
        "package/custody.log", "package/footage-1.mp4", "package/footage-2.mp4", "package/manifest.json",
        "package/manifest.sig", "report.pdf",
    ]  # fmt: skip
    assert (found.bytes, found.sha256) == (
        found.file.stat().st_size,
        sha256(found.file.read_bytes()).hexdigest(),
    )


@pytest.mark.long
@pytest.mark.parametrize("name", ["HUONG-DAN.txt", "INSTRUCTIONS.txt"])
def test_the_commands_of_the_instructions_verify_it(
    packages: JudgedPackages, tmp_path: Path, name: str
) -> None:
    top = unpacked(made(packages, tmp_path), tmp_path / "court")

    single, installed, make, openssl, hashes = commands(top, name)

    done = run(single, top)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("authentic: ")
    assert "to Cơ quan điều tra, as " in done.stdout
    assert run(installed, top).stdout == done.stdout
    assert make == ["make", "verifier"]
    assert re.search("^verifier:.*pyz", Path("Makefile").read_text(), re.MULTILINE)
    assert "Signature Verified Successfully" in run(openssl, top).stdout
    printed = text_of((top / "report.pdf").read_bytes())
    stated = dict(reversed(line.split("  ")) for line in run(hashes, top).stdout.splitlines())
    letters = "".join(printed.split())  # a long digest goes on in the next line, as its letters are wide
    assert stated["package/footage-1.mp4"] in letters
    assert stated["package/manifest.json"] in letters


def test_the_verifier_finds_what_was_altered_since(packages: JudgedPackages, tmp_path: Path) -> None:
    top = unpacked(made(packages, tmp_path), tmp_path / "court")
    film = top / "package" / "footage-1.mp4"
    data = bytearray(film.read_bytes())
    data[len(data) // 2] ^= 1
    film.write_bytes(data)

    done = run(commands(top, "HUONG-DAN.txt")[0], top, LANGUAGE="vi")

    assert done.returncode == 1
    assert done.stdout.startswith("không xác thực: ")
    assert "footage-1.mp4" in done.stdout


def test_its_films_play(packages: JudgedPackages, tmp_path: Path) -> None:
    top = unpacked(made(packages, tmp_path), tmp_path / "court")

    for name in ("footage-1.mp4", "footage-2.mp4"):
        with av.open(str(top / "package" / name)) as film:
            assert sum(1 for _ in film.decode(video=0)) > 50


def test_the_custody_log_says_to_whom_and_which_report(packages: JudgedPackages, tmp_path: Path) -> None:
    found = made(packages, tmp_path)
    top = unpacked(found, tmp_path / "court")
    folder = packages.folders.find("pole-7", "01a2-first")
    assert folder is not None

    entries = judge(folder.package, packages.maker.key.public_key(), packages.custody.public()).custody

    digest = sha256((top / "report.pdf").read_bytes()).hexdigest()
    assert (entries[-1].act, entries[-1].by) == ("handed_over", "Trần Thị B")
    assert entries[-1].detail == f"to Cơ quan điều tra, as {found.file.name}: authentic; report {digest}"
    assert (folder.package / "custody.log").read_bytes() == (top / "package" / "custody.log").read_bytes()


def test_what_was_not_judged_is_refused_and_nothing_is_written(
    packages: JudgedPackages, tmp_path: Path
) -> None:
    folder = packages.here()
    folder.tell(stage=FootageStage.ARRIVED, verdict=None)
    (tmp_path / "stick").mkdir()

    with pytest.raises(NotJudged):
        hand_over(folder, tmp_path / "stick", packages.custody, NAMES, WHAT)

    assert list((tmp_path / "stick").iterdir()) == []
    assert b"handed_over" not in (folder.package / "custody.log").read_bytes()


def test_what_is_worth_less_than_when_it_came_is_refused(packages: JudgedPackages, tmp_path: Path) -> None:
    folder = packages.here()
    (folder.package / "footage-2.mp4").unlink()

    with pytest.raises(NgatuError, match="authentic when it came, authentic with missing now"):
        hand_over(folder, tmp_path, packages.custody, NAMES, WHAT)


def test_what_is_not_authentic_is_handed_over_as_that(packages: JudgedPackages, tmp_path: Path) -> None:
    folder = packages.here()
    film = folder.package / "footage-1.mp4"
    film.write_bytes(film.read_bytes()[:-7])
    packages.settle(folder)

    found = hand_over(folder, tmp_path, packages.custody, NAMES, WHAT)

    top = unpacked(found, tmp_path / "court")
    assert "KHÔNG XÁC THỰC" in text_of((top / "report.pdf").read_bytes())
    assert run(commands(top, "HUONG-DAN.txt")[0], top).stdout.startswith("not authentic: ")


def test_footage_that_nobody_could_play_is_refused(packages: JudgedPackages, tmp_path: Path) -> None:
    folder = packages.here()
    shutil.rmtree(folder.package)
    packages.maker.write(folder.package, *_range(folder.request), "encrypted")
    packages.custody.note(folder, "received", "station", "again")
    packages.settle(folder)

    with pytest.raises(NgatuError, match="still encrypted"):
        hand_over(folder, tmp_path, packages.custody, NAMES, WHAT)


@pytest.mark.parametrize("fails_at", ["footage-2.mp4", "ngatu-verify.pyz"])
def test_a_disk_that_fills_up_leaves_neither_file_nor_line(
    packages: JudgedPackages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    """What a full disk says, at a place of our choice; the log, the folder and the file are real."""
    folder, writing = packages.here(), zipfile.ZipFile.open

    def full(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo, *words: object, **more: object) -> object:
        if fails_at in str(getattr(name, "filename", name)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return writing(archive, name, *words, **more)  # type: ignore[arg-type]

    (tmp_path / "stick").mkdir()
    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(NgatuError, match="No space left on device"):
        hand_over(folder, tmp_path / "stick", packages.custody, NAMES, WHAT)

    assert list((tmp_path / "stick").iterdir()) == []
    assert b"handed_over" not in (folder.package / "custody.log").read_bytes()


@pytest.mark.long
def test_it_takes_no_more_memory_than_a_block(packages: JudgedPackages, tmp_path: Path) -> None:
    """A film that is a hole of the file system for the most part, in a process that may not have its size."""
    folder = packages.here()
    film = folder.package / "footage-1.mp4"
    with film.open("r+b") as file:
        file.truncate(600 << 20)
    packages.settle(folder)
    script = f"""
import resource
from pathlib import Path
from station.footage.custody import CustodyBook
from station.footage.folder import FootageFolder
from tests.station.handover.test_archive import NAMES, WHAT, hand_over
state = Path({str(packages.state_dir)!r})
folder = FootageFolder(state / "footage").find("pole-7", "01a2-first")
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
print(hand_over(folder, Path({str(tmp_path)!r}), CustodyBook(state), NAMES, WHAT).bytes)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - used)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")

    size, more = map(int, done.stdout.split())
    assert size > 600 << 20
    assert more < 200 << 20


def test_a_name_is_plain_whatever_the_case_is_called(packages: JudgedPackages) -> None:
    folder = packages.asked(case_number="../../Đặng\u202e\\日 " + "x" * 30)

    name = archive_name(folder, AT)

    assert re.fullmatch(r"ngatu-dang-x+-pole-7-north-20261127-1403", name)


def _range(request: object) -> tuple[float, float]:
    return request.from_time.timestamp(), request.to_time.timestamp()  # type: ignore[attr-defined]
