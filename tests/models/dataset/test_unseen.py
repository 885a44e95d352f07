"""models.dataset.unseen"""

from __future__ import annotations

from pathlib import Path

from models.dataset.types import AnnotatedImage, Dataset
from models.dataset.unseen import nobody_has_looked


def test_it_says_how_many_and_how_they_are_labelled() -> None:
    image = AnnotatedImage(Path("a.jpg"), 4, 4, ())
    error = nobody_has_looked(Dataset("x", (), ("car",), proposed=(image, image)), Path("stick"))

    assert "stick: nobody has looked at its 2 pictures" in error.what
    assert "ngatu models label stick" in str(error.hint)
