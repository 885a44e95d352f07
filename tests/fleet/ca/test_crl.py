"""fleet.ca.crl"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.ca import authority as ca
from fleet.ca.authority import Authority
from fleet.ca.crl import read, remaining, require_remaining
from tests.fleet.ca.test_authority import NOW, PASSPHRASE, openssl, signed

DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return ca.make(tmp_path / "ca", "ngatu test", PASSPHRASE, NOW)


@pytest.mark.parametrize(
    ("days_left", "good"), [(180, True), (8, True), (7, True), (6.99, False), (0, False), (-1, False)]
)
def test_a_list_with_less_than_seven_days_left_is_refused(
    authority: Authority, days_left: float, good: bool
) -> None:
    """Promise P33."""
    crl = read(authority.write_crl(NOW, days=180))
    now = NOW + timedelta(days=180 - days_left)

    if good:
        assert require_remaining(crl, authority.certificate, now) == days_left * DAY
    else:
        with pytest.raises(NgatuError, match="it is not installed"):
            require_remaining(crl, authority.certificate, now)


def test_a_list_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    """Even one of the same name."""
    other = ca.make(tmp_path / "other", "ngatu test", PASSPHRASE, NOW)

    with pytest.raises(NgatuError, match="another authority"):
        require_remaining(read(other.folder / "crl.pem"), authority.certificate, NOW)


def test_a_list_from_the_future_is_refused(authority: Authority) -> None:
    with pytest.raises(NgatuError, match="set the clock"):
        require_remaining(read(authority.write_crl(NOW)), authority.certificate, NOW - DAY)


def test_the_numbers_of_lists_only_grow_and_openssl_reads_them(authority: Authority) -> None:
    for number in ("02", "03"):
        path = authority.write_crl(NOW)
        printed = openssl(
            "crl", "-in", path, "-noout", "-crlnumber", "-verify", "-CAfile", authority.folder / "ca.crt"
        )
        assert f"crlNumber=0x{number.lstrip('0')}" in printed.stdout.replace("0x0", "0x"), printed.stdout
        assert "verify OK" in printed.stdout + printed.stderr


def test_a_certificate_that_has_ended_by_itself_leaves_the_list(authority: Authority) -> None:
    """Lists would grow for ever otherwise."""
    signed(authority, "hai-ninh-03")
    authority.revoke("hai-ninh-03", "keyCompromise", NOW)

    assert len(list(read(authority.write_crl(NOW)))) == 1
    assert len(list(read(authority.write_crl(NOW + 91 * DAY)))) == 0


def test_a_list_that_is_out_of_date_has_less_than_nothing_left(authority: Authority) -> None:
    assert remaining(read(authority.write_crl(NOW, days=10)), NOW + 11 * DAY) == -DAY


def test_no_list_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="no list of the revoked"):
        read(tmp_path / "crl.pem")
    (tmp_path / "crl.pem").write_text("")
    part = "it is none, or only a part of one"
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "crl.pem", part)):
        with pytest.raises(NgatuError) as caught:
            read(path)
        assert caught.value.what == f"{path}: no list of the revoked: {why}"
