"""What is drawn for people: the templates of this folder's `templates/`, the same way for each."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

_TEMPLATES: Final = Environment(
    loader=PackageLoader("fleet"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def template(name: str) -> Template:
    """By its file's name; every value that is put in is escaped, and one that is missing is an error."""
    return _TEMPLATES.get_template(name)
