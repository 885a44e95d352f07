"""What somebody wrote, with what of it is understood already taken out. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

_TAKEN: Final = "\0"
"""Stands for each letter that is understood: no pattern matches it, and no phrase goes over it."""


def bare(text: str) -> str:
    """Without accents and capitals, letter for letter: as it is typed where there is no Vietnamese keyboard."""
    return "".join(_bare(letter) for letter in unicodedata.normalize("NFC", text))


def _bare(letter: str) -> str:
    if letter in "đĐ":
        return "d"
    low = unicodedata.normalize("NFD", letter)[0].lower()
    return low if len(low) == 1 else letter


class SpokenText:
    """A text of which phrases are taken one after the other."""

    def __init__(self, text: str) -> None:
        self._said = unicodedata.normalize("NFC", text)
        self._left = bare(self._said).replace(_TAKEN, " ")

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first place that matches, which is understood now; None: there is none."""
        found = pattern.search(self._left)
        if found is not None:
            self._cover(found)
        return found

    def take_if(
        self, pattern: re.Pattern[str], counts: Callable[[re.Match[str]], bool]
    ) -> re.Match[str] | None:
        """The first place that matches and counts."""
        found = next((each for each in pattern.finditer(self._left) if counts(each)), None)
        if found is not None:
            self._cover(found)
        return found

    def take_all(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Every place that matches."""
        found = []
        while (one := self.take(pattern)) is not None and one.end() > one.start():
            found.append(one)
        return found

    def as_said(self, found: re.Match[str], group: int = 0) -> str:
        """What was matched, as it was written."""
        return self._said[found.start(group) : found.end(group)]

    def rest(self, without: frozenset[str]) -> list[str]:
        """Words that nobody has taken, as they were written; neighbours stand together."""
        found: list[str] = []
        last_end = -1
        for word in re.finditer(r"[^\s,;:.!?()\"“”\0]+", self._left):
            if word[0] in without or not re.search(r"\w", word[0]):
                continue
            text = self._said[word.start() : word.end()]
            if found and self._left[last_end : word.start()] == " ":
                found[-1] += f" {text}"
            else:
                found.append(text)
            last_end = word.end()
        return found

    def _cover(self, found: re.Match[str]) -> None:
        taken = _TAKEN * (found.end() - found.start())
        self._left = self._left[: found.start()] + taken + self._left[found.end() :]


def phrase(*ways: str) -> re.Pattern[str]:
    """Any of these, as whole words, the longest first; each is text without accents."""
    listed = sorted((re.escape(way).replace(r"\ ", r"[\s_-]+") for way in ways), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(listed)})(?!\w)")
