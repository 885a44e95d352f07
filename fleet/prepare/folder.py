"""What playbooks need, written out for whoever has only the wheel: `ngatu fleet init`.

    FOLDER/deploy/ansible/     playbooks, roles, and inventory/example
    FOLDER/deploy/systemd/     the units

The wheel carries it as `fleet/deploy` (setup.py); in a checkout it is `deploy` itself.

Invariants
1. What is there is never written over: another `deploy` than ours is refused, our own is left as it is.
2. `deploy` is there whole or not at all.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import fleet
from agent.errors import NgatuError
from fleet.whole_file import require_takes

DEPLOY: Final = "deploy"
WRITTEN: Final = (
    "ansible/*.yml",
    "ansible/*.cfg",
    "ansible/README.md",
    "ansible/host_vars/localhost.yml",
    "ansible/inventory/example/**/*",
    "ansible/roles/**/*",
    "locks/*.lock",
    "oci/*.conf",
    "oci/*.yaml",
    "systemd/*",
)
"""As setup.py puts it into the wheel: in a checkout somebody's own keys and inventory may lie there too."""


def carried() -> Path:
    """Where this ngatu has its own `deploy`.

    Raises:
        NgatuError: nowhere, as after a copy by hand.
    """
    package = Path(fleet.__file__).parent
    for place in (package / DEPLOY, package.parent / DEPLOY):
        if (place / "ansible" / "site.yml").is_file():
            return place
    raise NgatuError(f"{package}: the playbooks are missing", "install ngatu again, from its wheel")


def files(deploy: Path) -> list[Path]:
    """Of such a folder what `fleet init` writes, by paths within it; in a checkout nothing of one's own."""
    found = {path.relative_to(deploy) for each in WRITTEN for path in deploy.glob(each) if path.is_file()}
    return sorted(each for each in found if "__pycache__" not in each.parts)


def write(folder: Path) -> bool:
    """`deploy` below the folder, which is made if need be; False: it was there already, as we would write it.

    Raises:
        NgatuError: something else is there, or it cannot be written.
    """
    source, target = carried(), folder / DEPLOY
    names = files(source)
    if os.path.lexists(target):
        _refuse_another(source, target, names)
        return False
    require_takes(folder, "name a folder in which you may write")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{DEPLOY}-", dir=folder) as part:
            whole = Path(part, DEPLOY)
            for name in names:
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, whole / name)
            whole.rename(target)  # invariant 2
    except OSError as error:
        raise NgatuError(
            f"{folder}: {error.strerror or error}", "name a folder in which you may write"
        ) from None
    return True


def _refuse_another(source: Path, target: Path, names: list[Path]) -> None:
    other = [
        name
        for name in names
        if not (target / name).is_file() or not filecmp.cmp(source / name, target / name, shallow=False)
    ]
    if other:
        raise NgatuError(
            f"{target}: it is there and is another: {len(other)} of {len(names)} files, first {other[0]}; "
            "nothing was written",
            "name a new folder: each version of ngatu needs its own",
        )
