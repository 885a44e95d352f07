"""fleet.ca.authority"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.errors import NgatuError
from fleet.ca import authority as ca
from fleet.ca.authority import Authority
from fleet.ca.index import Kind

PASSPHRASE = "correct horse battery"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return ca.make(tmp_path / "ca", "ngatu test", PASSPHRASE, NOW)


def openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The program that knows better than we do what a certificate is."""
    return subprocess.run(
        ["openssl", *map(str, words)], capture_output=True, text=True, timeout=30, check=False
    )


def request(folder: Path, name: str, curve: str = "P-256") -> bytes:
    """A request as a box makes it."""
    key = folder / f"{name}.key"
    done = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes",
                   "-keyout", key, "-subj", f"/CN={name}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.encode()


def signed(authority: Authority, name: str, kind: Kind = "box", **more: object) -> Path:
    path = authority.folder.parent / f"{name}.crt"
    asked = request(authority.folder.parent, name)
    path.write_bytes(authority.sign(asked, kind, name, NOW, **more))  # type: ignore[arg-type]
    return path


def verified(authority: Authority, certificate: Path, purpose: str = "sslclient", *more: str) -> str:
    done = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority.folder / "ca.crt", *more,
                   certificate)  # fmt: skip
    return "OK" if done.returncode == 0 else done.stderr


def test_openssl_accepts_what_is_signed_for_its_purpose_and_no_other(authority: Authority) -> None:
    box = signed(authority, "hai-ninh-03")
    broker = signed(authority, "broker.hai-ninh.example", "broker", hosts=["10.1.2.3"])

    assert verified(authority, box) == "OK"
    assert "purpose" in verified(authority, box, "sslserver")
    assert verified(authority, broker, "sslserver", "-verify_hostname", "broker.hai-ninh.example") == "OK"
    assert verified(authority, broker, "sslserver", "-verify_ip", "10.1.2.3") == "OK"
    assert (
        "hostname mismatch" in verified(authority, broker, "sslserver", "-verify_hostname", "elsewhere").lower()
    )


