"""agent.tools.clip"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.commands.audit import verify
from agent.config.schema import Config, load
from agent.errors import FootageError, NgatuError, UsageError
from agent.evidence.box_key import FILE, box_key
from agent.evidence.encryption import decrypt
from agent.tools.clip import Asked, cut
from tests.support.footage import NOON_S, RingBench
from verifier.findings import PackageVerdict
from verifier.judge import judge


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RingBench]:
    (tmp_path / "state/evidence").mkdir(parents=True)
    bench = RingBench(tmp_path / "state/evidence")
    bench.record(40)
    yield bench
    bench.ring.close()


@pytest.fixture
def config(tmp_path: Path, bench: RingBench) -> Config:
    path = tmp_path / "box.yaml"
    path.write_text(
        f"device: {{commune: hai-ninh, id: hai-ninh-03}}\nstate_dir: {tmp_path / 'state'}\n"
        f"broker: {{host: localhost}}\nevidence: {{recipient: {bench.recipient}}}\n"
        "cameras:\n  - {name: north, source: {kind: csi}, record: {mode: continuous}}\n"
    )
    return load(path)


def asked(from_s: float, to_s: float) -> Asked:
    first, last = (datetime.fromtimestamp(NOON_S + each, UTC) for each in (from_s, to_s))
    return Asked("north", first, last, "12/2026", "collision", "Lê Văn A")


def test_a_package_is_cut_beside_the_agent_and_only_the_station_can_read_it(
    bench: RingBench, config: Config, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    folder = tmp_path / "stick"

    manifest = cut(config, asked(4, 16), folder, lambda done, total: steps.append((done, total)))

    key = box_key(config.state_dir / FILE).public_key()
    assert judge(folder, key).verdict is PackageVerdict.AUTHENTIC
    assert not list(folder.glob("*.mp4"))
    assert decrypt((folder / "footage-1-00000.age").read_bytes(), bench.identity) == b"init of run-1"
    assert steps[-1][0] == steps[-1][1] == sum(path.stat().st_size for path in folder.iterdir())
    assert manifest.request.officer == "Lê Văn A"
    assert manifest.facts.box.device == "hai-ninh-03"


def test_who_took_it_away_stands_in_the_audit_log_before_anything_else(config: Config, tmp_path: Path) -> None:
    with pytest.raises(FootageError):
        cut(config, asked(4000, 4010), tmp_path / "stick", lambda *_: None)
    cut(config, asked(4, 16), tmp_path / "stick", lambda *_: None)

    lines = [json.loads(line) for line in (config.state_dir / "audit.log").read_text().splitlines()]
    assert [line["verb"] for line in lines] == ["clip", "clip"]
    assert lines[1]["args"]["officer"] == "Lê Văn A"
    assert lines[1]["issuer"].endswith(", at the box")
    assert verify(config.state_dir / "audit.log") is None


def test_where_nothing_is_there_it_says_what_there_is_and_leaves_no_folder(
    config: Config, tmp_path: Path
) -> None:
    with pytest.raises(FootageError, match="nothing of it is there") as error:
        cut(config, asked(4000, 4010), tmp_path / "stick", lambda *_: None)

    assert "of camera north there is footage from 2027-" in error.value.hint
    assert not (tmp_path / "stick").exists()


def test_what_cannot_be_written_whole_leaves_nothing(config: Config, tmp_path: Path) -> None:
    def full(_done: int, _total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(NgatuError, match="No space left on device"):
        cut(config, asked(4, 16), tmp_path / "stick", full)
    assert not (tmp_path / "stick").exists()


def test_a_folder_that_somebody_else_makes_meanwhile_stays_as_it_is(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was deleted with all that was in it."""
    stick = tmp_path / "stick"

    def makes_it() -> str:
        stick.mkdir(exist_ok=True)
        (stick / "photographs").write_bytes(b"of somebody else")
        return "lan"

    monkeypatch.setattr(getpass, "getuser", makes_it)
    with pytest.raises(NgatuError, match="File exists"):
        cut(config, asked(4, 16), stick, lambda *_: None)

    assert (stick / "photographs").read_bytes() == b"of somebody else"


@pytest.mark.parametrize(
    ("name", "why"), [("there", "is there already"), ("nowhere/stick", "there is no folder")]
)
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_written(
    config: Config, tmp_path: Path, name: str, why: str
) -> None:
    (tmp_path / "there").mkdir()

    with pytest.raises(UsageError, match=why):
        cut(config, asked(4, 16), tmp_path / name, lambda *_: None)
    assert not (config.state_dir / "audit.log").exists()
