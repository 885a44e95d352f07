"""The public notice as a text, and as one printable page of HTML in one or both languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from agent.printable import printable
from agent.status.notice import PublicNotice

Say = Callable[[str], str]
"""A message in one language."""

_STYLE: Final = (
    "@page{size:A4;margin:18mm}"
    "body{font:14pt/1.4 'Noto Sans','DejaVu Sans',sans-serif;color:#000;max-width:42rem;margin:1rem auto;"
    "padding:0 1rem}h1{font-size:24pt;margin:0 0 .6em;border-bottom:3px solid;padding-bottom:.3em}"
    "dt{font-weight:700;margin-top:.6em}dd{margin:0;overflow-wrap:anywhere}"
    "section+section{break-before:page;border-top:1px solid;margin-top:2rem;padding-top:1rem}"
    "@media print{section+section{border:0;margin:0;padding:0}}"
)


def as_text(notice: PublicNotice, languages: Sequence[tuple[str, Say]]) -> str:
    """Plain lines, a blank one between rows, the languages one after the other."""
    parts = []
    for _, say in languages:
        title = say(notice.title).upper()
        rows = [f"{say(heading)}:\n  {printable(say(text))}" for heading, text in notice.rows]
        parts.append("\n\n".join([title, *rows]))
    return "\n\n\n".join(parts) + "\n"


def as_html(notice: PublicNotice, languages: Sequence[tuple[str, Say]]) -> str:
    """One file without anything from elsewhere; each language on a page of its own when it is printed."""
    sections = []
    for code, say in languages:
        rows = "".join(
            f"<dt>{escape(say(heading))}</dt><dd>{escape(printable(say(text)))}</dd>"
            for heading, text in notice.rows
        )
        sections.append(f'<section lang="{code}"><h1>{escape(say(notice.title))}</h1><dl>{rows}</dl></section>')
    first, say = languages[0]
    return (
        f'<!doctype html>\n<html lang="{first}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(say(notice.title))}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(sections)}</body></html>\n"
    )
