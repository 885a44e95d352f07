"""The one way from the words of a command to its lines and its exit code, with `ngatu` and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from agent.language import translated
from verifier.findings import PackageVerdict
from verifier.judge import judge
from verifier.keys import read_key
from verifier.report import as_json, lines


def run(package: Path, key: Path, station: Path | None, in_json: bool, say: Callable[[str], None]) -> bool:
    """Judge a package and say what was found; whether it is authentic, with nothing missing.

    Raises:
        UsageError: a file that was named is not there, or is no key.
        Unreadable: the package is neither a folder nor a ZIP file, or cannot be read.
    """
    judgement = judge(package, read_key(key), read_key(station) if station else None)
    if in_json:
        say(json.dumps(as_json(judgement), ensure_ascii=True))
    else:
        for each in lines(judgement):
            say(translated(each))
    return judgement.verdict is PackageVerdict.AUTHENTIC
