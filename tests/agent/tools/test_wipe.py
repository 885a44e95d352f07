"""agent.tools.wipe"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.clock import SystemClock
from agent.commands.audit import Audit
from agent.config.schema import Config, load
from agent.errors import NgatuError
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.tools.wipe import plan, wipe
from agent.tools.wipe_result import signature_fault
from tests.agent.wire.test_signature import pem
from tests.support.boxes import Box, at_work
from tests.support.brokers import free_port, until
from tests.support.kept_samples import Opened, jpeg, sample

SECRET = b"a password that nobody may read"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """A box that has worked, with keys and passwords, and things that are none of its own."""
    state = tmp_path / "state"
    (state / "evidence/north").mkdir(parents=True)
    (tmp_path / "camera.password").write_bytes(SECRET)
    private, _ = pem(Ed25519PrivateKey.generate())
    (state / "evidence.key").write_bytes(private)
    (state / "evidence/north/000001.seg").write_bytes(b"age-encryption.org/v1" + os.urandom(5000))
    Audit(state / "audit.log").write({"verb": "ping"})
    Outbox(state / "outbox.db", OutboxSettings(ballast_bytes=0), SystemClock()).close()
    (state / "notes.txt").write_text("of the technician")
    (tmp_path / "box.yaml").write_text(
        f"device: {{commune: hai-ninh, id: hai-ninh-03}}\nbroker: {{host: localhost}}\nstate_dir: {state}\n"
        f"cameras:\n  - name: north\n    source: {{kind: rtsp, url: 'rtsp://192.0.2.1/s', username: u, "
        f"password: {{file: {tmp_path / 'camera.password'}}}}}\n"
    )
    yield load(tmp_path / "box.yaml")


def test_everything_that_is_ours_goes_and_nothing_else(config: Config, tmp_path: Path) -> None:
    to_wipe = plan(config, tmp_path / "box.yaml")
    assert to_wipe.files[0] == tmp_path / "camera.password", "secrets first"
    result = wipe(config, to_wipe)

    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["notes.txt"]
    assert result["others_left"] == [str(tmp_path / "state/notes.txt")]
    assert (result["left_files"], result["folders_left"]) == (0, [])
    assert result["deleted_files"] == len(to_wipe.files)
    how = {Path(each["path"]).name: each["how"] for each in result["files"]}
    assert (how["outbox.db"], how["000001.seg"]) == ("overwritten and deleted", "deleted")
    assert result["audit_log"]["n"] == 1


def test_frames_for_training_go_with_their_index_and_strangers_beside_them_stay(config: Config) -> None:
    kept = Opened(config.state_dir)
    kept.open().keep(*sample(1), jpeg())
    kept.close()
    (config.state_dir / "samples/theirs.txt").write_text("not ours")
    result = wipe(config, plan(config, None))

    assert [path.name for path in (config.state_dir / "samples").iterdir()] == ["theirs.txt"]
    assert not (config.state_dir / "samples.db").exists()
    assert str(config.state_dir / "samples/theirs.txt") in result["others_left"]


def test_the_result_is_signed_by_the_key_that_is_gone(config: Config) -> None:
    result = wipe(config, plan(config, None))

    assert not (config.state_dir / "evidence.key").exists()
    assert signature_fault(result, None) is None
    (config.state_dir / "outbox.db.lock").touch()
    assert "signature" not in wipe(config, plan(config, None)), "nobody can sign a second one"


def test_what_is_deleted_was_overwritten_first(config: Config, tmp_path: Path) -> None:
    """Seen through another name of the same file."""
    os.link(tmp_path / "camera.password", tmp_path / "other-name")
    wipe(config, plan(config, None))

    assert (tmp_path / "other-name").read_bytes() == bytes(len(SECRET))
    assert not (tmp_path / "camera.password").exists()


def test_a_link_is_deleted_and_what_it_leads_to_stays(config: Config, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(SECRET)
    (config.state_dir / "run.json").symlink_to(tmp_path / "elsewhere")
    wipe(config, plan(config, None))

    assert (tmp_path / "elsewhere").read_bytes() == SECRET
    assert not os.path.lexists(config.state_dir / "run.json")


def test_nothing_is_deleted_while_the_agent_runs(config: Config) -> None:
    code = (
        "import sys; from pathlib import Path; from agent.clock import SystemClock\n"
        "from agent.outbox.outbox import Outbox, OutboxSettings\n"
        "box = Outbox(Path(sys.argv[1]), OutboxSettings(ballast_bytes=0), SystemClock())\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(config.outbox_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "open\n"
        with pytest.raises(NgatuError, match="the agent runs: nothing was deleted"):
            wipe(config, plan(config, None))
        agent.communicate("")

    assert (config.state_dir / "evidence.key").exists()


def test_secrets_that_the_host_holds_are_named(config: Config, tmp_path: Path) -> None:
    (tmp_path / "camera.password").unlink()

    assert wipe(config, plan(config, None))["secrets_not_here"] == [str(tmp_path / "camera.password")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_where_nobody_can_say_what_is_there_nothing_is_deleted(config: Config) -> None:
    config.state_dir.chmod(0o500)
    try:
        with pytest.raises(NgatuError, match="may not be read and written, so nothing was deleted"):
            plan(config, None)
    finally:
        config.state_dir.chmod(0o700)


def test_what_cannot_be_deleted_is_told_and_the_rest_goes(config: Config) -> None:
    (config.state_dir / "run.json").mkdir()
    result = wipe(config, plan(config, None))

    assert result["left_files"] == 1
    (left,) = [each for each in result["files"] if each["how"] == "not deleted"]
    assert (Path(left["path"]).name, left["why"]) == ("run.json", "Is a directory")
    assert not (config.state_dir / "outbox.db").exists()


def test_in_a_folder_that_somebody_chose_only_footage_goes(config: Config, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    (folder / "north").mkdir(parents=True)
    (folder / "north/1.seg").write_bytes(b"x")
    (folder / "holiday.jpg").write_bytes(b"x")
    evidence = config.evidence.model_copy(update={"folder": folder})
    to_wipe = plan(config.model_copy(update={"evidence": evidence}), None)

    assert folder / "north/1.seg" in to_wipe.files
    assert folder / "holiday.jpg" in to_wipe.strangers


def test_in_a_folder_that_somebody_chose_footage_goes_whatever_its_camera_is_called_now_and_nothing_else(
    config: Config, tmp_path: Path
) -> None:
    folder = tmp_path / "usb"
    ours = ("north/000001.seg", "renamed-since/000002.seg", "index.db", "index.db-wal", "holds.json")
    others = ("accounts.db", "clips/holiday.mp4", "north/notes.txt", "music/1.mp3")
    for name in (*ours, *others):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    (folder / "empty").mkdir()
    chosen = config.model_copy(update={"evidence": config.evidence.model_copy(update={"folder": folder})})
    result = wipe(chosen, plan(chosen, None))

    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == set(others)
    assert all((folder / name).read_bytes() == b"x" for name in others)
    assert (folder / "empty").is_dir(), "nobody knows whose it is"
    assert not (folder / "renamed-since").exists()
    assert {str(folder / name) for name in others} <= set(result["others_left"])


def test_of_a_box_by_the_role_every_configuration_goes_and_not_only_the_link_to_it(
    config: Config, tmp_path: Path
) -> None:
    text = (tmp_path / "box.yaml").read_bytes()
    for setup in ("6", "7"):
        (tmp_path / "opt/setups" / setup).mkdir(parents=True)
        (tmp_path / "opt/setups" / setup / "config.yaml").write_bytes(text)
    (tmp_path / "opt/current").symlink_to("setups/7")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/next.yaml").write_bytes(text)
    (tmp_path / "etc/config.yaml").symlink_to(tmp_path / "opt/current/config.yaml")
    os.link(tmp_path / "opt/setups/7/config.yaml", tmp_path / "other-name")
    wipe(config, plan(config, tmp_path / "etc/config.yaml"))

    assert [path for path in tmp_path.rglob("*.yaml") if os.path.lexists(path)] == [tmp_path / "box.yaml"]
    assert (tmp_path / "other-name").read_bytes() == bytes(len(text))


@pytest.mark.skipif(os.geteuid() != 0, reason="a file of another user needs root")
def test_a_link_of_another_user_is_not_followed(config: Config, tmp_path: Path) -> None:
    """Who owns it might turn it to any file between the reading and the deleting."""
    (tmp_path / "shadow").write_bytes(SECRET)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "shadow")
    os.chown(tmp_path / "link.yaml", 12345, 12345, follow_symlinks=False)
    wipe(config, plan(config, tmp_path / "link.yaml"))

    assert (tmp_path / "shadow").read_bytes() == SECRET
    assert not os.path.lexists(tmp_path / "link.yaml")


def test_the_key_of_this_boot_goes_first_and_the_result_says_what_footage_was_encrypted_to(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "run/footage.key"
    key.parent.mkdir()
    key.write_text("AGE-SECRET-KEY-1")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(key.parent))
    to_wipe = plan(config, None)
    result = wipe(config, to_wipe)

    assert to_wipe.files[0] == key
    assert not key.exists()
    (footage,) = [each for each in result["files"] if each["path"].endswith(".seg")]
    assert footage["why"] == (
        "not overwritten: footage, encrypted to the station's key and to its boot's, which lay in memory"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="a file of another user needs root")
def test_the_key_of_another_user_s_agent_stays(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "run/footage.key"
    key.parent.mkdir()
    key.write_text("AGE-SECRET-KEY-1")
    os.chown(key, 12345, 12345)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(key.parent))
    wipe(config, plan(config, None))

    assert key.exists()


def test_the_agent_is_kept_out_until_the_last_file_is_gone(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen each time that a file is deleted: its lock is there, and held."""
    unlink, held = Path.unlink, []

    def watched(self: Path, missing_ok: bool = False) -> None:
        with (config.state_dir / "outbox.db.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except BlockingIOError:
                held.append(True)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    result = wipe(config, plan(config, None))

    assert len(held) == result["deleted_files"] and all(held)
    assert result["files"][-1]["path"] == str(config.state_dir / "outbox.db.lock")
    assert not (config.state_dir / "outbox.db.lock").exists()


def test_what_has_come_since_the_list_was_shown_goes_as_well(config: Config) -> None:
    """The agent went on recording while somebody read the list, and was stopped then."""
    to_wipe = plan(config, None)
    late = config.state_dir / "evidence/north/000002.seg"
    late.write_bytes(b"age-encryption.org/v1")
    result = wipe(config, to_wipe)

    assert not late.exists()
    assert str(late) in [each["path"] for each in result["files"]]


@pytest.mark.long
def test_nothing_that_a_box_makes_is_left(tmp_path: Path) -> None:
    """A real one, which records: whoever gives a file a new name must name it here."""
    box = Box(tmp_path, free_port())
    key = pyrage.x25519.Identity.generate().to_public()
    box.config.write_text(
        box.config.read_text().replace("cameras:\n", f"evidence: {{recipient: {key}}}\ncameras:\n")
        + "    record: {mode: continuous}\n"
    )
    state = tmp_path / "state"
    with at_work(box):
        until(lambda: any((state / "evidence").glob("road/*.seg")) and (state / "clips.db").exists(), 60)
        box.stop()
    settings = load(box.config)
    to_wipe = plan(settings, box.config)
    assert to_wipe.strangers == ()
    assert {state / "clips.db", state / "evidence.key"} <= set(to_wipe.files)
    wipe(settings, to_wipe)

    assert list(state.iterdir()) == []
