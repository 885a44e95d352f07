"""deploy/…/files/ngatu_release: a box has the old release or the new one, never neither"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.acceptance.faults.p_bundle import small
from tests.acceptance.faults.suite import gathered, tried
from tests.acceptance.fleet import deaths
from tests.acceptance.fleet.deaths import NEW, OLD, copied
from tests.conftest import ROOT
from tests.support.releases import TOOL, Maker, SmallBox
from tests.support.spoiled_bundles import with_sparse, with_sum

sys.path.insert(0, str(TOOL))
from members import Damaged, Members
from unpack import rank


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="module")
def prepared(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deaths.prepared(tmp_path_factory.mktemp("box"), maker)


@pytest.fixture
def box(maker: Maker, prepared: Path, tmp_path: Path) -> SmallBox:
    return copied(prepared, tmp_path / "copy", maker)


# -------------------------------------------------------------------------------------- the usual course


def test_a_trial_that_is_confirmed_stays(box: SmallBox) -> None:
    assert box.switch(*NEW) == {"version": "0.2.0", "changed": True, "trial": True}
    assert box.runs() == NEW and box.running() == "setups/2"

    assert box.good("confirm") == {"changed": True}
    assert box.good("confirm") == {"changed": False}
    assert box.good("recover", "--boot")["version"] == "0.2.0"
    assert box.runs() == NEW


def test_the_same_again_changes_nothing(box: SmallBox) -> None:
    log = (box.root / "systemctl.log").read_text()

    assert box.switch(*OLD) == {"version": "0.1.0", "changed": False, "trial": False}
    assert (box.root / "systemctl.log").read_text() == log


def test_another_configuration_of_the_same_release_is_a_trial_too(box: SmallBox) -> None:
    box.switch("0.1.0", "other: 1\n")
    assert box.runs() == ("0.1.0", "other: 1\n")

    box.good("rollback")
    assert box.runs() == OLD and box.running() == "setups/1"


def test_the_program_the_model_and_the_unit_change_together(box: SmallBox) -> None:
    box.switch(*NEW)

    current = box.root / "current"
    assert (current / "models" / "eyes.onnx").read_bytes() == b"0.2.0" * 1000
    assert (current / "ngatu.service").resolve().parent.name == "0.2.0"


def test_after_it_was_confirmed_one_can_still_go_back_once(box: SmallBox) -> None:
    box.switch(*NEW)
    box.good("confirm")

    assert box.good("rollback")["version"] == "0.1.0"
    assert box.runs() == OLD
    assert "nothing to go back to" in box.tool("rollback").stderr


@pytest.mark.long
def test_what_is_neither_used_nor_gone_back_to_is_removed(box: SmallBox, maker: Maker) -> None:
    box.switch(*NEW)
    box.good("confirm")
    box.install(maker.bundle("0.3.0"))
    box.switch("0.3.0", "new: 3\n")
    assert box.good("status")["releases"] == ["0.1.0", "0.2.0", "0.3.0"]
    box.good("confirm")

    assert box.good("status")["releases"] == ["0.2.0", "0.3.0"]
    assert sorted(each.name for each in (box.root / "setups").iterdir()) == ["2", "3"]


# -------------------------------------------------------------------------------------- bad releases


def test_a_trial_that_nobody_confirms_goes_back_by_itself(box: SmallBox) -> None:
    box.switch(*NEW, trial_s=0.3)
    state = box.good("guard")

    assert state["trial"] is None and state["last"]["why"] == "nobody confirmed it within 0 s"
    assert box.runs() == OLD and box.running() == "setups/1"
    assert "too late" in box.tool("confirm").stderr


def test_an_agent_that_keeps_falling_over_ends_the_trial_early(box: SmallBox) -> None:
    """Only after 20 s: before that, systemd may still count for the agent before."""
    box.switch(*NEW, trial_s=600)
    (box.root / "falls").write_text("3\n")
    trial = json.loads((box.root / "trial.json").read_text())
    trial["began_s"] -= 20
    (box.root / "trial.json").write_text(json.dumps(trial))

    assert box.good("guard")["last"]["why"] == "the agent fell over 3 times"
    assert box.runs() == OLD


def test_the_guard_leaves_a_confirmed_trial_alone(box: SmallBox) -> None:
    box.switch(*NEW, trial_s=60)
    guard = threading.Thread(target=lambda: box.good("guard"))
    guard.start()
    box.good("confirm")
    guard.join(20)

    assert not guard.is_alive()
    assert box.runs() == NEW


def test_a_trial_does_not_outlive_a_restart_of_the_box(box: SmallBox) -> None:
    box.switch(*NEW)
    (box.root / "running").unlink()

    assert box.good("recover", "--boot")["last"]["why"] == "the box was restarted during the trial"
    assert box.runs() == OLD
    assert not (box.root / "running").exists(), "systemd starts it right afterwards"


def on_shadow_trial(box: SmallBox) -> SmallBox:
    """The new release has proved that it works; its model has not."""
    box.switch(*NEW, trial_s=60)
    assert box.good("confirm", "--shadow") == {"changed": True}
    assert box.good("confirm", "--shadow") == {"changed": False}
    return box


def test_the_trial_of_a_model_goes_on_over_restarts_of_the_box_and_beyond_its_time(box: SmallBox) -> None:
    on_shadow_trial(box)
    trial = json.loads((box.root / "trial.json").read_text())
    (box.root / "trial.json").write_text(json.dumps(trial | {"until_s": 0.0, "boot_id": "of another boot"}))

    assert box.good("recover", "--boot")["trial"] == {"version": "0.2.0", "back": "0.1.0", "shadow": True}
    assert box.runs() == NEW
    assert "still in the shadow" in box.tool("confirm").stderr
    assert box.good("status")["floor"] == "0.1.0"


@pytest.mark.parametrize("said", ["failed: it is slow; and late", "failed"])
def test_a_model_that_failed_takes_its_release_back_with_its_reason(box: SmallBox, said: str) -> None:
    on_shadow_trial(box)
    (box.root / "status-text").write_text(f"shadow {said}\n")
    state = box.good("guard")

    assert box.runs() == OLD and box.running() == "setups/1"
    assert state["trial"] is None and state["last"]["outcome"] == "reverted"
    assert state["last"]["why"] == f"its model failed in the shadow: {said[8:]}"
    assert "was taken back: its model failed" in box.tool("confirm").stderr


def test_a_model_that_was_taken_keeps_its_release(box: SmallBox) -> None:
    on_shadow_trial(box)
    (box.root / "status-text").write_text("shadow taken: 500 crops\n")
    state = box.good("guard")

    assert box.runs() == NEW
    assert state["trial"] is None and state["floor"] == "0.2.0"
    assert state["last"]["outcome"] == "confirmed" and "500 crops" in state["last"]["why"]
    assert box.good("confirm") == {"changed": False}


@pytest.mark.long
@pytest.mark.parametrize("said", ["shadow running", "shadow passed: all", "", "not shadow failed: x"])
def test_without_an_outcome_the_guard_waits(box: SmallBox, said: str) -> None:
    """Until somebody ends it."""
    on_shadow_trial(box)
    (box.root / "status-text").write_text(said)
    guard = threading.Thread(target=lambda: box.good("guard"))
    guard.start()
    guard.join(2)
    assert guard.is_alive() and box.runs() == NEW
    box.good("rollback", "--why", "it was ordered")
    guard.join(20)

    assert not guard.is_alive()
    assert box.runs() == OLD


def test_an_outcome_before_the_release_has_proved_that_it_works_counts_for_nothing(box: SmallBox) -> None:
    box.switch(*NEW, trial_s=0.3)
    (box.root / "status-text").write_text("shadow taken: all\n")

    assert box.good("guard")["last"]["why"] == "nobody confirmed it within 0 s"
    assert box.runs() == OLD


@pytest.mark.long
def test_whoever_dies_while_the_trial_of_a_model_begins_leaves_one_that_can_end(
    maker: Maker, prepared: Path, tmp_path: Path
) -> None:
    died = 0
    for each in deaths.each_death(prepared, tmp_path, maker, ("confirm", "--shadow"), 1, on_trial=True):
        died += 1
        (each.root / "status-text").write_text("shadow failed: slow\n")
        each.good("confirm", "--shadow")
        each.good("guard")
        assert each.runs() == OLD
    assert died > 1


def test_a_configuration_that_the_release_does_not_take_changes_nothing(box: SmallBox) -> None:
    done = box.tool("switch", "0.2.0", "--config", str(box.config("bad: 1\n")))

    assert done.returncode == 1 and "config.yaml:1: bad: no such setting" in done.stderr
    assert box.runs() == OLD and box.good("status")["trial"] is None


def test_a_bad_configuration_during_a_trial_leaves_the_trial_as_it_is(box: SmallBox) -> None:
    box.switch(*NEW)
    assert box.tool("switch", "0.2.0", "--config", str(box.config("bad: 1\n"))).returncode == 1

    on_trial = {"version": "0.2.0", "back": "0.1.0", "shadow": False}
    assert box.runs() == NEW and box.good("status")["trial"] == on_trial


def test_a_second_trial_goes_back_to_what_was_confirmed_not_to_the_first(box: SmallBox) -> None:
    box.switch(*NEW)
    box.switch("0.2.0", "newer: 3\n", trial_s=0.2)
    assert box.runs() == ("0.2.0", "newer: 3\n")
    box.good("guard")

    assert box.runs() == OLD


# -------------------------------------------------------------------------------------- what is refused


@pytest.fixture
def bare(maker: Maker, tmp_path: Path) -> SmallBox:
    return SmallBox(tmp_path / "bare", maker.public)


def refused(box: SmallBox, path: Path) -> str:
    done = box.tool("install", str(path), "--python", sys.executable)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert box.good("status")["version"] in (None, "0.1.0")
    return done.stderr


def test_what_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    box = SmallBox(tmp_path / "box", tmp_path / "release.pub")
    (box.root / "lock").mkdir()
    done = box.tool("confirm")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"ngatu-release: {box.root / 'lock'}: Is a directory: look at the disk: full or read-only?"
    ]


def test_a_bundle_that_another_key_signed_is_refused(bare: SmallBox, maker: Maker) -> None:
    message = refused(bare, maker.bundle("0.4.0", key=Ed25519PrivateKey.generate()))

    assert "the signature is not of" in message
    assert not (bare.root / "releases").exists(), "nothing of it may be written"


def test_a_changed_file_is_refused_by_its_name(bare: SmallBox, maker: Maker) -> None:
    path = maker.bundle("0.4.0")
    data = bytearray(path.read_bytes())
    data[data.index(b"0.4.0" * 1000) + 7] ^= 1
    path.write_bytes(data)

    assert "models/eyes.onnx is damaged or was changed" in refused(bare, path)
    assert bare.good("status")["releases"] == []


def test_a_bundle_cut_short_is_refused(bare: SmallBox, maker: Maker) -> None:
    path = maker.bundle("0.4.0")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert str(path) in refused(bare, path)


def test_a_file_that_the_manifest_does_not_know_is_refused(bare: SmallBox, maker: Maker) -> None:
    path = maker.bundle("0.4.0")
    with tarfile.open(path, "a", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(TOOL / "disk.py", "wheels/../../../etc/cron.d/mine")

    assert "is not in the manifest" in refused(bare, path)


@pytest.mark.parametrize(
    ("more", "why"),
    [({"arch": "riscv64"}, "it is for riscv64"), ({"python": "3.9"}, "it is for Python 3.9")],
    ids=["board", "python"],
)
def test_a_bundle_for_another_board_is_refused(
    bare: SmallBox, maker: Maker, more: dict[str, str], why: str
) -> None:
    assert why in refused(bare, maker.bundle("0.4.0", **more))


def test_an_older_one_than_was_confirmed_is_refused(box: SmallBox, maker: Maker) -> None:
    """Promise P40."""
    assert "0.0.9 is older than 0.1.0" in refused(box, maker.bundle("0.0.9"))
    box.switch(*NEW)
    assert box.good("status")["floor"] == "0.1.0", "only what is confirmed raises it"
    box.good("confirm")
    assert box.good("status")["floor"] == "0.2.0"
    done = box.tool("switch", "0.1.0", "--config", str(box.config("old: 1\n")))
    assert "0.1.0 is older than 0.2.0" in done.stderr


@pytest.mark.long
def test_a_release_may_allow_to_go_further_back(box: SmallBox, maker: Maker) -> None:
    box.install(maker.bundle("0.5.0", floor="0.1.0"))
    box.switch("0.5.0", "new: 5\n")
    box.good("confirm")
    box.switch(*OLD)

    assert box.runs() == OLD


def test_another_bundle_of_an_installed_version_is_refused(box: SmallBox, maker: Maker) -> None:
    message = box.tool("install", str(maker.bundle("0.2.0", floor="0.1.0")), "--python", sys.executable).stderr

    assert "another bundle of 0.2.0 is installed" in message


@pytest.mark.long
def test_what_the_environment_names_is_not_taken_for_a_part_of_the_release(
    bare: SmallBox, maker: Maker, tmp_path: Path
) -> None:
    """pip would call a program that lies elsewhere installed already."""
    info = tmp_path / "elsewhere" / "ngatu-0.4.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ngatu\nVersion: 0.4.0\n")
    bare.environment |= {"PYTHONPATH": str(info.parent), "PIP_USER": "1"}
    bare.install(maker.bundle("0.4.0"))

    assert (bare.root / "releases" / "0.4.0" / "bin" / "ngatu").exists()


def test_versions_sort_as_python_packages_do() -> None:
    ordered = [
        "0.1.0.dev1",
        "0.1.0a1.dev2",
        "0.1.0a1",
        "0.1.0b2",
        "0.1.0rc1",
        "0.1.0",
        "0.1.0.post1.dev3",
        "0.1.0.post1",
        "0.2",
        "0.10.0",
    ]

    assert all(rank(older) < rank(newer) for older, newer in pairwise(ordered))
    assert rank("0.2") == rank("0.2.0")


def test_two_at_once_do_not_meet(box: SmallBox) -> None:
    """The second waits for the first, or says that it is at work."""
    calls = [box.words("switch", "0.2.0", "--config", str(box.config(f"n: {n}\n"))) for n in (1, 2)]
    running = [
        subprocess.Popen([sys.executable, "-I", "-B", *each], env=box.environment, stdout=subprocess.DEVNULL)
        for each in calls
    ]

    assert [each.wait(30) for each in running] == [0, 0]
    assert box.runs()[0] == "0.2.0" and box.good("rollback")["version"] == "0.1.0"


# -------------------------------------------------------------------------------------- killed at every step


@pytest.mark.long
@pytest.mark.parametrize("reboot", [True, False], ids=["the box restarts", "only the tool died"])
@pytest.mark.parametrize("verb", deaths.VERBS)
def test_killed_at_any_step_it_has_the_old_or_the_new_and_can_go_on(
    prepared: Path, maker: Maker, tmp_path: Path, verb: str, reboot: bool
) -> None:
    """Promise P40, at every third step; `make test-fleet` tries each."""
    assert deaths.survived(verb, prepared, tmp_path, maker, reboot=reboot, every=3) >= 2


@pytest.mark.long
def test_killed_at_any_step_an_install_can_be_done_again(prepared: Path, maker: Maker, tmp_path: Path) -> None:
    assert deaths.survived_installs(prepared, tmp_path, maker, every=7) >= 2


# -------------------------------------------------------------------------------------- altered bundles


def test_box_and_controller_take_a_bundle_apart_by_the_same_lines() -> None:
    assert (TOOL / "members.py").read_bytes() == (ROOT / "fleet/bundle/members.py").read_bytes()


@pytest.mark.parametrize("name", ["models/eyes.onnx", "ngatu.service", "wheels/pip-1.whl"])
def test_a_file_that_would_grow_is_refused_before_a_byte_is_written(tmp_path: Path, name: str) -> None:
    maker = Maker(tmp_path)
    path = small(tmp_path, maker)
    path.write_bytes(with_sparse(path.read_bytes(), name, 400 << 20))
    box = SmallBox(tmp_path / "box", maker.public)
    done = box.tool("install", str(path), "--python", sys.executable)

    assert done.returncode == 1 and "is no plain file" in done.stderr and done.stderr.count("\n") == 1
    assert [each for each in (box.root / "releases").rglob("*") if each.is_file()] == []


def test_a_bundle_that_is_refused_late_leaves_nothing(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    path = small(tmp_path, maker)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"zip", b"zap"))  # its last file
    box = SmallBox(tmp_path / "box", maker.public)
    done = box.tool("install", str(path), "--python", sys.executable)

    assert done.returncode == 1 and "wheels/pip-1.whl is damaged" in done.stderr
    assert list((box.root / "releases").iterdir()) == []


@pytest.mark.long
def test_altered_bundles_end_in_one_refusal_or_are_what_was_signed() -> None:
    verdict = tried(gathered()["P50"], int.from_bytes(os.urandom(4)), "quick")

    assert verdict.outcome == "kept", verdict.measured


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"L", b"S", b"x", b"g", b"\0"])
def test_only_plain_files_are_members(tmp_path: Path, kind: bytes) -> None:
    """Links, devices, folders, pipes, long names, sparse files, extended headers, files of before POSIX."""
    path = small(tmp_path, Maker(tmp_path))
    data = bytearray(path.read_bytes())
    data[156:157] = kind
    with_sum(data, 0)
    path.write_bytes(data)

    with path.open("rb") as file, pytest.raises(Damaged, match="is no plain file"):
        Members(file).next()


def test_what_follows_the_end_is_refused(tmp_path: Path) -> None:
    path = small(tmp_path, Maker(tmp_path))
    path.write_bytes(path.read_bytes() + b"more")

    with path.open("rb") as file, pytest.raises(Damaged, match="something follows its end"):
        members = Members(file)
        while members.next():
            pass


# -------------------------------------------------------------------------------------- at one time


@pytest.mark.long
def test_three_installs_at_one_time_make_each_release_once(maker: Maker, tmp_path: Path) -> None:
    one, two, box = maker.bundle("0.6.0"), maker.bundle("0.7.0"), SmallBox(tmp_path / "box", maker.public)
    words = [sys.executable, "-IB", str(TOOL), "--root", str(box.root), "--key", str(maker.public), "install"]
    running = [
        subprocess.Popen([*words, str(path), "--python", sys.executable], stdout=subprocess.PIPE, text=True)
        for path in (one, two, one)
    ]
    done = [json.loads(each.communicate(timeout=120)[0]) for each in running]

    assert sorted((each["version"], each["changed"]) for each in done) == [
        ("0.6.0", False), ("0.6.0", True), ("0.7.0", True),
    ]  # fmt: skip
    assert sorted(each.name for each in (box.root / "releases").iterdir()) == ["0.6.0", "0.7.0"]


@pytest.mark.long
def test_what_somebody_laid_in_the_way_of_a_release_is_left_alone(maker: Maker, tmp_path: Path) -> None:
    box, elsewhere = SmallBox(tmp_path / "box", maker.public), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    (box.root / "releases").mkdir()
    (box.root / "releases" / "0.6.0").symlink_to(elsewhere)

    assert box.good("install", str(maker.bundle("0.6.0")), "--python", sys.executable)["changed"]
    assert [each.name for each in elsewhere.iterdir()] == ["kept"]
    assert not (box.root / "releases" / "0.6.0").is_symlink()


@pytest.fixture(scope="module")
def on_trial(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    box = SmallBox(tmp_path_factory.mktemp("on-trial"), maker.public)
    for version in ("0.8.0", "0.8.1"):
        box.install(maker.bundle(version, floor="0.8.0"))
        box.switch(version, "a: 1")
    deaths.without_pip(box)
    return box.root


@pytest.mark.long
@pytest.mark.parametrize("damaged", [b"", b"{", b"null", b"[]", b'{"setup": 1}', b"\xff\xfe\x00"])
def test_a_trial_whose_note_is_damaged_is_over(
    maker: Maker, on_trial: Path, tmp_path: Path, damaged: bytes
) -> None:
    bare = copied(on_trial, tmp_path / "copy", maker)
    (bare.root / "trial.json").write_bytes(damaged)
    (bare.root / "last.json").write_bytes(damaged)
    assert bare.good("status")["version"] == "0.8.1"
    bare.good("recover", "--boot")
    status = bare.good("status")
    assert (status["version"], status["trial"]) == ("0.8.0", None)
    assert bare.switch("0.8.1", "a: 1")["trial"]
    assert bare.good("confirm") == {"changed": True}
