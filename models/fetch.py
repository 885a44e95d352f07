"""Models onto this machine: from the web, or from inside an archive of a package registry."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.detectors.card import Card, hashed, parse_card
from agent.detectors.labels import BUILT_IN
from agent.detectors.places import find_card
from agent.errors import ModelError
from models.archives import Member, fetch_members
from models.catalogue import CARDS, CatalogueEntry, PackagedFile, RegistrySource, UrlSource, read_catalogue
from models.convert.conversion import archive_of, converted
from models.convert.onnx_file import has_onnx, imported_onnx
from models.convert.slim import slimmed
from models.registry import Registry, configured
from models.web import OutOfReach, Progress, Web, quiet


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
    model, registry = folder / f"{name}.onnx", registry or configured()
    try:
        if isinstance(entry.source, RegistrySource):
            if not _whole(model):
                _convert(name, entry.source, model, progress, registry)
        elif isinstance(entry.source, UrlSource):
            _download(
                name, entry.source, model, registry.web(), progress=progress, consent=consent or Consent()
            )
        else:
            raise ModelError(f"{name}: there is nowhere to fetch it from", by_hand(name, entry.source, folder))
    except OutOfReach as error:
        raise ModelError(error.what, f"{error.hint}\n{by_hand(name, entry.source, folder)}") from error
    return model


def by_hand(name: str, source: UrlSource | RegistrySource | PackagedFile, folder: Path) -> str:
    """How a model gets to `folder` without a network: which file, from where, its hash, and what to type."""
    if isinstance(source, PackagedFile):
        return f"bring its file, of SHA-256 {source.sha256}, and: ngatu models add FILE.onnx --dir {folder}"
    if isinstance(source, UrlSource):
        file = source.url.rpartition("/")[2]
        return (
            f"  without a network: fetch {source.url} elsewhere (SHA-256 {source.sha256 or 'not known'}), "
            f"carry it here, and: ngatu models add {file} --dir {folder}"
        )
    archive = archive_of(source)
    return (
        f"  without a network: on a machine that has one, ngatu models fetch {name} --dir STICK; here then "
        f"ngatu models add STICK/{name}.onnx --dir {folder} (its card {name}.yaml lies beside it)\n"
        f"  or carry {archive.file} here, into a folder ({archive.page}, SHA-256 {archive.sha256}), and: "
        f"PIP_FIND_LINKS=FOLDER ngatu models fetch {name} --dir {folder}"
    )


CHECKPOINTS = (".pt", ".pth")
"""What training leaves."""


def add_model(file: Path, folder: Path, card: Path | None = None) -> Path:
    """Copy a model that the operator has, with its card, to where models lie; returns the copy.

    A file of which the catalogue knows a form with less to do becomes that one.

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
    slim = _slim(file, found)
    if slim is None:
        shutil.copyfile(file, part)
    else:
        part.write_bytes(slim)
    part.replace(target)
    write_card(target, hashed(target), path, {"labels": list(found.keep)} if slim is not None else None)
    return target


def _slim(file: Path, card: Card) -> bytes | None:
    """The same network with less to do, where the catalogue knows both; None: the file is taken as it is.

    That is so without the package onnx, too: a box that is handed a file needs none.
    """
    files = (entry.source for entry in read_catalogue().values() if isinstance(entry.source, PackagedFile))
    known = next((source for source in files if source.sha256 == card.sha256), None)
    if known is None or known.slim_sha256 is None or not has_onnx():
        return None
    labels = tuple(card.labels)
    made = slimmed(file.read_bytes(), len(labels), [labels.index(label) for label in card.keep])
    return made if made is not None and hashlib.sha256(made).hexdigest() == known.slim_sha256 else None


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
    name: str, source: RegistrySource, model: Path, progress: Progress, registry: Registry | None
) -> None:
    imported_onnx()  # told before 50 MB are fetched, not after
    plan, weights = model.with_suffix(".plan"), model.with_suffix(".weights")
    members = [
        Member(source.plan, source.plan_sha256, plan),
        Member(source.weights, source.weights_sha256, weights),
    ]
    fetch_members(archive_of(source), members, progress, registry)
    made = converted(name, source, plan.read_text(encoding="utf-8"), weights.read_bytes())
    part = model.with_name(model.name + ".part")
    part.write_bytes(made.onnx)
    write_card(model, hashed(part), CARDS / source.card, made.changes)
    part.replace(model)
    for file in (plan, weights):
        file.unlink()
