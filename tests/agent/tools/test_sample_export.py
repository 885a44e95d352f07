"""agent.tools.sample_export"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands.audit import read_whole
from agent.config.schema import Config, load
from agent.errors import NgatuError, UsageError
from agent.evidence.encryption import CannotDecrypt, Recipients, new_identity
from agent.tools.sample_export import export, lying, opened
from models.dataset.coco import read_coco
from tests.support.kept_samples import NOON_MS, Opened, jpeg, sample


def box(folder: Path, frames: int, recipients: Recipients | None = None) -> Config:
    """A box on which so many frames lie, a minute apart."""
    (folder / "state").mkdir(exist_ok=True)
    kept = Opened(folder / "state", recipients=recipients)
    store = kept.open()
    for number in range(frames):
        assert store.keep(*sample(number, after_s=60 * number), jpeg())
    kept.close()
    (folder / "box.yaml").write_text(
        f"device: {{commune: test-commune, id: test-box-01}}\nbroker: {{host: localhost}}\n"
        f"state_dir: {folder / 'state'}\nsamples: {{purpose: a better detector}}\n"
        "cameras:\n  - {name: road, source: {kind: csi}}\n"
    )
    return load(folder / "box.yaml")


def audit(config: Config) -> list[dict[str, object]]:
    lines, wrong = read_whole(config.state_dir / "audit.log")
    assert wrong is None
    return [json.loads(each.text) for each in lines]


def test_what_lies_there_in_the_clear_becomes_a_data_set_and_the_log_says_who_took_it(tmp_path: Path) -> None:
    config = box(tmp_path, 3)
    done = export(config, tmp_path / "stick", (NOON_MS + 60_000) / 1000, "Lê Văn A")

    assert (done.frames, done.sealed, done.left_out) == (2, False, ())
    assert len(read_coco(tmp_path / "stick").proposed) == 2
    begun, ended = audit(config)
    assert [(each["verb"], each["state"]) for each in (begun, ended)] == [
        ("samples", "begun"),
        ("samples", "done"),
    ]
    assert begun["args"]["officer"] == "Lê Văn A"  # type: ignore[index]
    assert begun["args"]["purpose"] == "a better detector"  # type: ignore[index]
    assert len(lying(config.state_dir / "samples")) == 3, "what was taken away stays until its age"


def test_what_is_encrypted_leaves_encrypted_and_the_station_s_key_opens_it(tmp_path: Path) -> None:
    identity, public = new_identity()
    config = box(tmp_path, 2, Recipients(public))
    done = export(config, tmp_path / "stick", 0, None)

    assert (done.frames, done.sealed) == (2, True)
    assert not any(b"\xff\xd8\xff" in each.read_bytes() for each in (tmp_path / "stick/sealed").iterdir())
    assert opened(tmp_path / "stick", tmp_path / "set", identity).frames == 2
    assert len(read_coco(tmp_path / "set").proposed) == 2


def test_another_key_opens_none_and_leaves_nothing_behind(tmp_path: Path) -> None:
    config = box(tmp_path, 1, Recipients(new_identity()[1]))
    export(config, tmp_path / "stick", 0, None)

    with pytest.raises(NgatuError, match="none of 1 frames could be opened"):
        opened(tmp_path / "stick", tmp_path / "set", new_identity()[0])
    assert not (tmp_path / "set").exists()
    with pytest.raises(CannotDecrypt):
        opened(tmp_path / "stick", tmp_path / "set", "no identity")


def test_a_damaged_frame_is_left_out_and_named(tmp_path: Path) -> None:
    config = box(tmp_path, 2)
    first = lying(config.state_dir / "samples")[0]
    first.path.write_bytes(b"{}\n\xff\xd8")

    done = export(config, tmp_path / "stick", 0, None)
    assert done.frames == 1
    assert first.path.name in done.left_out[0]


def test_what_cannot_be_noted_does_not_leave(tmp_path: Path) -> None:
    config = box(tmp_path, 1)
    (config.state_dir / "audit.log").mkdir()

    with pytest.raises(NgatuError, match="nothing leaves the box"):
        export(config, tmp_path / "stick", 0, None)
    assert not (tmp_path / "stick").exists()


def test_nothing_is_written_over_and_without_frames_nothing_is_made(tmp_path: Path) -> None:
    config = box(tmp_path, 0)

    with pytest.raises(NgatuError, match="no frames"):
        export(config, tmp_path / "stick", 0, None)
    box(tmp_path, 1)
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export(config, tmp_path / "there", 0, None)
    with pytest.raises(UsageError, match="is the stick mounted"):
        export(config, tmp_path / "no" / "stick", 0, None)
    with pytest.raises(UsageError, match="no frames to open"):
        opened(tmp_path / "there", tmp_path / "set", new_identity()[0])
    assert lying(tmp_path / "nowhere") == []
