"""The list of the revoked (CRL): who is on it, how long it lasts, and whether it may be installed.

A broker refuses every client once its list is out of date, so a list that ends soon is a fault of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from agent.errors import NgatuError
from fleet.ca.index import Issued, Reason

MIN_REMAINING: Final = timedelta(days=7)
"""What ends sooner is not installed."""
ALARM_REMAINING_RATIO: Final = 0.5
"""The station raises an alarm once so much of a list's life is left."""

_FLAGS: dict[Reason, x509.ReasonFlags] = {
    "unspecified": x509.ReasonFlags.unspecified,
    "keyCompromise": x509.ReasonFlags.key_compromise,
    "superseded": x509.ReasonFlags.superseded,
    "cessationOfOperation": x509.ReasonFlags.cessation_of_operation,
}


def listed(
    revoked: Iterable[Issued], number: int, ca: x509.Certificate, key: EllipticCurvePrivateKey,
    begins: datetime, ends: datetime,
) -> x509.CertificateRevocationList:  # fmt: skip
    """A signed list of those that are revoked and would not have ended by themselves before it begins."""
    builder = x509.CertificateRevocationListBuilder(ca.subject, begins, ends)
    for each in revoked:
        if each.revoked is None or each.reason is None or each.ends < begins:
            continue
        entry = x509.RevokedCertificateBuilder(each.serial, each.revoked)
        if each.reason != "unspecified":  # RFC 5280, 5.3.1: then the extension is left out
            entry = entry.add_extension(x509.CRLReason(_FLAGS[each.reason]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False
    )
    return builder.sign(key, hashes.SHA256())


def read(path: Path) -> x509.CertificateRevocationList:
    """The list in a file.

    Raises:
        NgatuError: there is none.
    """
    try:
        return x509.load_pem_x509_crl(path.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
    except ValueError:
        why = "it is none, or only a part of one"
    raise NgatuError(f"{path}: no list of the revoked: {why}", "write one: ngatu ca crl")


def number_in(path: Path) -> int:
    """The number of the list in a file; 0: none is there that can be read."""
    try:
        crl = x509.load_pem_x509_crl(path.read_bytes())
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (OSError, ValueError, x509.ExtensionNotFound):
        return 0


def remaining(crl: x509.CertificateRevocationList, now: datetime) -> timedelta:
    """How long it still lasts; negative: the broker lets nobody in."""
    ends = crl.next_update_utc
    if ends is None:
        raise NgatuError("the list of the revoked has no end", "write one: ngatu ca crl")
    return ends - now


def require_remaining(crl: x509.CertificateRevocationList, ca: x509.Certificate, now: datetime) -> timedelta:
    """How long it still lasts, if it may be installed.

    Raises:
        NgatuError: another authority signed it, it is not valid yet, or it ends within seven days.
    """
    key = ca.public_key()
    if crl.issuer != ca.subject or not crl.is_signature_valid(key):  # type: ignore[arg-type]
        raise NgatuError("this list of the revoked is of another authority", "take crl.pem of the same folder")
    if crl.last_update_utc > now:
        raise NgatuError(
            f"the list of the revoked begins at {crl.last_update_utc:%Y-%m-%d %H:%M} UTC only",
            "set the clock of this computer",
        )
    remains = remaining(crl, now)
    if remains < MIN_REMAINING:
        raise NgatuError(
            f"the list of the revoked ends in {max(remains, timedelta()) / timedelta(days=1):.1f} days, "
            "and then the broker lets no box in: it is not installed with less than "
            f"{MIN_REMAINING.days} days left",
            "write a new one: ngatu ca crl",
        )
    return remains
