"""In which language a person is told things: by the environment as gettext reads it, by a setting, or English.

The first that is said counts: the variable `LANGUAGE`, a list such as "vi:en"; the setting `language` of the
file that a command is given; the variables `LC_ALL`, `LC_MESSAGES` and `LANG`. Only names are read: the machine
needs no locale of that name. A language that nobody has written yet is English.
"""

from __future__ import annotations

import functools
import gettext
import os
import re
import string
from pathlib import Path
from typing import Any, Final, Literal, get_args

from agent.translatable import Translatable, tr

Language = Literal["en", "vi"]
"""Those that are written: English in the source, the others in `locale/`."""
LANGUAGES: Final[tuple[str, ...]] = get_args(Language)
DOMAIN: Final = "ngatu"
LOCALE: Final = Path(__file__).with_name("locale")

_MAX_READ_BYTES: Final = 1 << 20
_SETTING: Final = re.compile(rb"^language:[ \t]*[\"']?([a-z]+)", re.MULTILINE)
_chosen: list[str] = []
"""What the file of this process says; none or one."""


def choose(setting: str | None) -> None:
    """Let this setting count from now on; None: there is none."""
    _chosen[:] = [] if setting is None else [setting]


def choose_by(file: Path | None) -> None:
    """Let the setting in a file count, before anyone has judged the file: its mistakes are told in it, too."""
    if file is None:
        choose(None)
        return
    try:
        with file.open("rb") as opened:
            found = _SETTING.search(opened.read(_MAX_READ_BYTES))
    except OSError:  # whoever reads it will say so
        found = None
    choose(found[1].decode() if found else None)


def language() -> str:
    """In which people are told things now."""
    said = (
        os.environ.get("LANGUAGE", "").split(":"),
        _chosen,
        [next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")],
    )
    names = next((names for names in said if any(names)), [])
    codes = (re.split(r"[_.@-]", name.lower())[0] for name in names)
    return next((code for code in codes if code in LANGUAGES), LANGUAGES[0])


def translated(text: object, into: str | None = None) -> str:
    """The text for a person; of an error its own. What is not marked by `tr` stays as it is.

    `into` is the language, where it is not that of who is told.
    """
    text = str(text)
    if not isinstance(text, Translatable):
        return text
    told_in = into or language()
    values = {
        name: translated(_REASONS.get(value, value), told_in) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    msgid = _catalogue(told_in).gettext(text.msgid) if text.msgid else ""
    return text.by(_FORMATTERS.get(told_in, string.Formatter()).vformat(msgid, (), values))


def catalogued(code: str) -> tuple[str, ...]:
    """Every message that is translated into a language, as it stands in the source."""
    found = vars(_catalogue(code)).get("_catalog", {})
    return tuple(msgid for msgid in found if isinstance(msgid, str) and msgid)


class _DecimalComma(string.Formatter):
    """Writes 1.234,5 where English writes 1,234.5; what no format is given for stays as it is."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        shown = super().format_field(value, format_spec)
        swapped = format_spec and isinstance(value, int | float)
        return shown.translate(str.maketrans(",.", ".,")) if swapped else shown


_FORMATTERS: Final = {"vi": _DecimalComma()}


_REASONS: Final[dict[str, str]] = {
    str(words): words
    for words in (
        tr("No such file or directory"),
        tr("Permission denied"),
        tr("Operation not permitted"),
        tr("No space left on device"),
        tr("Read-only file system"),
        tr("Input/output error"),
        tr("Is a directory"),
        tr("Not a directory"),
        tr("File exists"),
        tr("Disk quota exceeded"),
        tr("Address already in use"),
        tr("Connection refused"),
        tr("Connection reset by peer"),
        tr("Connection timed out"),
        tr("Network is unreachable"),
        tr("No route to host"),
        tr("Name or service not known"),
        tr("Temporary failure in name resolution"),
        tr("No address associated with hostname"),
    )
}
"""What the system says most, wherever it is a value of a message."""


@functools.lru_cache(maxsize=len(LANGUAGES))
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == LANGUAGES[0]:
        return gettext.NullTranslations()
    # Here: a tenth of what a small program needs to start, and most are told to in English or say nothing.
    from importlib.resources import files  # noqa: PLC0415

    try:
        place = files(__package__) / "locale" / code / "LC_MESSAGES" / f"{DOMAIN}.mo"  # in a ZIP file, too
        with place.open("rb") as file:
            return gettext.GNUTranslations(file)
    except OSError:
        return gettext.NullTranslations()
