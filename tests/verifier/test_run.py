"""verifier.run, and the two commands that lead to it"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.footage import NOON_S
from tests.support.packages import Maker, copied, recorded

WAYS = {"ngatu": ["-m", "agent", "verify"], "alone": ["-m", "verifier"]}


@dataclass
class Bench:
    package: Path
    key: Path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("package")
    maker = Maker(recorded(root / "ring"))
    maker.write(root / "whole", NOON_S + 3, NOON_S + 57)
    yield Bench(root / "whole", maker.public(root / "box.pub"))
    maker.footage.bench.ring.close()


def run(way: str, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *WAYS[way], *map(str, words)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8", env=environment)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_its_exit_code_is_that_of_the_table(bench: Bench, tmp_path: Path, way: str) -> None:
    package = copied(bench.package, tmp_path / "now")
    (package / "footage-1-00003.age").unlink()
    said = {
        0: run(way, bench.package, "--key", bench.key),
        1: run(way, package, "--key", bench.key),
        2: run(way, package, "--key", tmp_path / "away"),
    }

    assert [done.returncode for done in said.values()] == list(said)
    assert said[0].stdout.startswith("authentic: ")
    assert said[1].stdout.startswith("authentic with missing: ")
    assert (said[2].stdout, said[2].stderr.count("\n")) == ("", 2)
    assert run(way, tmp_path / "away", "--key", bench.key).returncode == 2
    assert run(way, package).returncode == 2


@pytest.mark.long
def test_both_commands_say_the_same_in_both_languages(bench: Bench) -> None:
    for language in ("en", "vi"):
        one, two = (run(way, bench.package, "--key", bench.key, LANGUAGE=language).stdout for way in WAYS)

        assert one == two
        assert one


@pytest.mark.parametrize("way", WAYS)
def test_json_is_one_object(bench: Bench, way: str) -> None:
    found = json.loads(run(way, bench.package, "--key", bench.key, "--json").stdout)

    assert found["verdict"] == "authentic"


def test_a_zip_file_of_the_folder_is_judged_alike(bench: Bench, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as file:
        for path in bench.package.iterdir():
            file.write(path, f"case 12/{path.name}".replace("12/", "12-2026/"))

    assert run("alone", tmp_path / "package.zip", "--key", bench.key).stdout.startswith("authentic: ")


def test_alone_it_needs_nothing_but_cryptography(bench: Bench) -> None:
    code = (
        "import sys; from verifier.__main__ import main; status = main(sys.argv[1:]); import cryptography\n"
        "ours = {'agent', 'verifier', 'cryptography', '_cffi_backend', 'cffi', 'typing_extensions'}\n"
        "ours |= {'sitecustomize'}  # Debian's own, in every Python\n"
        "tops = {name.partition('.')[0] for name in sys.modules}\n"
        "foreign = {top for top in tops if top not in sys.stdlib_module_names and not top.startswith('_')}\n"
        "sys.exit(status or ' '.join(sorted(foreign - ours)) or 0)"
    )
    words = [sys.executable, "-Ic", f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n{code}"]
    done = subprocess.run(
        [*words, bench.package, "--key", bench.key], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("bomb", ["manifest.json", "footage-1-00000.age", "footage-1.mp4", "notes.txt"])
def test_a_file_of_a_terabyte_takes_neither_memory_nor_time(bench: Bench, tmp_path: Path, bomb: str) -> None:
    package = copied(bench.package, tmp_path / "now")
    with (package / bomb).open("ab") as file:
        file.truncate(1 << 40)
    done = bounded(package, bench.key)

    assert done.stdout.startswith("not authentic: ")
    assert f"\n  {bomb}: " in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("bomb", ["manifest.json", "manifest.sig", "footage-1-00001.age"])
def test_a_zip_bomb_takes_neither_memory_nor_time(bench: Bench, tmp_path: Path, bomb: str) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in bench.package.iterdir():
            if path.name != bomb:
                file.write(path, path.name)
        with file.open(bomb, "w") as member:
            for _ in range(500):
                member.write(bytes(1 << 20))
    done = bounded(tmp_path / "bomb.zip", bench.key)

    assert done.stdout.startswith("not authentic: ")
    assert f"\n  {bomb}: " in done.stdout


def bounded(package: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """With 300 MB of addresses and 30 s."""
    limit = 300 << 20
    command = [sys.executable, *WAYS["alone"], str(package), "--key", str(key)]
    return subprocess.run(
        command, capture_output=True, check=False, encoding="utf-8", timeout=30,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip


@pytest.mark.long
def test_whoever_stops_reading_is_no_fault(bench: Bench) -> None:
    words = " ".join([sys.executable, *WAYS["alone"], str(bench.package), "--key", str(bench.key)])
    done = subprocess.run(["bash", "-c", f"{words} | true"], capture_output=True, text=True, check=False)

    assert done.stderr == ""
