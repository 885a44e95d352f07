"""fleet.bundle.installed: the wheel, out of what pip has laid out"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from agent.errors import NgatuError
from fleet.bundle.installed import wheel_again
from fleet.bundle.wheels import read_wheel

INFO = "ngatu-9.9.0.dist-info"
OWN = {
    "agent/__init__.py": b"",
    "agent/locale/x.po": "ngã tư".encode(),
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: ngatu\nVersion: 9.9.0\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
"""Of a wheel, at the same place when it is installed."""
PAGE = b".TH NGATU 1\n"
ADDED = {
    f"{INFO}/INSTALLER": b"pip\n",
    f"{INFO}/direct_url.json": b"{}",
    "../../../bin/ngatu": b"#!/usr/bin/python3\n",
    "agent/__pycache__/__init__.cpython-311.pyc": b"\0",
}
"""By whoever installs it."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment's packages, with ngatu among them."""
    folder = tmp_path / "venv" / "lib" / "python3" / "site-packages"
    everything = OWN | ADDED | {"../../../share/man/man1/ngatu.1": PAGE}
    for name, data in everything.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    record = [
        f"{name},{'' if '__pycache__' in name else 'sha256=' + digest(data)},{len(data)}\n"
        for name, data in everything.items()
    ]
    (folder / INFO / "RECORD").write_text("".join([*record, f"{INFO}/RECORD,,\n"]))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.syspath_prepend(folder)
    return folder


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.mark.usefixtures("site")
def test_what_was_in_the_wheel_goes_back_and_what_was_added_stays_out(tmp_path: Path) -> None:
    path = wheel_again(tmp_path)

    assert path.name == "ngatu-9.9.0-py3-none-any.whl"
    assert str(read_wheel(path).version) == "9.9.0"
    with ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    record = held.pop(f"{INFO}/RECORD").decode().splitlines()
    assert held == OWN | {"ngatu-9.9.0.data/data/share/man/man1/ngatu.1": PAGE}
    assert record[-1] == f"{INFO}/RECORD,,"
    assert sorted(record[:-1]) == sorted(
        f"{name},sha256={digest(data)},{len(data)}" for name, data in held.items()
    )


@pytest.mark.usefixtures("site")
def test_the_same_installation_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for each in folders:
        each.mkdir()

    first, second = (wheel_again(each).read_bytes() for each in folders)
    assert first == second


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text("mine"), "it was changed after it was installed"),
        (lambda path: path.unlink(), "No such file"),
    ],
    ids=["changed", "missing"],
)
def test_a_file_that_is_not_as_it_was_installed_is_named_and_no_wheel_is_left(
    site: Path, tmp_path: Path, spoil: object, message: str
) -> None:
    spoil(site / "agent" / "locale" / "x.po")  # type: ignore[operator]

    with pytest.raises(NgatuError, match=rf"agent/locale/x\.po: {message}"):
        wheel_again(tmp_path)
    assert not list(tmp_path.glob("*.whl"))


def test_what_was_installed_from_a_checkout_has_no_wheel_and_says_what_to_do(
    site: Path, tmp_path: Path
) -> None:
    record = (site / INFO / "RECORD").read_text()
    (site / INFO / "RECORD").write_text(record.replace("agent/__init__.py", "__editable__.ngatu.pth"))
    (site / "__editable__.ngatu.pth").write_bytes(OWN["agent/__init__.py"])

    with pytest.raises(NgatuError, match="was not installed here from a wheel") as why:
        wheel_again(tmp_path)
    assert "--wheel" in why.value.hint and "--source" in why.value.hint
