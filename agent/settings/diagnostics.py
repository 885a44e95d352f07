"""What is wrong in a file of settings, each mistake with its line, its setting and a hint.

    north.yaml:14: cameras[0].motion.treshold: no such setting; did you mean threshold?
    north.yaml:15: cameras[0].motion.threshold: 300 is outside 1..255

Values are quoted so that they cannot break a line or a terminal, and never where a secret may have been typed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import ConfigError
from agent.settings.location import line_of_path
from agent.settings.quoting import Path
from agent.settings.refusals import MAX_TOLD, Mistake, example_command, mistakes_of
from agent.settings.scalars import shown
from agent.settings.yaml import MAX_BYTES, UnreadableYaml, read
from agent.translatable import Translatable, joined, tr

Finding = tuple[Path, str, str]
"""Where, what, hint: a mistake that a check across several settings has found."""
Checks = Callable[[Any], Iterable[Finding]]
"""Given the file as dicts and lists of any content, tells what does not fit together in it."""

Another = Callable[[dict[str, Any]], tuple[str, str] | None]
"""Given the file, what and hint if it is a file of another kind: of a station where a box's is wanted."""

M = TypeVar("M", bound=BaseModel)


def read_bounded(path: FilePath, hint: Translatable) -> bytes:
    """The bytes of a file of settings, not judged yet; never much more than may be in one.

    Raises:
        ConfigError: the file cannot be read; `hint` says what to do.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        what = tr("{path}: cannot be read: {reason}", path=path, reason=error.strerror or type(error).__name__)
        raise ConfigError(what, hint) from None


def read_settings(
    data: bytes, file: str, model: type[M], checks: Checks | None = None, another: Another | None = None
) -> M:
    """The settings in a YAML text; of a file of another kind no mistakes are told, only that it is one.

    Raises:
        ConfigError: with every mistake, one in a line, in the order of the lines.
    """
    settings, mistakes = judged(data, model, checks, another)
    if mistakes or settings is None:
        raise _config_error(mistakes, file)
    return settings


def judged(
    data: bytes, model: type[M], checks: Checks | None = None, another: Another | None = None
) -> tuple[M | None, list[Mistake]]:
    """The settings in a YAML text, and every mistake in it; settings with a mistake are not to be used."""
    try:
        root, faults = read(data)
    except UnreadableYaml as error:
        return None, [Mistake(f.line, f.path, f.what, f.hint) for f in error.faults]
    mistakes = [Mistake(f.line, f.path, f.what, f.hint) for f in faults]
    plain = root.plain()
    findings = list((checks or _no_checks)(plain))
    settings: M | None = None
    if another is not None and isinstance(plain, dict) and (kind_of_file := another(plain)):
        return None, [Mistake(1, (), *kind_of_file)]
    if root.value is None and not root.refused:
        hint = tr("start from `{command}`", command=example_command(model))
        mistakes.append(Mistake(1, (), tr("the file has no settings"), hint))
    else:
        try:
            # JSON mode: texts become paths and enums, lists become tuples; strict: "no" never becomes False.
            settings = model.model_validate_json(json.dumps(plain), strict=True)
        except ValidationError as error:
            mistakes += [
                each for each in mistakes_of(error, root, model) if not _said_of_the_whole(each.path, findings)
            ]
        mistakes += [Mistake(line_of_path(root, path), path, what, hint) for path, what, hint in findings]
    return settings, mistakes


def _said_of_the_whole(path: Path, findings: Sequence[Finding]) -> bool:
    """Whether a check has said what is wrong with all of a list or group that this is a part of."""
    return any(len(path) > len(whole) and path[: len(whole)] == whole for whole, _what, _hint in findings)


def _no_checks(_plain: Any) -> Iterable[Finding]:
    return ()


def _config_error(mistakes: list[Mistake], file: str) -> ConfigError:
    lines: dict[str, None] = {}
    for mistake in sorted(mistakes, key=lambda m: m.line):
        if len(lines) > MAX_TOLD:
            break
        lines[mistake.line_of(shown(file, 200))] = None
    if len(lines) > MAX_TOLD:
        return ConfigError(joined("\n", [*list(lines)[:MAX_TOLD], tr("… and more; correct these first")]))
    return ConfigError(joined("\n", lines))
