"""Make a bundle, in a checkout or a folder of `ngatu fleet init`: wheels, models, unit and installer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from packaging.version import Version

from agent.errors import NgatuError, UsageError
from fleet.bundle import licences, lock, sbom
from fleet.bundle.archive import VERSION, Manifest, content, write
from fleet.bundle.fit import LONGEST, require_fit, short_name
from fleet.bundle.installed import PACKAGE, wheel_again
from fleet.bundle.scratch import scratch
from fleet.bundle.wheels import PACKAGES, SOURCE_ONLY, Board, fetch, is_checkout, own_wheel, read_wheel
from fleet.whole_file import in_words, require_takes, written_whole

UNIT = Path("deploy/systemd/ngatu.service")
TOOL = Path("deploy/ansible/roles/ngatu_agent/files/ngatu_release")
OTHER_OUT: Final = "may this user write there, and is there room? --out names another folder"
FOR_HOSTS: Final = {"ncnn", "pi", "postgresql", "station"}
"""Extras of ngatu that are of use on boxes and hosts; the others are for whoever works at a desk."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into a bundle."""

    source: Path
    """A checkout of ngatu, or a folder with its `deploy`."""
    board: Board
    models: Sequence[Path] = ()
    """.onnx and .ncnn files; the card, NAME.yaml, goes along where it lies beside."""
    extras: Sequence[str] = ()
    """Of ngatu's package: station, for the duty room."""
    wheel: Path | None = None
    """ngatu's own; if absent, built from the checkout, or packed again as it was installed here."""
    instead: Mapping[str, Path] = field(default_factory=dict)
    """Wheels that take the place of a package."""
    floor: str | None = None
    """If absent, the version itself: boxes that have confirmed it take nothing older."""
    system_site: bool = False
    lock: Path | None = None
    """Of a board or of an earlier bundle: the same wheels, and no newer ones."""
    also: Sequence[Path] = ()
    """Wheels that go along, such as a detector of somebody else."""


def build(recipe: Recipe, key: Ed25519PrivateKey, out: Path) -> tuple[Path, Manifest]:
    """The bundle in the folder `out`, and what it says about itself.

    Raises:
        NgatuError: something that should go in is not there, or cannot be fetched.
    """
    rest = dict(_rest(recipe))
    _require_sound(recipe, out)  # before the minutes that the wheels take
    with scratch() as folder:
        return _built(recipe, rest, key, out, folder)


def _built(
    recipe: Recipe, rest: Mapping[str, Path], key: Ed25519PrivateKey, out: Path, folder: Path
) -> tuple[Path, Manifest]:
    own = recipe.wheel or _own(recipe.source, folder / "own")
    version = _sound_version(own, recipe)
    wheels = folder / "wheels"
    fetched = fetch(own, recipe.board, wheels, recipe.extras, recipe.instead, recipe.lock, recipe.also)
    fetched = [short_name(each, recipe.board) for each in fetched]
    files = {**{f"wheels/{path.name}": path for path in fetched}, **rest}
    path = out / f"ngatu-{version}-{recipe.board.arch}-py{recipe.board.python.replace('.', '')}.bundle"
    files |= _about(path.name, own, files, recipe.board, folder)
    manifest = Manifest(
        version=version,
        floor=recipe.floor or version,
        arch=recipe.board.arch,
        python=recipe.board.python,
        system_site=recipe.system_site,
        files={name: content(path) for name, path in sorted(files.items())},
    )
    elsewhere = {read_wheel(each).name for each in (own, *recipe.instead.values(), *recipe.also)}
    elsewhere |= SOURCE_ONLY.keys()
    with in_words(out, OTHER_OUT):
        out.mkdir(parents=True, exist_ok=True)
    # Both are written before either has its name: what there is no room for leaves both old ones as they were.
    with written_whole(path.with_suffix(lock.SUFFIX), hint=OTHER_OUT) as beside:
        beside.write(lock.text(path.stem, fetched, elsewhere).encode())
        beside.flush()
        write(path, files, manifest, key)
    return path, manifest


def _require_sound(recipe: Recipe, out: Path) -> None:
    """See to it that what was given can go in, as far as that can be told without a wheel of ours."""
    require_takes(out, OTHER_OUT)
    if recipe.lock is not None:
        lock.require(recipe.lock)
    given = (*recipe.instead.values(), *recipe.also, *filter(None, [recipe.wheel]))
    for wheel in given:
        require_fit(wheel, recipe.board)
    for path in (*given, *recipe.models):
        if not (path.name.isascii() and path.name.isprintable()):
            raise NgatuError(
                f"{path}: boxes take no file of that name",
                "rename it: letters without accents, figures, '-', '_' and '.'",
            )
    if recipe.floor is not None:
        _require_version(recipe.floor)


