"""The labels of other programs in a folder: put aside before ours are written, and told apart from ours."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from models.dataset.coco import find_coco
from models.dataset.names import pictures_in
from models.dataset.types import LabelFormat
from models.dataset.yolo import find_yolo, label_file

ASIDE = "labels-before.zip"
_LABELS = frozenset({".json", ".yaml", ".txt", ".names", ".data"})


def kept_aside(folder: Path) -> Path:
    """Every file of labels as it is now, in one archive; one that is there is not touched."""
    path = folder / ASIDE
    if not path.exists():
        new = path.with_name(f".{ASIDE}.new")
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in _files(folder):
                archive.write(file, file.relative_to(folder).as_posix())
        new.replace(path)
    return path


def print_of(folder: Path, form: LabelFormat) -> str:
    """SHA-256 over all files of labels in this format; another program's change gives another."""
    found = hashlib.sha256()
    index = find_coco(folder) if form is LabelFormat.COCO else find_yolo(folder)
    files = [index] if index else []
    if form is LabelFormat.YOLO:
        files += [label_file(folder / name, folder) for name in pictures_in(folder)]
    for file in (each for each in files if each.is_file()):
        found.update(hashlib.sha256(file.relative_to(folder).as_posix().encode()).digest())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Path) -> list[Path]:
    """Files of labels below the folder, in order; nothing that is hidden."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in _LABELS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