def test_a_screen_is_known_by_its_hosts_and_its_name_is_not_the_brokers(authority: Authority) -> None:
    screen = signed(authority, "screen.tram-hai", "screen", hosts=["tram-hai.example", "10.1.2.3"])

    assert verified(authority, screen, "sslserver", "-verify_hostname", "tram-hai.example") == "OK"
    assert verified(authority, screen, "sslserver", "-verify_ip", "10.1.2.3") == "OK"
    assert "purpose" in verified(authority, screen)
    names = x509.load_pem_x509_certificate(screen.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["tram-hai.example"]
    with pytest.raises(NgatuError, match="no browser knows it"):
        signed(authority, "screen.tram-hai", "screen")


@pytest.mark.parametrize(
    ("name", "kind", "hosts", "named"),
    [
        ("station.hai-ninh", "station", ["hai-tay"], ["hai-ninh"]),
        ("operator.worker-1-s01", "operator", ["ngatu-province.s01"], ["ngatu-province.s01"]),
        ("hai-ninh-03", "box", ["hai-ninh-04"], None),
        ("operator.broker", "operator", [], None),
    ],
)
def test_a_client_of_the_provinces_broker_bears_the_one_id_under_which_it_calls(
    authority: Authority, name: str, kind: Kind, hosts: list[str], named: list[str] | None
) -> None:
    path = signed(authority, name, kind, hosts=hosts)
    extensions = x509.load_pem_x509_certificate(path.read_bytes()).extensions
    found = [each.value for each in extensions if isinstance(each.value, x509.SubjectAlternativeName)]

    assert verified(authority, path) == "OK"
    assert [each.get_values_for_type(x509.DNSName) for each in found] == ([] if named is None else [named])


def test_a_certificate_lasts_three_times_a_month_and_begins_an_hour_ago(authority: Authority) -> None:
    certificate = x509.load_pem_x509_certificate(signed(authority, "hai-ninh-03").read_bytes())

    assert certificate.not_valid_after_utc - NOW == timedelta(days=90)
    assert NOW - certificate.not_valid_before_utc == timedelta(hours=1)


def test_the_key_lies_encrypted_and_only_its_owner_can_read_it(authority: Authority) -> None:
    key = authority.folder / "ca.key"

    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert openssl("pkey", "-in", key, "-passin", f"pass:{PASSPHRASE}", "-noout").returncode == 0
    assert openssl("pkey", "-in", key, "-passin", "pass:another one", "-noout").returncode != 0


def test_what_is_revoked_openssl_refuses_and_everyone_else_it_accepts(authority: Authority) -> None:
    stolen, other = signed(authority, "hai-ninh-03"), signed(authority, "hai-ninh-04")
    authority.revoke("hai-ninh-03", "keyCompromise", NOW)
    crl = authority.write_crl(NOW)

    assert "revoked" in verified(authority, stolen, "sslclient", "-crl_check", "-CRLfile", str(crl))
    assert verified(authority, other, "sslclient", "-crl_check", "-CRLfile", str(crl)) == "OK"


def test_an_older_certificate_can_be_revoked_while_the_one_in_use_is_kept(authority: Authority) -> None:
    old, new = signed(authority, "hai-ninh-03").read_bytes(), signed(authority, "hai-ninh-03").read_bytes()
    serial = x509.load_pem_x509_certificate(new).serial_number

    revoked = authority.revoke("hai-ninh-03", "superseded", NOW, keep=serial)

    assert [each.serial for each in revoked] == [x509.load_pem_x509_certificate(old).serial_number]
    with pytest.raises(NgatuError, match="no good certificate"):
        authority.revoke("hai-ninh-03", "superseded", NOW, keep=revoked[0].serial)


def test_a_name_whose_key_was_lost_is_signed_again_only_when_it_is_said_twice(authority: Authority) -> None:
    signed(authority, "hai-ninh-03")
    authority.revoke("hai-ninh-03", "keyCompromise", NOW)

    with pytest.raises(NgatuError, match="its key was lost"):
        signed(authority, "hai-ninh-03")
    signed(authority, "hai-ninh-03", again=True)


def test_a_key_that_was_lost_is_never_signed_again_whoever_asks(authority: Authority) -> None:
    """Whoever has a copy of it would be let in again, by any name."""
    asked = request(authority.folder.parent, "hai-ninh-03")
    authority.sign(asked, "box", "hai-ninh-03", NOW)
    authority.revoke("hai-ninh-03", "keyCompromise", NOW)
    renamed = openssl(
        "req", "-new", "-key", authority.folder.parent / "hai-ninh-03.key", "-subj", "/CN=hai-ninh-04"
    )

    for name, request_of in (("hai-ninh-03", asked), ("hai-ninh-04", renamed.stdout.encode())):
        with pytest.raises(NgatuError, match="this key was lost: hai-ninh-03 was revoked for it") as caught:
            authority.sign(request_of, "box", name, NOW, again=True)
        assert "make a new key" in (caught.value.hint or "")
    assert len(authority.index.issued()) == 1


@pytest.mark.parametrize("left", [b"", None], ids=["empty", "of before"])
def test_no_list_is_made_of_an_index_that_is_older_than_the_last_one(
    authority: Authority, left: bytes | None
) -> None:
    """Such as one that was half copied, or came back from a backup: the stolen box would be let in again."""
    signed(authority, "hai-ninh-03")
    old = authority.index.path.read_bytes() if left is None else left
    authority.revoke("hai-ninh-03", "keyCompromise", NOW)
    before = authority.write_crl(NOW).read_bytes()
    authority.index.path.write_bytes(old)

    for opened in (ca.look, lambda folder: ca.unlock(folder, PASSPHRASE)):
        with pytest.raises(NgatuError, match=r"index\.jsonl: it is older than crl\.pem beside it") as caught:
            opened(authority.folder)
        assert "newest copy" in (caught.value.hint or "")
    assert (authority.folder / "crl.pem").read_bytes() == before


def test_a_folder_without_its_key_that_has_signed_is_never_made_anew(authority: Authority) -> None:
    certificate = signed(authority, "hai-ninh-03").read_bytes() and (authority.folder / "ca.crt").read_bytes()
    (authority.folder / "ca.key").unlink()

    with pytest.raises(NgatuError, match=r"ca\.key is missing"):
        ca.make(authority.folder, "another", PASSPHRASE, NOW)
    assert (authority.folder / "ca.crt").read_bytes() == certificate
    assert [each.name for each in authority.index.issued()] == ["hai-ninh-03"]


@pytest.mark.parametrize("name", ["", "Tỉnh " * 10])
def test_a_name_that_no_certificate_bears_is_refused_and_leaves_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(NgatuError, match="a certificate bears 1 to 64"):
        ca.make(tmp_path / "ca", name, PASSPHRASE, NOW)
    assert not (tmp_path / "ca").exists()


def test_a_replaced_name_is_signed_again_without_further_words(authority: Authority) -> None:
    signed(authority, "hai-ninh-03")
    authority.revoke("hai-ninh-03", "superseded", NOW)

    assert verified(authority, signed(authority, "hai-ninh-03")) == "OK"


def test_an_authority_is_never_made_over_another(authority: Authority) -> None:
    with pytest.raises(NgatuError, match="an authority already"):
        ca.make(authority.folder, "another", PASSPHRASE, NOW)


def test_a_half_made_authority_is_made_anew(tmp_path: Path) -> None:
    """Its key is written last, so a folder without one has signed nothing."""
    ca.make(tmp_path, "first", PASSPHRASE, NOW)
    (tmp_path / "ca.key").unlink()

    made = ca.make(tmp_path, "second", PASSPHRASE, NOW)

    assert verified(made, signed_in(tmp_path, made)) == "OK"


def signed_in(folder: Path, authority: Authority) -> Path:
    path = folder / "box.crt"
    path.write_bytes(authority.sign(request(folder, "hai-ninh-03"), "box", "hai-ninh-03", NOW))
    return path


def test_the_authority_never_signs_beyond_its_own_end(authority: Authority) -> None:
    with pytest.raises(NgatuError, match="the authority ends before that"):
        signed(authority, "hai-ninh-03", days=4000)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda folder: (folder / "ca.key").write_bytes(b"nothing"), "no key"),
    (lambda folder: (folder / "ca.key").unlink(), "No such file"),
    (lambda folder: (folder / "ca.crt").unlink(), "no authority is here: No such file"),
    (lambda folder: (folder / "ca.crt").write_text("no"), "ca.crt: this is no certificate"),
])  # fmt: skip
def test_a_folder_that_is_not_whole_is_one_clear_error(
    authority: Authority, spoil: object, message: str
) -> None:
    spoil(authority.folder)  # type: ignore[operator]

    with pytest.raises(NgatuError, match=message):
        ca.unlock(authority.folder, PASSPHRASE)


