"""fleet.ca.index"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509

from agent.errors import NgatuError
from fleet.ca import authority as ca
from fleet.ca.index import CertificateIndex
from tests.conftest import ROOT
from tests.fleet.ca.test_authority import NOW, PASSPHRASE, request, signed

SIGNER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fleet.ca import authority as ca
folder = Path(sys.argv[1])
authority = ca.unlock(folder, "correct horse battery")
asked = (folder.parent / "request.pem").read_bytes()
for number in range(10_000):
    signed = authority.sign(asked, "box", "hai-ninh-03", datetime.now(UTC))
    print(signed.decode(), flush=True)
    if number % 3 == 2:
        authority.revoke("hai-ninh-03", "superseded", datetime.now(UTC))
        authority.write_crl(datetime.now(UTC))
"""


@pytest.mark.parametrize("kill", range(6))
def test_no_certificate_leaves_that_is_not_in_the_index_whenever_it_is_killed(
    tmp_path: Path, kill: int
) -> None:
    """Invariant 1, over SIGKILL; a power cut is covered by the sync before each answer."""
    authority = ca.make(tmp_path / "ca", "test", PASSPHRASE, NOW)
    (tmp_path / "request.pem").write_bytes(request(tmp_path, "hai-ninh-03"))
    out = tmp_path / "signed.pem"
    with out.open("wb") as file:
        signer = subprocess.Popen([sys.executable, "-c", SIGNER, str(authority.folder)], stdout=file, cwd=ROOT)
        deadline = time.monotonic() + 30
        while out.read_bytes().count(b"END CERTIFICATE") < 3 + kill and time.monotonic() < deadline:
            assert signer.poll() is None
        signer.send_signal(signal.SIGKILL)
        signer.wait(10)
    left = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", out.read_text(), re.DOTALL)
    again = ca.unlock(authority.folder, PASSPHRASE)

    assert len(left) >= 3
    known = {each.serial for each in again.index.issued()}
    assert {x509.load_pem_x509_certificate(each.encode()).serial_number for each in left} <= known
    again.write_crl(NOW)
    signed(again, "hai-ninh-04")


def test_a_line_that_was_cut_short_is_no_act_and_nothing_is_written_behind_it(tmp_path: Path) -> None:
    """Invariant 3."""
    authority = ca.make(tmp_path / "ca", "test", PASSPHRASE, NOW)
    signed(authority, "hai-ninh-03")
    before = authority.index.path.read_bytes()
    authority.index.path.write_bytes(before + b'{"at": "2026-03-02T11:04:07+00:00", "did": "iss')

    assert [each.name for each in authority.index.issued()] == ["hai-ninh-03"]
    signed(authority, "hai-ninh-04")
    assert authority.index.path.read_bytes().startswith(before + b'{"at"')
    assert [each.name for each in authority.index.issued()] == ["hai-ninh-03", "hai-ninh-04"]


@pytest.mark.parametrize(
    "line",
    [
        b"spoiled", b"{}", b"[1]", b"7", b'{"did": "issue"}',
        b'{"did": "revoke", "serial": "7", "reason": "superseded", "at": "2026-03-02T11:04:07+00:00"}',
    ],
    ids=["no-json", "no-act", "list", "number", "half", "of-nobody"],
)  # fmt: skip
def test_a_spoiled_line_in_the_middle_is_one_clear_error(tmp_path: Path, line: bytes) -> None:
    authority = ca.make(tmp_path / "ca", "test", PASSPHRASE, NOW)
    authority.index.path.write_bytes(line + b"\n" + authority.index.path.read_bytes())

    with pytest.raises(NgatuError, match=r"index.jsonl:1: this line cannot be read"):
        authority.index.issued()


def test_what_was_written_is_never_changed(tmp_path: Path) -> None:
    """Invariant 2."""
    authority = ca.make(tmp_path / "ca", "test", PASSPHRASE, NOW)
    before = b""
    for number in range(3):
        signed(authority, f"hai-ninh-0{number}")
        authority.revoke(f"hai-ninh-0{number}", "superseded", NOW)
        assert authority.index.path.read_bytes().startswith(before)
        before = authority.index.path.read_bytes()


def test_an_index_is_never_made_over_another(tmp_path: Path) -> None:
    CertificateIndex(tmp_path / "index.jsonl").create()

    with pytest.raises(FileExistsError):
        CertificateIndex(tmp_path / "index.jsonl").create()
