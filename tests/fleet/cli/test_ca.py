"""fleet.cli.ca"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.ca.authority import unlock
from tests.conftest import ROOT
from tests.fleet.ca.test_authority import openssl, request

PASSPHRASE = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    done = ngatu(tmp_path, "init", "--name", "hai-ninh")
    assert done.returncode == 0, done.stderr
    return tmp_path


def ngatu(
    folder: Path, *words: str, stdin: bytes = b"", secret: bool = True
) -> subprocess.CompletedProcess[str]:
    file = [f"--passphrase-file={folder}/passphrase"] if secret else []
    done = subprocess.run(
        [sys.executable, "-m", "agent", "ca", *words, f"--folder={folder}/ca", *file],
        input=stdin, capture_output=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.long
def test_a_request_goes_in_and_a_certificate_comes_out(folder: Path) -> None:
    done = ngatu(folder, "sign", "hai-ninh-03", "--request=-", stdin=request(folder, "hai-ninh-03"))
    (folder / "box.crt").write_text(done.stdout)

    assert done.returncode == 0, done.stderr
    assert openssl("verify", "-CAfile", folder / "ca/ca.crt", folder / "box.crt").returncode == 0
    (entry,) = json.loads(ngatu(folder, "list", "--json", secret=False).stdout)
    assert (entry["name"], entry["kind"], entry["good"]) == ("hai-ninh-03", "box", True)


@pytest.mark.long
def test_the_list_shows_whole_serials_however_narrow_the_terminal(folder: Path) -> None:
    ngatu(folder, "sign", "hai-ninh-03", "--request=-", stdin=request(folder, "hai-ninh-03"))
    (entry,) = json.loads(ngatu(folder, "list", "--json", secret=False).stdout)
    shown = ngatu(folder, "list", secret=False).stdout

    last = "".join(line.split("│")[-2].strip() for line in shown.splitlines() if "│" in line)
    assert last == entry["serial"]


def test_a_certificate_takes_the_place_of_an_older_one_and_of_no_other_file(folder: Path) -> None:
    """A slip of `--out` would else cost the key that lies beside the request."""
    asked = request(folder, "hai-ninh-03")
    (folder / "request.pem").write_bytes(asked)
    words = ("sign", "hai-ninh-03", f"--request={folder}/request.pem")
    refused = ngatu(folder, *words, f"--out={folder}/request.pem")
    assert (refused.returncode, "there is another file, and no certificate" in refused.stderr) == (1, True)
    assert "such as hai-ninh-03.crt" in refused.stderr
    assert (folder / "request.pem").read_bytes() == asked
    assert json.loads(ngatu(folder, "list", "--json", secret=False).stdout) == []

    for _ in range(2):
        assert ngatu(folder, *words, f"--out={folder}/box.crt").returncode == 0
    assert len(json.loads(ngatu(folder, "list", "--json", secret=False).stdout)) == 2


def test_passphrase_and_request_may_come_through_one_pipe(folder: Path) -> None:
    """So Ansible gives them: neither is ever in a file or in the list of processes."""
    piped = f"{PASSPHRASE}\n".encode() + request(folder, "hai-ninh-03")
    done = ngatu(folder, "sign", "hai-ninh-03", "--request=-", "--passphrase-file=-", stdin=piped, secret=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.long
def test_revoking_writes_the_list(folder: Path) -> None:
    (folder / "request.pem").write_bytes(request(folder, "hai-ninh-03"))
    signing = ("sign", "hai-ninh-03", f"--request={folder}/request.pem", f"--out={folder}/box.crt")
    assert ngatu(folder, *signing).returncode == 0

    assert "1 revoked" in ngatu(folder, "revoke", "hai-ninh-03").stdout
    assert "0 revoked" in ngatu(folder, "revoke", "hai-ninh-03").stdout
    assert "keyCompromise" in ngatu(folder, "list", secret=False).stdout
    said = openssl("verify", "-crl_check", "-CRLfile", folder / "ca/crl.pem", "-CAfile", folder / "ca/ca.crt",
                   folder / "box.crt")  # fmt: skip
    assert "revoked" in said.stderr
    assert "its key was lost" in ngatu(folder, *signing).stderr


@pytest.mark.long
def test_a_list_near_its_end_is_refused_by_exit_code(folder: Path) -> None:
    assert ngatu(folder, "crl", "--days=8").returncode == 0
    good = ngatu(folder, "crl", f"--check={folder}/ca/crl.pem", secret=False)
    assert (good.returncode, "good for 7 days" in good.stdout) == (0, True)
    unlock(folder / "ca", PASSPHRASE).write_crl(datetime.now(UTC) - timedelta(days=2), days=8)
    ended = ngatu(folder, "crl", f"--check={folder}/ca/crl.pem", secret=False)
    assert (ended.returncode, "it is not installed" in ended.stderr) == (1, True), ended.stderr


@pytest.mark.long
def test_the_passphrase_cannot_be_given_where_everybody_sees_it(folder: Path) -> None:
    for command in ("init", "sign", "revoke", "crl"):
        help_text = ngatu(folder, command, "--help", secret=False).stdout
        assert "--passphrase-file" in help_text
        assert "--passphrase " not in help_text
    refused = ngatu(folder, "crl", f"--passphrase={PASSPHRASE}", secret=False)
    assert refused.returncode == 2


@pytest.mark.long
@pytest.mark.parametrize(("words", "code", "message"), [
    (("sign", "hai-ninh-03", "--request=missing"), 1, "missing: No such file"),
    (("sign", "Hai Ninh", "--request=-"), 2, "cannot be the name"),
    (("sign", "hai-ninh-03", "--kind=king", "--request=-"), 2, "no such kind"),
    (("revoke", "hai-ninh-03"), 1, "nothing was ever signed for it"),
    (("revoke", "hai-ninh-03", "--reason=none"), 2, "no such reason"),
    (("revoke", "hai-ninh-03", "--keep=xyz"), 2, "no serial number"),
    (("init",), 1, "an authority already"),
    (("sign", "hai-ninh-03", "--request=-", "--out=nowhere/x.crt"), 1, "nowhere/x.crt: no certificate can be"),
    (("sign", "hai-ninh-03", "--request=-", "--out=/"), 1, "--out /: no certificate can be written"),
])  # fmt: skip
def test_bad_input_is_one_clear_error(folder: Path, words: tuple[str, ...], code: int, message: str) -> None:
    done = ngatu(folder, *words)

    assert done.returncode == code
    assert message in done.stderr and "hint:" in done.stderr