def test_an_index_that_is_missing_is_one_clear_error(authority: Authority) -> None:
    signed(authority, "hai-ninh-03")
    authority.index.path.unlink()
    opened = ca.unlock(authority.folder, PASSPHRASE)

    for act in (
        opened.index.issued,
        lambda: opened.revoke("hai-ninh-03", "keyCompromise", NOW),
        lambda: opened.write_crl(NOW),
        lambda: signed(opened, "hai-ninh-04"),
    ):
        with pytest.raises(NgatuError, match=r"index\.jsonl: No such file or directory") as caught:
            act()
        assert "from your copy" in (caught.value.hint or "")


def test_a_wrong_passphrase_is_one_clear_error(authority: Authority) -> None:
    with pytest.raises(NgatuError, match="the passphrase is wrong"):
        ca.unlock(authority.folder, "wrong horse battery")


def test_a_name_of_several_lines_and_a_folder_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "paper").write_text("")
    with pytest.raises(NgatuError, match="this is not one line of letters"):
        ca.make(tmp_path / "ca", "quang\ntri", PASSPHRASE, NOW)
    with pytest.raises(NgatuError, match="paper: this is no folder"):
        ca.make(tmp_path / "paper", "quang-tri", PASSPHRASE, NOW)
    assert [each.name for each in tmp_path.iterdir()] == ["paper"]
