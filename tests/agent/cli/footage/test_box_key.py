"""agent.cli.footage.box_key"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli.main import commands
from agent.evidence.box_key import FILE, box_key
from agent.evidence.package.manifest import fingerprint
from verifier.keys import read_key

CONFIG = """\
device: {{commune: hai-ninh, id: north-01}}
state_dir: {state}
broker: {{host: 127.0.0.1}}
cameras: [{{name: north, source: {{kind: file, path: clip.mp4}}}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG.format(state=tmp_path))
    return tmp_path / "config.yaml"


def said(config: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(commands, ["box-key", "-c", str(config), *words])
    return done.exit_code, done.stdout, done.stderr


def test_its_public_half_is_what_the_verifier_reads(config: Path, tmp_path: Path) -> None:
    key = box_key(tmp_path / FILE).public_key()
    code, out, err = said(config)
    (tmp_path / "printed").write_text(out)
    saved = said(config, "--save", str(tmp_path / "saved"))

    assert (code, err) == (0, f"fingerprint {fingerprint(key)}\n")
    assert saved == (0, f"fingerprint {fingerprint(key)}\n", "")
    assert read_key(tmp_path / "printed") == read_key(tmp_path / "saved") == key


def test_it_makes_no_key_in_the_agents_place(config: Path, tmp_path: Path) -> None:
    code, out, err = said(config)

    assert (code, out) == (1, "")
    assert "there is no key yet" in err
    assert not (tmp_path / FILE).exists()


def test_a_place_that_cannot_be_written_is_told(config: Path, tmp_path: Path) -> None:
    box_key(tmp_path / FILE)
    code, _, err = said(config, "--save", str(tmp_path / "away" / "box.pub"))

    assert (code, err) == (1, f"{tmp_path}/away/box.pub: No such file or directory\n")
