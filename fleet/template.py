"""What is drawn for people: the templates of this folder's `templates/`, the same way for each."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from agent.printable import printable


def _clean(value: Any) -> Any:
    """Text without what could steer a reader's program; what is markup already was made of clean text."""
    return printable(value) if type(value) is str else value


_TEMPLATES: Final = Environment(
    loader=PackageLoader("fleet"),
    autoescape=True,
    finalize=_clean,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def template(name: str) -> Template:
    """By its file's name. Every value is cleaned and escaped; one that is missing is an error."""
    return _TEMPLATES.get_template(name)
