"""A small certificate authority in a folder of the administrator's computer.

    ca.key       its key (P-256), encrypted with a passphrase; nothing else in the folder is secret
    ca.crt       its certificate, which boxes, broker and station are given
    index.jsonl  everything that it signed and revoked
    crl.pem      the list of the revoked, which the broker is given

Invariants
1. Keys of boxes never come here: only requests do, and only public halves leave.
2. What is signed is in the index first; so is what is revoked.
3. Whoever was revoked because of a lost key is not signed again unless it is said twice, and that key never.
4. The folder is whole after a crash at any moment; a list may lag behind the index, until it is written anew.
5. No list is made of an index that is older than the last one: it would let in again who was revoked since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.errors import NgatuError
from fleet.ca.crl import listed, number_in
from fleet.ca.index import CertificateIndex, Issued, Kind, Reason
from fleet.ca.request import alternative, digest, fitting, public_key
from fleet.whole_file import in_words, require_takes, write_whole

MIN_CA_PASSPHRASE_CHARS: Final = 12
MAX_NAME_BYTES: Final = 64
"""Of a common name (RFC 5280, ub-common-name)."""
AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 90
"""At least three times the longest outage that a box must survive: thirty days without a way to renew."""
CRL_DAYS: Final = 180
SERVERS: Final[tuple[Kind, ...]] = ("broker", "screen")
"""Whom others come to."""
EARLIER: Final = timedelta(hours=1)
"""So much before now a certificate begins: a box's clock may be late."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An open folder; without its key it can only tell."""

    folder: Path
    certificate: x509.Certificate
    index: CertificateIndex
    key: ec.EllipticCurvePrivateKey | None = None

    def sign(
        self, request: bytes, kind: Kind, name: str, now: datetime, *,
        hosts: Sequence[str] = (), days: int = CERTIFICATE_DAYS, again: bool = False,
    ) -> bytes:  # fmt: skip
        """The certificate, in PEM, for whoever holds the key of this request. A server's bears its hosts.

        A station's bears its commune, an operator's what `hosts` says: the client id under which the province's
        broker lets it in, and no other.

        Raises:
            NgatuError: name or request do not fit, the key is one that was lost, or the name was revoked for
                another lost key and `again` is off.
        """
        fitting(kind, name)
        key = public_key(request, name)
        names = _names(kind, name, hosts)
        if kind in SERVERS and not names:
            raise NgatuError(f"{name}: no browser knows it by that name", "say by which: --host")
        ends = now + timedelta(days=days)
        if ends > self.certificate.not_valid_after_utc:
            raise NgatuError(
                f"{name}: the authority ends before that, on {self.certificate.not_valid_after_utc:%Y-%m-%d}",
                "make a new authority in another folder, and let boxes trust both while they change over",
            )
        with self.index.alone():
            self._not_lost(name, digest(key), again)
            serial = x509.random_serial_number()
            each = Issued(serial, kind, name, now - EARLIER, ends, key=digest(key))
            signed = self._signed(each, key, names)
            self.index.note_issue(each, now)  # invariant 2
        return signed.public_bytes(Encoding.PEM)

    def revoke(self, name: str, reason: Reason, now: datetime, *, keep: int | None = None) -> list[Issued]:
        """Revoke every good certificate of a name, but for the one with this serial number. Returns which.

        Nothing happens to the broker until it is given the new list.

        Raises:
            NgatuError: nothing was ever signed for it, or what is to be kept is not good.
        """
        with self.index.alone():
            known = [each for each in self.index.issued() if each.name == name]
            if not known:
                raise NgatuError(f"{name}: nothing was ever signed for it", "see who there is: ngatu ca list")
            if keep is not None and keep not in {each.serial for each in known if each.good(now)}:
                raise NgatuError(f"{name}: there is no good certificate {keep:x} to keep", "see ngatu ca list")
            chosen = [each for each in known if each.good(now) and each.serial != keep]
            for each in chosen:
                self.index.note_revocation(each.serial, reason, now)
        return chosen

    def write_crl(self, now: datetime, days: int = CRL_DAYS) -> Path:
        """Write the list of the revoked, with the next number. Returns where."""
        with self.index.alone():
            number = self.index.crl_number() + 1
            self.index.note_crl(number, now)  # a number that no list got is better than two lists of one
            ends = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
            crl = listed(self.index.issued(), number, self.certificate, self._key(), now, ends)
            path = self.folder / "crl.pem"
            write_whole(path, crl.public_bytes(Encoding.PEM))
        return path

    def _not_lost(self, name: str, key: str, again: bool) -> None:
        lost = [each for each in self.index.issued() if each.reason == "keyCompromise"]
        own = [each for each in lost if each.name == name]
        if own and not again:  # invariant 3
            raise NgatuError(
                f"{name}: its key was lost, and it was revoked on {own[-1].revoked:%Y-%m-%d}",
                "take it out of the inventory; for a new box of the same name add --again",
            )
        same = [each for each in lost if each.key == key]
        if same:
            raise NgatuError(
                f"{name}: this key was lost: {same[-1].name} was revoked for it on {same[-1].revoked:%Y-%m-%d}",
                "whoever has it would be let in again: make a new key there, by a new card or by rotate.yml",
            )

    def _key(self) -> ec.EllipticCurvePrivateKey:
        assert self.key is not None, "the folder was opened without its passphrase"
        return self.key

    def _signed(
        self, each: Issued, key: ec.EllipticCurvePublicKey, names: list[x509.GeneralName]
    ) -> x509.Certificate:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if each.kind in SERVERS else ExtendedKeyUsageOID.CLIENT_AUTH
        ours = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = _builder(each.name, self.certificate.subject, key, each.serial, each.begins, each.ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ours), critical=False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key(), hashes.SHA256())


