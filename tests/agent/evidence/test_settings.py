"""agent.evidence.settings: what may be said about footage."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.evidence.encryption import new_identity
from agent.evidence.settings import EvidenceSettings, RecordSettings


def test_nothing_is_recorded_unless_it_is_said() -> None:
    assert RecordSettings().mode == "off"
    assert EvidenceSettings().recipient is None


def test_a_recipient_is_an_age_public_key_and_never_the_secret() -> None:
    identity, key = new_identity()
    assert EvidenceSettings(recipient=key).recipient == key
    for wrong in (identity, "age1nonsense", ""):
        with pytest.raises(ValidationError, match="not an age public key") as caught:
            EvidenceSettings(recipient=wrong)
        assert not wrong or wrong not in str(caught.value)


def test_the_partition_of_the_footage_is_where_its_folder_is() -> None:
    for folder in ("/srv/footage", "/srv/footage/ring"):
        assert EvidenceSettings(folder=folder, mount="/srv/footage").mount  # type: ignore[arg-type]
    for folder, mount in ((None, "/srv/footage"), ("/srv", "/srv/footage"), ("srv/footage", "srv/footage")):
        with pytest.raises(ValidationError, match="does not lie below mount"):
            EvidenceSettings(folder=folder, mount=mount)  # type: ignore[arg-type]


def test_a_folder_on_which_nothing_is_mounted_is_told(tmp_path: Path) -> None:
    assert not EvidenceSettings().unmounted
    assert EvidenceSettings(folder=tmp_path, mount=tmp_path).unmounted
    assert EvidenceSettings(folder=tmp_path / "gone", mount=tmp_path / "gone").unmounted
    assert not EvidenceSettings(folder=Path("/proc"), mount=Path("/proc")).unmounted
