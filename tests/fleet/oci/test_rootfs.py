"""fleet.oci.rootfs; the whole way is `make test-image`"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.oci.rootfs import INCLUDED, USER, make_root, words


def test_what_is_installed_is_what_lies_in_the_folder_and_nothing_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "pip-26.3-py3-none-any.whl").touch()
    (tmp_path / "ngatu-0.1.0-py3-none-any.whl").touch()
    given = words(tmp_path, Path("/somewhere/root.tar"), "http://mirror.example/debian")
    assert given[-3:] == ["trixie", "/somewhere/root.tar", "http://mirror.example/debian"]
    assert f"--include={','.join(INCLUDED)}" in given
    hooks = [word.partition("=")[2] for word in given if word.startswith("--customize-hook=")]
    assert hooks[0] == f"copy-in {tmp_path} /"
    (install,) = [hook for hook in hooks if " install --no-index " in hook]
    assert "/pip-26.3-py3-none-any.whl/pip install --no-index --no-deps" in install
    assert any(f"useradd --system --uid {USER}" in hook for hook in hooks)
    assert all(hook.startswith('chroot "$1" ') for hook in hooks[1:])


def test_without_the_program_that_makes_it_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NgatuError, match="mmdebstrap is not here") as refused:
        make_root(tmp_path, tmp_path / "root.tar")
    assert refused.value.hint == "apt install mmdebstrap"