def make(folder: Path, name: str, passphrase: str, now: datetime, days: int = AUTHORITY_DAYS) -> Authority:
    """A new authority, with an empty list of the revoked.

    Raises:
        NgatuError: there is one in the folder already, the folder cannot be written, the name is empty or
            longer than a certificate bears, or the passphrase is too short.
    """
    if len(passphrase) < MIN_CA_PASSPHRASE_CHARS:
        raise NgatuError("the passphrase is too short", f"take {MIN_CA_PASSPHRASE_CHARS} characters or more")
    if not 1 <= (size := len(name.encode())) <= MAX_NAME_BYTES:
        raise NgatuError(
            f"--name {name!r}: {size} bytes, a certificate bears 1 to {MAX_NAME_BYTES}",
            "take a shorter one; a letter with accents has two or three bytes",
        )
    if not name.isprintable():
        raise NgatuError(f"--name {name!r}: this is not one line of letters", "such as --name quang-tri")
    index = CertificateIndex(folder / "index.jsonl")
    require_takes(folder, "name a folder in which you may write: --folder")
    with in_words(folder, "name a folder in which you may write: --folder"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (folder / "ca.key").exists():
            raise NgatuError(
                f"{folder}: there is an authority already", "the fleet trusts it: name another folder"
            )
        if index.path.exists() and index.issued():
            raise NgatuError(f"{folder}: ca.key is missing", "take it from your copy, or name another folder")
        for left in (index.path, folder / "crl.pem"):  # of one that was half made: it has signed nothing
            left.unlink(missing_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    serial = x509.random_serial_number()
    builder = _builder(name, subject, key.public_key(), serial, now - EARLIER, now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    # The key comes last: a folder that has one is complete but for its list (invariant 4).
    with in_words(index.path, "may this user write there, and is there room?"):
        index.create()
    write_whole(folder / "ca.crt", certificate.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    write_whole(folder / "ca.key", secret, 0o600)
    made = Authority(folder, certificate, index, key)
    made.write_crl(now)
    return made


def look(folder: Path) -> Authority:
    """An authority to be asked, not to sign.

    Raises:
        NgatuError: there is none in the folder, or its index is older than its list.
    """
    try:
        certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    except OSError as error:
        what = f"{folder}: no authority is here: {error.strerror}"
        raise NgatuError(what, "make one: ngatu ca init; or name its folder with --folder") from None
    except ValueError:
        what = f"{folder / 'ca.crt'}: this is no certificate"
        raise NgatuError(what, "take it from your copy of the folder") from None
    index = CertificateIndex(folder / "index.jsonl")
    if index.path.exists() and index.crl_number() < number_in(folder / "crl.pem"):  # invariant 5
        raise NgatuError(
            f"{index.path}: it is older than crl.pem beside it, and lacks who was revoked since",
            "take the whole folder from your newest copy, and revoke again who was revoked after that copy",
        )
    return Authority(folder, certificate, index)


def unlock(folder: Path, passphrase: str) -> Authority:
    """An authority that can sign.

    Raises:
        NgatuError: there is none, or the passphrase is wrong.
    """
    closed = look(folder)
    path = folder / "ca.key"
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.encode())
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", "take it from your copy of the folder") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NgatuError(f"{path}: the passphrase is wrong, or this is no key", "try again") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != closed.certificate.public_key():
        raise NgatuError(
            f"{path}: this key does not belong to ca.crt", "take both from your copy of the folder"
        )
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return Authority(closed.folder, closed.certificate, closed.index, key)


def _names(kind: Kind, name: str, hosts: Sequence[str]) -> list[x509.GeneralName]:
    """By what a server is called, or as whom a client calls; a box's name says that by itself."""
    if kind == "box":
        return []
    if kind == "station":
        return [x509.DNSName(name.removeprefix("station."))]
    return alternative([name, *hosts] if kind == "broker" else list(hosts))


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, serial: int, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(issuer, subject, key, serial, begins, ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
