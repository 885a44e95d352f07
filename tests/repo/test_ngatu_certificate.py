"""deploy/…/files/ngatu_certificate.py: a host has a whole pair at any moment, and nobody else sees its key"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet.ca import authority
from tests.conftest import ROOT
from tests.fleet.ca.test_authority import PASSPHRASE, openssl

TOOL = ROOT / "deploy" / "ansible" / "roles" / "ngatu_ca" / "files" / "ngatu_certificate.py"
DYING = ROOT / "tests" / "acceptance" / "fleet" / "dying.py"
BOX = "hai-ninh-01"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="keys belong to root: run as root")


class Host:
    """The folder of a host's keys, and the authority that signs them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tls = folder, folder / "tls"
        self.authority = authority.make(folder / "ca", "ngatu test", PASSPHRASE, datetime.now(UTC))
        self.tls.mkdir()
        (self.tls / "ca.crt").write_bytes((folder / "ca" / "ca.crt").read_bytes())

    def tool(
        self, *words: str, given: str = "", dies_at: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Call it, or let it die before its so-maniest change."""
        (self.folder / "died").unlink(missing_ok=True)
        dying = [str(DYING), str(dies_at), str(self.folder / "died")] if dies_at is not None else []
        return subprocess.run(
            [sys.executable, "-IB", *dying, str(TOOL), f"--root={self.tls}", *words],
            input=given, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def request(self, name: str = BOX, group: str = "daemon") -> str:
        """A request for a new key."""
        done = self.tool("request", "box", name, f"--group={group}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign(self, request: str, name: str = BOX) -> str:
        """What the authority answers."""
        return self.authority.sign(request.encode(), "box", name, datetime.now(UTC)).decode()

    def renew(self) -> str:
        """A new pair in use; its serial number."""
        done = self.tool("install", "box", given=self.sign(self.request()))
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["serial"])

    def state(self) -> dict[str, Any]:
        """What the tool says about the box's pair; empty: it knows of none."""
        return dict(json.loads(self.tool("state").stdout).get("box", {}))

    def pair(self) -> str:
        """The serial number of the pair that programs find; AssertionError unless it is whole and signed."""
        key, crt = self.tls / "box.key", self.tls / "box.crt"
        ours = openssl("pkey", "-in", key, "-pubout").stdout
        assert ours and openssl("x509", "-in", crt, "-noout", "-pubkey").stdout == ours
        assert openssl("verify", "-CAfile", self.tls / "ca.crt", crt).returncode == 0
        return openssl("x509", "-in", crt, "-noout", "-serial").stdout.strip().partition("=")[2].lower()

    def seen_by_others(self) -> list[str]:
        """Keys that others could read."""
        keys = [each for each in self.tls.rglob("*") if each.is_file() and b"PRIVATE" in each.read_bytes()]
        assert keys
        return [f"{each}: {each.stat().st_mode:o}" for each in keys if each.stat().st_mode & 0o007]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_pair_is_made_used_and_told(host: Host) -> None:
    serial = host.renew()

    assert host.pair() == serial
    state = host.state()
    assert (state["name"], state["serial"], state["pending"], state["days_left"]) == (BOX, serial, False, 89)


def test_a_new_pair_replaces_the_one_before_and_nothing_is_left_of_that(host: Host) -> None:
    before, after = host.renew(), host.renew()

    assert host.pair() == after != before
    assert sorted(each.name for each in (host.tls / "box.d").iterdir()) == sorted([after, "current"])


def test_the_key_is_for_root_and_the_group_of_its_program(host: Host) -> None:
    host.renew()
    facts = (host.tls / "box.key").stat()

    assert (facts.st_uid, oct(facts.st_mode & 0o777)) == (0, "0o640")
    assert facts.st_gid != 0
    assert host.seen_by_others() == []


def test_until_its_certificate_comes_the_same_request_is_given_again(host: Host) -> None:
    assert host.request() == host.request()
    assert host.state()["pending"] is True


def test_a_certificate_of_another_key_or_authority_is_refused_and_the_pair_stays(
    host: Host, tmp_path: Path
) -> None:
    serial = host.renew()
    late = host.sign(host.request())
    (host.tls / "box.d" / "next" / "request").unlink()
    request = host.request()
    foreign = authority.make(tmp_path / "foreign", "foreign", PASSPHRASE, datetime.now(UTC))
    theirs = foreign.sign(request.encode(), "box", BOX, datetime.now(UTC)).decode()

    for wrong, why in (
        (late, "belongs to another key"),
        (theirs, "openssl verify"),
        ("rubbish", "openssl x509"),
    ):
        done = host.tool("install", "box", given=wrong)
        assert done.returncode == 1 and why in done.stderr and "Traceback" not in done.stderr
        assert host.pair() == serial


def test_a_role_that_could_leave_the_folder_is_refused(host: Host) -> None:
    done = host.tool("request", "../../etc/x", BOX)

    assert done.returncode == 1 and "is no role" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("first", [True, False], ids=["the first pair", "a later one"])
def test_killed_before_any_change_it_has_a_whole_pair_and_can_go_on(host: Host, first: bool) -> None:
    """Promise P34 at every third step; `make test-fleet` tries each, on a host and under load."""
    if not first:
        host.renew()
    deaths = 0
    for verb in ("request", "install"):
        for count in range(1, 100, 3):
            if first:
                subprocess.run(
                    ["rm", "-rf", host.tls / "box.d", host.tls / "box.key", host.tls / "box.crt"], check=True
                )
            before = None if first else host.pair()
            signed = host.sign(host.request()) if verb == "install" else ""
            words = ("request", "box", BOX, "--group=daemon") if verb == "request" else ("install", "box")
            done = host.tool(*words, given=signed, dies_at=count)
            died = (host.folder / "died").exists()
            assert (done.returncode == -9) == died, done.stderr
            if (host.tls / "box.key").exists():
                assert host.seen_by_others() == []
                assert host.pair() in (before, openssl_serial(host, signed))
            else:
                assert first and host.state().get("serial") is None, "in use, and no program finds it"
            again = signed or host.sign(host.request())
            done = host.tool("install", "box", given=again)
            assert done.returncode == 0, f"{verb} {count}: {done.stderr}"
            assert host.pair() == openssl_serial(host, again)
            if not died:
                break
            deaths += 1
    assert deaths >= 6


def openssl_serial(host: Host, certificate: str) -> str | None:
    if not certificate:
        return None
    path = host.folder / "one.crt"
    path.write_text(certificate)
    return openssl("x509", "-in", path, "-noout", "-serial").stdout.strip().partition("=")[2].lower()
