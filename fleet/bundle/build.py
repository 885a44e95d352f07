"""Make a bundle, in a checkout or a folder of `ngatu fleet init`: wheels, models, unit and installer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import NgatuError
from fleet.bundle import licences, lock, sbom
from fleet.bundle.archive import VERSION, Manifest, content, write
from fleet.bundle.fit import require_fit, short_name
from fleet.bundle.installed import wheel_again
from fleet.bundle.wheels import PACKAGES, SOURCE_ONLY, Board, fetch, is_checkout, own_wheel, read_wheel

UNIT = Path("deploy/systemd/ngatu.service")
TOOL = Path("deploy/ansible/roles/ngatu_agent/files/ngatu_release")


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
    rest = dict(_rest(recipe))  # before the minutes that the wheels take
    for given in (*recipe.instead.values(), *recipe.also):
        require_fit(given, recipe.board)
    with tempfile.TemporaryDirectory() as folder:
        built, wheels = Path(folder, "own"), Path(folder, "wheels")
        built.mkdir()
        wheels.mkdir()
        own = recipe.wheel or _own(recipe.source, built)
        version = str(read_wheel(own).version)
        for each in (version, recipe.floor or version):
            if not VERSION.fullmatch(each):
                raise NgatuError(f"{each}: boxes cannot put this version in order", "write it as 0.2.0")
        fetched = fetch(own, recipe.board, wheels, recipe.extras, recipe.instead, recipe.lock, recipe.also)
        fetched = [short_name(each, recipe.board) for each in fetched]
        files = {f"wheels/{path.name}": path for path in fetched} | rest
        path = out / f"ngatu-{version}-{recipe.board.arch}-py{recipe.board.python.replace('.', '')}.bundle"
        files |= _about(path.name, own, files, recipe.board, Path(folder))
        manifest = Manifest(
            version=version,
            floor=recipe.floor or version,
            arch=recipe.board.arch,
            python=recipe.board.python,
            system_site=recipe.system_site,
            files={name: content(path) for name, path in sorted(files.items())},
        )
        write(path, files, manifest, key)
        elsewhere = {read_wheel(each).name for each in (own, *recipe.instead.values(), *recipe.also)}
        elsewhere |= SOURCE_ONLY.keys()
        path.with_suffix(lock.SUFFIX).write_text(lock.text(path.stem, fetched, elsewhere), encoding="utf-8")
    return path, manifest


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


def _rest(recipe: Recipe) -> Iterator[tuple[str, Path]]:
    for model in recipe.models:
        if not model.is_file():
            raise NgatuError(f"{model}: there is no such model", "fetch one with: ngatu models fetch NAME")
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
