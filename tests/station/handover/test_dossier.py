"""station.handover.dossier"""

from __future__ import annotations

from hashlib import sha256

import pytest

from agent.errors import NgatuError
from station.footage.folder import FootageStage
from station.handover.dossier import Dossiers, NotJudged, PlaceNames, dossier_of
from tests.support.judged_packages import JudgedPackages
from verifier.findings import PackageVerdict

NAMES = PlaceNames("Ngã tư", "Hướng Bắc")


def test_a_package_is_judged_as_it_lies_there(packages: JudgedPackages) -> None:
    folder = packages.here()

    found = dossier_of(folder, packages.custody, NAMES)

    assert found.judgement.verdict is PackageVerdict.AUTHENTIC
    assert [film.name for film in found.films] == ["footage-1.mp4", "footage-2.mp4"]
    assert all(film.start < film.end for film in found.films)
    sizes = {file.name: (file.bytes, file.sha256) for file in found.files}
    data = (folder.package / "footage-1.mp4").read_bytes()
    assert sizes["footage-1.mp4"] == (len(data), sha256(data).hexdigest())
    assert [entry.act for entry in found.judgement.custody] == ["received", "opened", "verified"]


def test_a_file_that_did_not_come_is_missing_and_no_film(packages: JudgedPackages) -> None:
    found = dossier_of(packages.here(lost="footage-2.mp4"), packages.custody, NAMES)

    assert found.judgement.verdict is PackageVerdict.MISSING
    assert [film.name for film in found.films] == ["footage-1.mp4"]


def test_what_is_not_here_or_was_not_judged_has_no_dossier(packages: JudgedPackages) -> None:
    asked, unjudged, keyless = (
        packages.asked("01-asked"),
        packages.here("02-unjudged"),
        packages.here("03-keyless"),
    )
    unjudged.tell(verdict="not judged")
    keyless.key.unlink()

    for folder, why in ((asked, "not here yet"), (unjudged, "was not judged"), (keyless, "was not judged")):
        with pytest.raises(NotJudged, match=why):
            dossier_of(folder, packages.custody, NAMES)
    asked.tell(stage=FootageStage.ARRIVED)
    with pytest.raises(NotJudged, match="not here yet"):
        dossier_of(asked, packages.custody, NAMES)


def test_it_is_judged_anew_only_once_something_has_changed(packages: JudgedPackages) -> None:
    folder, kept = packages.here(), Dossiers(packages.custody)

    first = kept.of(folder, NAMES)
    assert kept.of(folder, NAMES) is first

    film = folder.package / "footage-1.mp4"
    data = bytearray(film.read_bytes())
    data[-1] ^= 1
    film.write_bytes(data)
    assert kept.of(folder, NAMES).judgement.verdict is PackageVerdict.NOT_AUTHENTIC


def test_a_station_key_that_cannot_be_read_is_told(packages: JudgedPackages) -> None:
    folder = packages.here()
    (packages.state_dir / "custody.key").write_text("no key")

    with pytest.raises(NgatuError):
        dossier_of(folder, packages.custody, NAMES)
