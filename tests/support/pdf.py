"""What a PDF says, read by a reader that is not ours."""

from __future__ import annotations

import io

from pypdf import PdfReader


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, its lines put together."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf), strict=True).pages]


def text_of(pdf: bytes) -> str:
    """The text of all pages."""
    return " ".join(pages_of(pdf))
