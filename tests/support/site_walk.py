"""Every route of the console's application, and how a test comes to each: by parameters, links and forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True, slots=True)
class SiteRoute:
    """One route of the application."""

    path: str
    """With its parameters in braces."""
    methods: frozenset[str]
    queries: tuple[str, ...]
    """Names of what may stand behind the question mark, as far as the route declares them."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the path."""
        return tuple(_PARAMETER.findall(self.path))

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with these values in the places of its parameters.

        Raises:
            KeyError: there is none for a parameter.
        """
        return _PARAMETER.sub(lambda found: quote(values[found[1]], safe=""), self.path)

    def fits(self, path: str) -> bool:
        """Whether a path of the site leads here."""
        pattern = _PARAMETER.sub("[^/]+", re.sub(r"[.+]", r"\\\g<0>", self.path))
        return re.fullmatch(pattern, urlsplit(path).path) is not None

    def asked(self, path: str, values: Mapping[str, str]) -> str:
        """A path of this route with these words behind the question mark."""
        return f"{path}?{urlencode(values)}" if values else path


def routes_of(app: FastAPI) -> list[SiteRoute]:
    """Every route, the most exact first; what is added later is among them by itself."""
    found = [
        SiteRoute(path, frozenset(route.methods), _queries(route.dependant))
        for path, route in _flat(app.routes)
    ]
    return sorted(found, key=lambda each: (len(each.parameters), each.path))


def _flat(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    for route in routes:
        inner = getattr(route, "original_router", None)  # a router within a router, since FastAPI 0.160
        if inner is not None:
            yield from _flat(inner.routes, prefix + route.include_context.prefix)
        elif isinstance(route, APIRoute):
            yield prefix + route.path, route


def _queries(dependant: Any) -> tuple[str, ...]:
    names = {each.alias for each in dependant.query_params}
    for each in dependant.dependencies:
        names |= set(_queries(each))
    return tuple(sorted(names))


@dataclass
class PageForm:
    """A form of a page: where it goes, and its fields with what stands in them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    """Fields into which somebody writes whatever he wants."""
    choices: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    """Fields that take a file."""


class PageReader(HTMLParser):
    """Links and forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One of the tags that matter."""
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "form":
            self._form = PageForm(has.get("action", ""), has.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and tag in ("input", "textarea", "select", "button") and has.get("name"):
            self._field(self._form, tag, has)
        elif self._form is not None and tag == "option" and self._select:
            self._form.choices.setdefault(self._select, []).append(has.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """The end of a form or of a list of choices."""
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _field(self, form: PageForm, tag: str, has: Mapping[str, str]) -> None:
        name, kind = has["name"], has.get("type", "text" if tag == "input" else tag)
        if tag == "select":
            self._select = name
            return
        if kind in ("radio", "checkbox", "submit", "button"):
            form.choices.setdefault(name, []).append(has.get("value", "on"))
            return
        if kind == "file":
            form.files.append(name)
            return
        form.fields[name] = has.get("value", "")
        if kind in ("text", "search", "textarea", "tel", "email", "url"):
            form.free.append(name)


def inside(base: str, page: str, links: Iterable[str]) -> list[str]:
    """Those of a page's links that stay on the site, as paths with their questions."""
    found = []
    for link in links:
        there = urlsplit(urljoin(base + page, link))
        if f"{there.scheme}://{there.netloc}" == base:
            found.append(there.path + (f"?{there.query}" if there.query else ""))
    return found
