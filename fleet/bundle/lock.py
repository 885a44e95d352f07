"""Which wheels a bundle was built of, as a file by which it is built again: the same bytes, months later.

The form is pip's own, requirements with hashes (https://pip.pypa.io/en/stable/topics/secure-installs/), so
anybody can read it, and pip itself refuses another file of the same name. It holds what came from the registry:
not ngatu's own wheel, which the source gives, nor what was given with --instead, nor fonts that are built here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name, parse_wheel_filename

from agent.errors import NgatuError
from fleet.bundle.archive import content

SUFFIX: Final = ".lock"
"""Beside the bundle, in place of `.bundle`."""
_LINE: Final = re.compile(r"[a-z0-9-]+==[^\s;]+ --hash=sha256:[0-9a-f]{64}")


def text(
    about: str,
    wheels: Iterable[Path],
    without: Collection[str],
    how: str = "ngatu bundle build --lock THIS_FILE",
) -> str:
    """The file; `without` are names of packages that come from elsewhere, `how` is what is done with it."""
    lines = []
    for path in wheels:
        name, version, *_ = parse_wheel_filename(path.name)
        if canonicalize_name(name) not in without:
            lines.append(f"{name}=={version} --hash=sha256:{content(path).sha256}")
    return "\n".join([f"# {about}: {how}", *sorted(lines)]) + "\n"


def require(path: Path) -> None:
    """See to it that this is such a file: pip would take options and addresses out of another one, too.

    Raises:
        NgatuError: it is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NgatuError(f"{path}: {getattr(error, 'strerror', None) or 'no text'}", HINT) from None
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            raise NgatuError(f"{path}:{number}: this is no line of a lock: {line[:80]!r}", HINT)
    if not any(map(_LINE.fullmatch, lines)):
        raise NgatuError(f"{path}: this lock names no package", HINT)


HINT: Final = "give the .lock that `ngatu bundle build` has written beside the bundle"
