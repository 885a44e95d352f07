"""What somebody wrote, with what of it is understood already taken out. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_TAKEN: Final = "\0"
"""Stands for each letter that is understood: no pattern matches it, and no phrase goes over it."""


def bare(text: str) -> str:
    """Without accents and capitals, letter for letter: as it is typed where there is no Vietnamese keyboard."""
    return "".join(_bare(letter) for letter in unicodedata.normalize("NFC", text))


@functools.lru_cache(maxsize=65_536)
def same_word(said: str, name: str) -> bool:
    """Whether a word may be that of a name, both in small letters: what is written with accents has them all.

    On which of two vowels an accent stands is written in two ways, and does not matter.
    """
    low = bare(name)
    if bare(said) != low:
        return False
    return low in (said, name) or _accents(said) == _accents(name)


def _accents(word: str) -> tuple[str, list[str]]:
    """Letters, and marks in an order of their own."""
    parts = unicodedata.normalize("NFD", word)
    letters = "".join(each for each in parts if not unicodedata.combining(each))
    return letters, sorted(each for each in parts if unicodedata.combining(each))


def _bare(letter: str) -> str:
    if letter in "đĐ":
        return "d"
    low = unicodedata.normalize("NFD", letter)[0].lower()
    return low if len(low) == 1 else letter


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word that nobody has taken yet."""

    start: int
    end: int
    said: str
    """As it was written."""
    follows: bool
    """Nothing but blanks and dashes between it and the word before."""


class SpokenText:
    """A text of which phrases are taken one after the other."""

    def __init__(self, text: str) -> None:
        self._said = unicodedata.normalize("NFC", text)
        self._left = bare(self._said).replace(_TAKEN, " ")

    def find(
        self, pattern: re.Pattern[str], counts: Callable[[re.Match[str]], bool] | None = None
    ) -> re.Match[str] | None:
        """The first place that matches and counts, which is not taken by that."""
        return next((each for each in pattern.finditer(self._left) if counts is None or counts(each)), None)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first place that matches, which is understood now; None: there is none."""
        found = self.find(pattern)
        if found is not None:
            self.cover(*found.span())
        return found

    def take_if(
        self, pattern: re.Pattern[str], counts: Callable[[re.Match[str]], bool]
    ) -> re.Match[str] | None:
        """The first place that matches and counts."""
        found = self.find(pattern, counts)
        if found is not None:
            self.cover(*found.span())
        return found

    def take_all(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Every place that matches."""
        found = []
        while (one := self.take(pattern)) is not None and one.end() > one.start():
            found.append(one)
        return found

    def as_said(self, found: re.Match[str], group: int | str = 0) -> str:
        """What was matched, as it was written."""
        return self._said[found.start(group) : found.end(group)]

    def between(self, start: int, end: int) -> str:
        """As it was written."""
        return self._said[start:end]

    def before(self, found: re.Match[str]) -> str:
        """All before what was matched, without accents, whether it is taken or not."""
        return bare(self._said[: found.start()])

    def words(self) -> list[SpokenWord]:
        """Those that nobody has taken, in order."""
        found: list[SpokenWord] = []
        for word in re.finditer(r"[^\W_]+", self._left):
            gap = self._left[found[-1].end : word.start()] if found else "."
            follows = re.fullmatch(r"[\s_-]+", gap) is not None
            found.append(SpokenWord(word.start(), word.end(), self._said[word.start() : word.end()], follows))
        return found

    def rest(self, without: frozenset[str]) -> list[str]:
        """Words that nobody has taken, as they were written; neighbours stand together.

        `without` has words as they are written, with accents and without.
        """
        found: list[str] = []
        last_end = -1
        for word in re.finditer(r"[^\s,;:.!?()\"“”\0]+", self._left):
            text = self._said[word.start() : word.end()]
            if text.lower() in without or not re.search(r"\w", word[0]):
                continue
            if found and self._left[last_end : word.start()] == " ":
                found[-1] += f" {text}"
            else:
                found.append(text)
            last_end = word.end()
        return found

    def cover(self, start: int, end: int) -> None:
        """Takes what stands there."""
        self._left = self._left[:start] + _TAKEN * (end - start) + self._left[end:]


def phrase(*ways: str) -> re.Pattern[str]:
    """Any of these, as whole words, the longest first; each is text without accents."""
    listed = sorted((re.escape(way).replace(r"\ ", r"[\s_-]+") for way in ways), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(listed)})(?!\w)")
