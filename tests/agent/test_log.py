"""agent.log"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LINES = """
import structlog
from agent import log

def connect(address):
    password = "hunter2-local"
    raise RuntimeError(f"cannot open {address}")

log.configure("info", STYLE)
logger = structlog.get_logger("test")
logger.debug("not_told")
try:
    connect("rtsp://tran:s3c/r@t@192.0.2.10:554/stream2")
except RuntimeError:
    logger.exception("failed", camera="north", url="rtsp://tran:s3cr3t@192.0.2.10/x", all=[("a", "mqtt://u:s3cr3t@h")])
logger.info("after", place="Hải Ninh", broken="\\ud800", size=3, nothing=None)
"""


def lines_of(style: str, **environment: str) -> str:
    program = LINES.replace("STYLE", repr(style))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=30, check=True, env=environment or None
    )
    assert not done.stderr, done.stderr.decode()
    return done.stdout.decode()


def test_a_foreign_exception_is_one_line_of_json_with_its_traceback() -> None:
    failed, after = (json.loads(line) for line in lines_of("json").splitlines())

    assert (failed["event"], failed["level"], failed["camera"]) == ("failed", "error", "north")
    (failure,) = failed["exception"]
    assert failure["exc_type"] == "RuntimeError"
    assert [frame["name"] for frame in failure["frames"]] == ["<module>", "connect"]
    assert failed["timestamp"].endswith("Z")
    assert (after["place"], after["size"], after["nothing"]) == ("Hải Ninh", 3, None)


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_is_in_a_line_neither_from_an_address_nor_from_a_local_variable(style: str) -> None:
    lines = lines_of(style)

    assert "192.0.2.10" in lines
    for secret in ("hunter2", "s3c", "r@t", "tran"):
        # The traceback may quote source lines, which hold names but no values; here the program has no file.
        assert secret not in lines, secret


def test_auto_is_json_where_no_terminal_listens() -> None:
    assert all(json.loads(line) for line in lines_of("auto").splitlines())


def test_an_encoding_without_our_letters_loses_no_line() -> None:
    lines = lines_of("json", PYTHONIOENCODING="ascii", PYTHONPATH=":".join(filter(None, sys.path)))

    assert json.loads(lines.splitlines()[1])["event"] == "after"


def test_a_reader_that_has_gone_away_does_not_stop_the_program() -> None:
    program = (
        "import sys, structlog\nfrom agent import log\nlog.configure('info', 'json')\nsys.stdin.read()\n"
        "for number in range(100): structlog.get_logger('x').info('line', number=number)\n"
        "sys.stderr.write('alive')\nsys.stderr.flush()\nimport os\nos._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout and running.stdin and running.stderr
        running.stdout.close()
        running.stdin.close()
        assert running.stderr.read() == b"alive"
        assert running.wait(20) == 0
