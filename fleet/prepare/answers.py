"""Where answers come from: somebody at the terminal, or a file. What was answered is noted, but for secrets.

answers.yml in the province's folder: what was answered, so that the next run goes on behind it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

from agent.errors import NgatuError
from fleet.prepare.questions import COMMUNE, PROVINCE, SECRETS, Answers, Question
from fleet.whole_file import write_whole


class Answerer(Protocol):
    """Whoever answers."""

    def word(self, question: Question, guess: str, *, twice: bool) -> str:
        """What is answered, or `guess` if nothing is; NgatuError: nothing ever will be."""

    def refused(self, question: Question, why: NgatuError) -> None:
        """Tell what is wrong with the answer; raises it on if no other can come."""


@dataclass(frozen=True, slots=True)
class FromFile:
    """Answers in a YAML file, for whoever prepares many computers; and secrets, if nobody else may read it."""

    path: Path
    words: Answers

    def word(self, question: Question, guess: str, *, twice: bool) -> str:
        """As in the file."""
        word = self.words.get(question.key, guess)
        if not word and not question.may_be_empty:
            raise NgatuError(f"{self.path}: {question.key} is missing", question.ask)
        return word

    def refused(self, question: Question, why: NgatuError) -> None:
        """The file will not say anything else."""
        raise NgatuError(f"{self.path}: {question.key}: {why.what}", why.hint)


def read(path: Path) -> FromFile:
    """A file of answers.

    Raises:
        NgatuError: it cannot be read, has keys that nobody asks for, or secrets that others can read.
    """
    words = _words(path)
    secrets = [each.key for each in SECRETS if each.key in words]
    if secrets and path.stat().st_mode & 0o077:
        raise NgatuError(f"{path}: others can read {', '.join(secrets)}", f"chmod 600 {path}")
    return FromFile(path, words)


@dataclass
class Noted:
    """The answers, each written down as soon as it is right; secrets are not."""

    path: Path
    source: Answerer
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path.exists():
            self.words = dict(_words(self.path))

    def ask(self, questions: Sequence[Question]) -> None:
        """Ask what is not answered yet, until the answer is right."""
        for question in questions:
            if question.key not in self.words and question.asked(self.words):
                self.words[question.key] = self._right(question)
                self._note()

    def secret(self, question: Question, *, new: bool = True) -> str:
        """An answer that is kept nowhere; typed twice if it is new."""
        return self._right(question, twice=new)

    def _right(self, question: Question, *, twice: bool = False) -> str:
        while True:
            word = self.source.word(question, question.guess(self.words), twice=twice)
            try:
                return question.judge(word, self.words) if word or not question.may_be_empty else ""
            except NgatuError as why:
                self.source.refused(question, why)

    def _note(self) -> None:
        written = yaml.safe_dump(self.words, allow_unicode=True, sort_keys=False)
        write_whole(self.path, written.encode(), 0o600)


def _words(path: Path) -> dict[str, str]:
    hint = "one KEY: answer on each line"
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", hint) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise NgatuError(f"{path}: this is no file of answers", hint) from None
    if not isinstance(read, dict):
        raise NgatuError(f"{path}: this is no file of answers", hint)
    known = {each.key for each in (*PROVINCE, *COMMUNE, *SECRETS)}
    if strange := sorted(str(key) for key in read if key not in known):
        raise NgatuError(
            f"{path}: nobody asks for {', '.join(strange)}", f"there are {', '.join(sorted(known))}"
        )
    if wrong := [key for key, word in read.items() if isinstance(word, dict | list | float | bool)]:
        raise NgatuError(f"{path}: {wrong[0]}: this is no word", 'put it in quotes, such as purpose: "yes"')
    return {key: "" if word is None else str(word) for key, word in read.items()}
