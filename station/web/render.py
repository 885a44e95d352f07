"""Pages out of templates, in the language of whoever looks; moments by the station's zone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.ext import extract_from_ast
from markupsafe import Markup

from agent.language import translated
from agent.printable import printable
from agent.translatable import Translatable, tr
from station.store.columns import moment
from station.words import how_long

PLACE: Final = Path(__file__).with_name("templates")
STATIC: Final = Path(__file__).with_name("static")
DAYS: Final = (
    tr("Monday"), tr("Tuesday"), tr("Wednesday"), tr("Thursday"), tr("Friday"), tr("Saturday"), tr("Sunday"),
)  # fmt: skip
MONTHS: Final = (
    tr("January"), tr("February"), tr("March"), tr("April"), tr("May"), tr("June"), tr("July"), tr("August"),
    tr("September"), tr("October"), tr("November"), tr("December"),
)  # fmt: skip


class Templates:
    """The templates of the console; for every thread."""

    def __init__(self, zone: ZoneInfo, now_s: Callable[[], float] = time.time) -> None:
        """`now_s` says which day is today, in seconds since 1970."""
        self.zone, self._now_s = zone, now_s
        self._environment = Environment(
            loader=FileSystemLoader(PLACE),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": asset, "weekdays": DAYS, "months": MONTHS}

    def page(self, name: str, language: str, values: Mapping[str, Any]) -> str:
        """One page.

        In it `_("…", name=value)` is the text in `language`, `t(text)` a marked message in it, and moments are
        told by `clock` (14:03:22), `day` (27/11/2026), `moment` (both, the day only where it is not today) and
        `weekday`; each takes milliseconds since 1970, or None, which is a dash.
        """
        say = partial(said, language)
        return self._environment.get_template(name).render(
            {
                **values,
                "_": say,
                "t": partial(_shown, language),
                "language": language,
                "clock": self.clock,
                "day": self.day,
                "moment": partial(self.moment, language),
                "weekday": partial(self.weekday, language),
                "span": partial(span_of, language),
            }
        )

    def local(self, at_ms: int) -> datetime:
        """The moment in the station's zone."""
        return moment(at_ms, self.zone)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._now_s(), self.zone)

    def clock(self, at_ms: int | None) -> str:
        """As 14:03:22."""
        return "–" if at_ms is None else f"{self.local(at_ms):%H:%M:%S}"

    def day(self, at_ms: int | None) -> str:
        """As 27/11/2026."""
        return "–" if at_ms is None else f"{self.local(at_ms):%d/%m/%Y}"

    def today(self) -> str:
        """As 27/11/2026."""
        return f"{self._now():%d/%m/%Y}"

    def weekday(self, language: str, at_ms: int) -> str:
        """As "Thứ Hai"."""
        return translated(DAYS[self.local(at_ms).weekday()], language)

    def moment(self, language: str, at_ms: int | None) -> str:
        """As 14:03:22, with the day where it is not today."""
        if at_ms is None:
            return "–"
        at, today = self.local(at_ms), self._now().date()
        if at.date() == today:
            return f"{at:%H:%M:%S}"
        if at.date() == today - timedelta(days=1):
            return translated(tr("yesterday {at}", at=f"{at:%H:%M:%S}"), language)
        return f"{at:%H:%M:%S %d/%m/%Y}"


def said(language: str, msgid: str, /, **values: Any) -> str:
    """A message of a template in this language; `tests/support/catalogue.py` finds it there."""
    return translated(Translatable(msgid, values), language)


def _shown(language: str, text: object) -> str:
    """A marked message of ours in this language; what a box wrote in one line that steers nothing."""
    return printable(translated(text, language))


def span_of(language: str, seconds: float | None) -> str:
    """How long, as `how_long` says it; None is a dash."""
    return "–" if seconds is None else translated(how_long(seconds), language)


@cache
def asset(name: str) -> Markup:
    """The address of a static file with the version of what is in it: a browser may keep it for ever."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return Markup("/static/{}?v={}").format(name, version)


def messages() -> Iterator[tuple[str, str]]:
    """(file, message) of every message that the templates say: for the catalogue."""
    environment = Environment(autoescape=True)
    for path in sorted(PLACE.rglob("*.html")):
        parsed = environment.parse(path.read_text(encoding="utf-8"))
        for _, _, found in extract_from_ast(parsed, ("_",), babel_style=False):
            if found and (text := found if isinstance(found, str) else found[0]):
                yield path.name, text
