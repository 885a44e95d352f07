"""Programs of the system that a test needs: where one is missing it is skipped, and in CI it fails"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Final

import pytest

OPENSSH: Final = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "openssl": "openssl"}
"""What an administrator's computer has, by the Debian package that brings it."""


def require(programs: Mapping[str, str]) -> None:
    """Go on only where each program is; `programs` are their names, each with its Debian package."""
    missing = {name: package for name, package in programs.items() if shutil.which(name) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"{', '.join(missing)} not here: apt install {packages}"
        )
