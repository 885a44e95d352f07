"""Make a bundle from a checkout: wheels, models, the unit and the tool that installs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import NgatuError
from fleet.bundle.archive import VERSION, Manifest, content, write
from fleet.bundle.wheels import Board, fetch, own_wheel, read_wheel

UNIT = Path("deploy/systemd/ngatu.service")
TOOL = Path("deploy/ansible/roles/ngatu_agent/files/ngatu_release")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into a bundle."""

    source: Path
    """A checkout of ngatu."""
    board: Board
    models: Sequence[Path] = ()
    """.onnx files; the card, NAME.yaml, goes along where it lies beside."""
    extras: Sequence[str] = ()
    """Of ngatu's package: station, for the duty room."""
    wheel: Path | None = None
    """ngatu's own; if absent, built from the source."""
    instead: Mapping[str, Path] = field(default_factory=dict)
    """Wheels that take the place of a package."""
    floor: str | None = None
    """If absent, the version itself: boxes that have confirmed it take nothing older."""
    system_site: bool = False


def build(recipe: Recipe, key: Ed25519PrivateKey, out: Path) -> tuple[Path, Manifest]:
    """The bundle in the folder `out`, and what it says about itself.

    Raises:
        NgatuError: something that should go in is not there, or cannot be fetched.
    """
    rest = dict(_rest(recipe))  # before the minutes that the wheels take
    with tempfile.TemporaryDirectory() as folder:
        built, wheels = Path(folder, "own"), Path(folder, "wheels")
        built.mkdir()
        wheels.mkdir()
        own = recipe.wheel or own_wheel(recipe.source, built)
        version = str(read_wheel(own).version)
        for each in (version, recipe.floor or version):
            if not VERSION.fullmatch(each):
                raise NgatuError(f"{each}: boxes cannot put this version in order", "write it as 0.2.0")
        files = {
            f"wheels/{path.name}": path
            for path in fetch(own, recipe.board, wheels, recipe.extras, recipe.instead)
        }
        files |= rest
        manifest = Manifest(
            version=version,
            floor=recipe.floor or version,
            arch=recipe.board.arch,
            python=recipe.board.python,
            system_site=recipe.system_site,
            files={name: content(path) for name, path in sorted(files.items())},
        )
        path = out / f"ngatu-{version}-{recipe.board.arch}-py{recipe.board.python.replace('.', '')}.bundle"
        write(path, files, manifest, key)
    return path, manifest


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
            "run this in a checkout, or name one with --source",
        )
    yield unit.name, unit
    for path in tool:
        yield f"ngatu_release/{path.name}", path
