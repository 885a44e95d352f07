"""The wheels of a bundle: ngatu's own, everything that it stands on, and pip's, for a board that is elsewhere.

pip chooses the versions, but it judges the conditions of dependencies ("only on Python < 3.13") by the Python
that it runs on. So what it brought is checked here for the board's own Python: what that needs and lacks is
fetched too, what it does not need is left out, and a set that is not whole makes no bundle. A package that the
registry has as source alone is built here, if it is one that is known to hold no code for a machine.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from agent.errors import NgatuError
from fleet.bundle import pip_program
from fleet.bundle.lock import require

OLDEST_GLIBC = 17
"""manylinux2014 is glibc 2.17: PEP 599."""
PACKAGES = ("agent", "station", "models", "fleet", "verifier")
BESIDE = ("pyproject.toml", "setup.cfg", "setup.py", "README.md", "LICENSE", "deploy", "docs/man")
SOURCE_ONLY = {
    "font-roboto": "font-roboto==0.0.1 --hash=sha256:"
    "8bc9136bf46609fbb13af4783016799b14e23dda294a61791171de7ea2ec457f",
}
"""Packages that the registry has as source alone, as pip is asked for them: fonts, and these very bytes."""


@dataclass(frozen=True, slots=True)
class Board:
    """What the wheels must run on."""

    arch: str
    """As `uname -m` says it: aarch64, x86_64."""
    python: str
    """Major and minor, such as 3.11."""
    glibc: int = 35
    """Minor version of its C library, 2.x: 35 is Ubuntu 22.04 (Jetson), 36 Debian 12, 41 Debian 13."""

    def platforms(self) -> Iterator[str]:
        """Tags of the wheels that it takes, the newest first."""
        for minor in range(self.glibc, OLDEST_GLIBC - 1, -1):
            yield f"manylinux_2_{minor}_{self.arch}"
        yield f"manylinux2014_{self.arch}"
        yield f"linux_{self.arch}"

    def words(self) -> str:
        """For a message."""
        return f"{self.arch} with Python {self.python} and glibc 2.{self.glibc}"

    def markers(self) -> dict[str, str]:
        """What conditions of dependencies ask about (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.arch,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel, as its own metadata says."""

    path: Path
    name: str
    version: Version
    requires: tuple[Requirement, ...]
    python: SpecifierSet
    """Which versions of Python it says that it runs on; empty: each."""
    extras: frozenset[str] = frozenset()
    """Which more it can be asked for by."""


def read_wheel(path: Path) -> Wheel:
    """What a wheel says about itself.

    Raises:
        NgatuError: it is none.
    """
    try:
        with ZipFile(path) as archive:
            (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
        requires = tuple(Requirement(each) for each in headers.get_all("Requires-Dist", []))
        python = SpecifierSet(headers.get("Requires-Python", ""))
        extras = frozenset(map(canonicalize_name, headers.get_all("Provides-Extra", [])))
        name, version = canonicalize_name(headers["Name"]), Version(headers["Version"])
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror or error}", "give a .whl file") from None
    except (BadZipFile, ValueError, KeyError, TypeError, EOFError, zlib.error, RuntimeError):
        raise NgatuError(
            f"{path}: this is no wheel, or only a part of one", "give the .whl file as it came"
        ) from None
    return Wheel(path, name, version, requires, python, extras)


def is_checkout(folder: Path) -> bool:
    """Whether ngatu's wheel can be built from it."""
    return all((folder / name).exists() for name in (*PACKAGES, *BESIDE))


def own_wheel(source: Path, into: Path) -> Path:
    """Build ngatu's wheel from a checkout; the same source makes the same bytes.

    Raises:
        NgatuError: this is no checkout, or the build fails.
    """
    if not is_checkout(source):
        raise NgatuError(
            f"{source}: this is no checkout of ngatu", "run this in one, name it with --source, or give --wheel"
        )
    with tempfile.TemporaryDirectory() as folder:
        # A copy: setuptools writes into the tree, and takes up what an earlier build left there.
        for name in (*PACKAGES, *BESIDE):
            if (source / name).is_dir():
                shutil.copytree(source / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source / name, folder)
        pip_program.run("wheel", "--no-deps", "--wheel-dir", str(into), folder)
    return next(into.glob("ngatu-*.whl"))


def fetch(
    own: Path,
    board: Board,
    into: Path,
    extras: Sequence[str] = (),
    instead: Mapping[str, Path] | None = None,
    lock: Path | None = None,
    also: Sequence[Path] = (),
) -> list[Path]:
    """Everything that `own` needs on this board, itself and pip included, in the folder `into`.

    `instead` gives wheels to be taken in place of a package: on a Jetson the vendor's ONNX Runtime; `lock` is
    a file that names the wheels to be taken, and no others are; `also` are wheels that go along, such as a
    detector of somebody else.

    Raises:
        NgatuError: a package has no wheel for the board, or the set is not whole.
    """
    if lock is not None:
        require(lock)
    replaced = {canonicalize_name(name): path for name, path in (instead or {}).items()}
    shutil.copy(own, into)
    roots = [Requirement(f"ngatu[{','.join(extras)}]" if extras else "ngatu"), Requirement("pip")]
    for path in also:
        shutil.copy(path, into)
        roots.append(Requirement(read_wheel(path).name))
    _build_source_only(read_wheel(own), board, into, extras)
    wanted = [f"{own.resolve()}[{','.join(extras)}]" if extras else str(own.resolve()), "pip"]
    if lock is not None:
        wanted = ["--require-hashes", "--no-deps", "-r", str(lock.resolve())]
    while wanted:
        _download(wanted, board, into)
        for name, path in replaced.items():
            _replace(into, name, path)
        here = {wheel.name: wheel for wheel in map(read_wheel, sorted(into.glob("*.whl")))}
        here |= {name: read_wheel(into / path.name) for name, path in replaced.items()}
        needed, lacking = closure(here, roots, board, frozenset(replaced))
        if lock is not None and lacking:
            raise NgatuError(
                f"{lock}: {', '.join(lacking)} is not in it",
                "build without --lock or --board, for a new one: by --arch, --python and --glibc",
            )
        if stuck := [each for each in lacking if each in wanted]:
            raise NgatuError(f"no wheel of {', '.join(stuck)} for {board.arch}", "give one with --instead")
        wanted = lacking
    if strange := sorted(replaced.keys() - needed):
        what = f"--instead {strange[0]}: nothing in this bundle asks for a package of that name"
        raise NgatuError(what, "name the package whose place it takes, such as onnxruntime")
    for path in into.glob("*.whl"):
        if path.name not in {here[name].path.name for name in needed}:
            path.unlink()
    return sorted(into.glob("*.whl"))


def _build_source_only(own: Wheel, board: Board, into: Path, extras: Sequence[str]) -> None:
    """The wheels of SOURCE_ONLY that are asked for, into the folder where pip looks first."""
    markers = board.markers()
    for each in own.requires:
        conditions = [{**markers, "extra": extra} for extra in (*extras, "")]
        line = SOURCE_ONLY.get(canonicalize_name(each.name))
        if line is None or not (each.marker is None or any(map(each.marker.evaluate, conditions))):
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(f"{line}\n")
            file.flush()
            pip_program.run("wheel", "--no-deps", "--require-hashes", "--wheel-dir", str(into), "-r", file.name)


def _replace(into: Path, name: str, path: Path) -> None:
    for each in into.glob("*.whl"):
        if canonicalize_name(parse_wheel_filename(each.name)[0]) == name:
            each.unlink()
    shutil.copy(path, into)


def closure(
    here: Mapping[str, Wheel], roots: Sequence[Requirement], board: Board, trusted: frozenset[str] = frozenset()
) -> tuple[set[str], list[str]]:
    """(names of the wheels that are needed, requirements that nothing here fulfils), judged for the board.

    Of a package in `trusted` any version will do.
    """
    markers, lacking = board.markers(), set[str]()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(each.name, frozenset(each.extras), each) for each in roots]
    while waiting:
        raw, extras, requirement = waiting.pop()
        name = canonicalize_name(raw)
        wheel = here.get(name)
        if wheel is None or not (
            name in trusted or requirement.specifier.contains(wheel.version, prereleases=True)
        ):
            lacking.add(f"{name}{requirement.specifier}")
            continue
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for each in wheel.requires:
            if each.marker is None or any(
                each.marker.evaluate({**markers, "extra": extra}) for extra in (*extras, "")
            ):
                waiting.append((each.name, frozenset(each.extras), each))
    return {name for name, _ in seen}, sorted(lacking)


def _download(wanted: Sequence[str], board: Board, into: Path) -> None:
    digits = board.python.replace(".", "")
    platforms = [word for tag in board.platforms() for word in ("--platform", tag)]
    abis = [word for tag in (f"cp{digits}", "abi3", "none") for word in ("--abi", tag)]
    pip_program.run(
        *("download", "--only-binary=:all:", "--dest", str(into), "--find-links", str(into)),
        *("--implementation", "cp", "--python-version", board.python, *abis, *platforms, *wanted),
        board=board.words(),
    )