def _require_version(version: str) -> None:
    if not VERSION.fullmatch(version):
        raise NgatuError(f"{version}: boxes cannot put this version in order", "write it as 0.2.0")


def _sound_version(own: Path, recipe: Recipe) -> str:
    """The version of ngatu's own wheel, if it is one and has what the recipe asks of it."""
    wheel = read_wheel(own)
    if wheel.name != PACKAGE:
        raise NgatuError(f"{own}: it is a wheel of {wheel.name}, not of ngatu", "--also takes others along")
    _require_version(str(wheel.version))
    if strange := [each for each in recipe.extras if each not in wheel.extras]:
        there = sorted(wheel.extras & FOR_HOSTS) or ["none"]
        raise UsageError(
            f"--extra {strange[0]}: ngatu {wheel.version} has no such",
            f"there are {', '.join(there)}; each with an --extra of its own",
        )
    if recipe.floor is not None and Version(recipe.floor) > wheel.version:
        raise UsageError(
            f"--floor {recipe.floor}: it is newer than the release itself, {wheel.version}",
            "name the oldest release that boxes with this one may go back to, or leave it away",
        )
    return str(wheel.version)


def _about(bundle: str, own: Path, files: Mapping[str, Path], board: Board, into: Path) -> dict[str, Path]:
    """What the bundle says of its files: the licences for people, the bill of materials for programs."""
    wheels = [
        licences.read(path, () if path.name == own.name else PACKAGES)
        for name, path in files.items()
        if name.startswith("wheels/")
    ]
    (ours,) = (each for each in wheels if each.file == own.name)
    asked = any(each.copyleft for each in wheels)
    texts = {f"licences/{path.name}": path for path in licences.TEXTS.iterdir()} if asked else {}
    held = {name: content(path) for name, path in {**files, **texts}.items()}
    words = f"{board.arch}, Python {board.python}"
    made = {
        licences.FILE: licences.text(bundle, wheels).encode(),
        sbom.FILE: sbom.encoded(ours, words, wheels, held, _licences_of_models(files)),
    }
    for name, data in made.items():
        (into / name).write_bytes(data)
    return texts | {name: into / name for name in made}


def _licences_of_models(files: Mapping[str, Path]) -> dict[str, str]:
    """Name of a model's file -> the licence in its card; those without a card or a word of it are left out."""
    found: dict[str, str] = {}
    for name in files:
        card = files.get(str(PurePosixPath(name).with_suffix(".yaml")))
        if name.endswith(sbom.MODELS) and card is not None:
            try:
                read = yaml.safe_load(card.read_text(encoding="utf-8"))
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                raise NgatuError(f"{card}: this is no card: {error}", "leave it away, or mend it") from None
            licence = read.get("licence") if isinstance(read, dict) else None
            found |= {name: str(licence)} if licence else {}
    return found


def _own(source: Path, into: Path) -> Path:
    return own_wheel(source, into) if is_checkout(source) else wheel_again(into)


def _require_model(model: Path) -> None:
    if not model.is_file():
        raise NgatuError(f"{model}: there is no such model", "fetch one with: ngatu models fetch NAME")
    if model.suffix not in sbom.MODELS or not model.stat().st_size:
        what = "it is empty" if model.suffix in sbom.MODELS else "this is no model that boxes can use"
        raise NgatuError(f"{model}: {what}", f"give a whole file that ends with {' or '.join(sbom.MODELS)}")


def _rest(recipe: Recipe) -> Iterator[tuple[str, Path]]:
    there: dict[str, Path] = {}
    for model in recipe.models:
        _require_model(model)
        if len(model.name) > LONGEST:
            raise NgatuError(f"{model}: the name has more than {LONGEST} characters", "give it a shorter one")
        if other := there.get(model.name):
            raise NgatuError(
                f"{model}: {other} has the same name", "rename one: in a bundle they lie side by side"
            )
        there[model.name] = model
        yield f"models/{model.name}", model
        if (card := model.with_suffix(".yaml")).is_file():
            yield f"models/{card.name}", card
    unit = recipe.source / UNIT
    tool = sorted((recipe.source / TOOL).glob("*.py"))
    if not unit.is_file() or not tool:
        raise NgatuError(
            f"{recipe.source}: the unit or the release tool is missing",
            "run this in a checkout or in a folder of `ngatu fleet init`, or name one with --source",
        )
    yield unit.name, unit
    for path in tool:
        yield f"ngatu_release/{path.name}", path
