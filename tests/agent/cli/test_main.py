"""agent.cli.main"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from agent import __version__
from agent.cli.main import OF_STATION, OWN, commands, gathered
from agent.cli.reference import commands as declared
from tests.support.boxes import NGATU
from tests.support.command_line import exit_code
from tests.support.squares import write_clip, write_model


def ngatu(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NGATU, *words], capture_output=True, text=True, timeout=60, check=False)


def test_one_command_gathers_the_box_the_station_and_the_models() -> None:
    done = ngatu("--help")

    assert done.returncode == 0, done.stderr
    for command in ("run", "check", "config", "replay", "version", "watch", "models"):
        assert f" {command} " in done.stdout, command


def test_a_command_of_the_box_loads_nothing_of_the_others_and_only_what_it_needs() -> None:
    heavy = "'station', 'models', 'onnxruntime', 'cv2', 'av', 'numpy', 'paho', 'psutil'"
    program = (
        "import sys, contextlib\nfrom agent.cli.main import main\nsys.argv = ['ngatu', 'version']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        f"sys.stderr.write(' '.join(name for name in ({heavy}) if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr == ""


def test_ctrl_c_while_commands_are_loaded_ends_it_without_a_traceback(tmp_path: Path) -> None:
    """As somebody's package beside ours shows, which is interrupted while it is loaded."""
    about = tmp_path / "impatient-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: impatient\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[ngatu.commands]\nimpatient = impatient:commands\n")
    (tmp_path / "impatient.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
        f"sys.path.insert(0, {str(tmp_path)!r})\nfrom agent.cli.main import main\n"
        "sys.argv = ['ngatu', 'fleet', '--help']\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_every_command_of_the_box_is_known_as_its_own() -> None:
    own = {command.name for command in commands.registered_commands}
    groups = {group.name for group in commands.registered_groups}

    assert own | groups == set(OWN)


def test_every_command_of_the_station_is_known_as_its_own() -> None:
    (entry,) = (each for each in entry_points(group="ngatu.commands") if each.name == "station")
    app = entry.load()
    single = {command.name for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}

    assert single | groups == set(OF_STATION)


@pytest.mark.long
@pytest.mark.parametrize("words", [["province", "check"], ["province"], ["station"]])
def test_a_worker_and_a_station_load_nothing_of_the_box_and_the_models_and_no_arrays(words: list[str]) -> None:
    heavy = "'models', 'fleet', 'agent.cameras', 'numpy', 'cv2', 'av', 'onnxruntime'"
    program = (
        "import sys, contextlib\nfrom agent.cli.main import main\n"
        f"sys.argv = ['ngatu', *{words!r}, '-c', '/nowhere.yaml']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "import station.province.service\n"
        f"sys.stderr.write('loaded:' + ' '.join(name for name in ({heavy}) if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stderr.endswith("loaded:"), done.stderr


def test_the_version_names_what_the_agent_stands_on() -> None:
    done = ngatu("version")

    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == f"ngatu {__version__}"
    assert "onnxruntime " in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "-c", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
        (["run", "--for=-1"], "--for"),
        (["fly"], "fly"),
    ],
)
def test_mistakes_are_told_with_exit_code_2_and_without_a_traceback(words: list[str], expected: str) -> None:
    done = ngatu(*words)

    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_model(tmp_path)
    return write_clip(tmp_path / "road.mp4", seconds=3)


def test_the_version_is_told_by_the_option_that_everybody_tries_and_loads_nothing_for_it() -> None:
    for option in ("--version", "-V"):
        done = ngatu(option)
        assert (done.returncode, done.stdout) == (0, f"ngatu {__version__}\n")
        program = (
            "import sys, contextlib\nfrom agent.cli.main import main\n"
            f"sys.argv = ['ngatu', {option!r}]\n"
            "with contextlib.suppress(SystemExit): main()\n"
            "sys.stderr.write(' '.join(name for name in ('station', 'models', 'fleet') if name in sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stderr == ""


def test_minus_h_helps_at_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    seen = [[], *(words.split()[1:] for words, _ in declared(gathered()))]

    assert len(seen) > 25
    for words in seen:
        code = exit_code([*words, "-h"])
        short = capsys.readouterr()
        assert (code, exit_code([*words, "--help"])) == (0, 0), (words, short.err)
        assert short == capsys.readouterr()
        assert short.out.count("\n") > 5


@pytest.mark.long
def test_run_says_what_it_sees_only_when_it_is_asked(tmp_path: Path) -> None:
    write_model(tmp_path)
    clip = write_clip(tmp_path / "road.mp4")
    source = f"{{kind: file, path: {clip}}}"
    config = clip.parent / "box.yaml"
    config.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: 127.0.0.1, port: 9}\n"
        f"state_dir: {clip.parent / 'state'}\ndetector: {{model: {clip.parent / 'squares.onnx'}}}\n"
        f"cameras: [{{name: north, source: {source}, rules: [{{kind: motion, id: movement}}]}}]\n"
    )
    silent = ngatu("run", "-c", str(config), "--for", "1")
    verbose = ngatu("run", "-v", "-c", str(config))

    assert (silent.returncode, verbose.returncode) == (0, 0)
    assert silent.stderr == ""
    assert "  north  EVENT motion start, movement, info" in verbose.stderr
    assert "pictures/s, the detector " in verbose.stderr
    assert [line for line in verbose.stdout.splitlines() if not line.startswith("{")] == []
