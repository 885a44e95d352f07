"""Marked messages of the source, and the catalogues that translate them: `python -m tests.support.catalogue`.

It brings each new message into `ngatu.po` without a translation and takes out what is in the source no more;
translators fill in the rest, and a second call writes the `ngatu.mo` that programs read.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from agent.language import DOMAIN, LANGUAGES, LOCALE
from station.web.render import messages

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent", "station", "models", "fleet", "verifier")
MARK = "tr"
HEAD = 'msgid ""\nmsgstr ""\n"Language: LANGUAGE\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call that marks a message."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == MARK:
            yield node


def literal(call: ast.Call) -> str | None:
    """The message, or None if it is no literal: then no catalogue can hold it."""
    first = call.args[0] if len(call.args) == 1 else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def sources() -> Iterator[Path]:
    """Every module of the program."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def marked() -> dict[str, list[str]]:
    """Message -> the modules and templates that say it, in the order in which they stand."""
    found: dict[str, list[str]] = {}
    for path in sources():
        for call in sorted(calls(path), key=lambda each: (each.lineno, each.col_offset)):
            if text := literal(call):
                places = found.setdefault(text, [])
                if (name := str(path.relative_to(ROOT))) not in places:
                    places.append(name)
    for name, text in messages():
        places = found.setdefault(text, [])
        if (place := f"station/web/templates/{name}") not in places:
            places.append(place)
    return found


def po_file(code: str) -> Path:
    """Where translators write."""
    return LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue(code: str) -> Catalog:
    """As it stands in the repository."""
    path = po_file(code)
    if not path.exists():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def renewed(code: str) -> Catalog:
    """With a place for each message of the source, and for no other."""
    old, new = catalogue(code), Catalog(locale=code, fuzzy=False)
    for text, places in marked().items():
        known = old.get(text)
        new.add(text, known.string if known is not None else "", locations=[(place, None) for place in places])
    return new


def as_po(catalog: Catalog) -> bytes:
    """The text for translators; the same for the same messages."""
    out = io.BytesIO()
    write_po(out, catalog, width=110, omit_header=True, include_lineno=False)
    head = HEAD.replace("LANGUAGE", str(catalog.locale))
    return head.encode() + out.getvalue()


class _Dateless(Catalog):
    """With a head that is the same for the same messages: no dates, no version of the tool."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [("Content-Type", "text/plain; charset=UTF-8")]


def as_mo(catalog: Catalog) -> bytes:
    """What gettext reads: what has a translation."""
    plain = _Dateless(locale=catalog.locale, fuzzy=False)
    for message in catalog:
        if message.id and message.string:
            plain.add(message.id, message.string)
    out = io.BytesIO()
    write_mo(out, plain)
    return out.getvalue()


def main() -> None:
    """Rewrite every catalogue, and say what is left to translate."""
    for code in LANGUAGES[1:]:
        catalog = renewed(code)
        path = po_file(code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_po(catalog))
        path.with_suffix(".mo").write_bytes(as_mo(catalog))
        left = sum(1 for message in catalog if message.id and not message.string)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} messages, {left} to translate")


if __name__ == "__main__":
    main()
