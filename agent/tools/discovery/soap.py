"""SOAP as ONVIF cameras speak it: envelopes written, strangers' XML read, a login proved by its digest. Pure.

What comes is a stranger's. It is read as UTF-8 only, without a document type, and so without entities, up to a
size and a depth. Sources: SOAP 1.2; OASIS Web Services Security UsernameToken 1.0.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1
from xml.etree import ElementTree
from xml.sax.saxutils import escape

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_TEXT = 300
"""No name, address or number of a camera is longer."""

Element = ElementTree.Element

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
    "<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_LOGIN = (
    '<Security xmlns="{base}wssecurity-secext-1.0.xsd" s:mustUnderstand="true"><UsernameToken>'
    "<Username>{name}</Username>"
    '<Password Type="{base}username-token-profile-1.0#PasswordDigest">{digest}</Password>'
    '<Nonce EncodingType="{base}soap-message-security-1.0#Base64Binary">{nonce}</Nonce>'
    '<Created xmlns="{base}wssecurity-utility-1.0.xsd">{created}</Created></UsernameToken></Security>'
)


class NotXml(Exception):
    """What came is no XML that a camera would send."""


class _Builder(ElementTree.TreeBuilder):
    """Builds what is no deeper than any answer, and knows no entity."""

    _depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotXml("too deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *_: object) -> None:
        raise NotXml("a document type")


def read(data: bytes) -> Element:
    """The document that a stranger has sent.

    Raises:
        NotXml: it is none, or one that only wants to do harm.
    """
    if len(data) > MAX_BYTES:
        raise NotXml("too long")
    try:
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise NotXml("a document type")
        parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314 – see the line above
        parser.feed(text)
        return parser.close()
    except (ValueError, ElementTree.ParseError) as error:
        raise NotXml("not XML") from error


def every(element: Element, name: str) -> Iterator[Element]:
    """Each element of this local name in it; cameras differ in namespaces more than in names."""
    return (each for each in element.iter() if each.tag.rpartition("}")[2] == name)


def first(element: Element | None, *names: str) -> Element | None:
    """Along a way of local names, the first of each; None where there is none."""
    for name in names:
        element = None if element is None else next(every(element, name), None)
    return element


def text_of(element: Element | None, *names: str) -> str:
    """The text at the end of the way; empty where there is none, or more than a camera has to say."""
    found = first(element, *names)
    text = "" if found is None or found.text is None else found.text.strip()
    return text if len(text) <= MAX_TEXT else ""


def envelope(body: str, header: str = "") -> bytes:
    """A message with this body, both in XML."""
    return _ENVELOPE.format(header=header, body=body).encode()


def token(name: str, password: str, at_s: float, nonce: bytes | None = None) -> str:
    """The header that proves a login at this moment, in seconds since 1970 by the camera's own clock."""
    nonce = secrets.token_bytes(16) if nonce is None else nonce
    created = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    digest = password_digest(nonce, created, password)
    parts = {"name": escape(name), "digest": digest, "nonce": b64encode(nonce).decode()}
    return _LOGIN.format(base=_SECURITY, created=created, **parts)


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """The proof of a password, as the UsernameToken profile has it: SHA-1 is the standard's choice."""
    return b64encode(
        sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()
    ).decode()


def fault(answer: Element) -> str | None:
    """Why the camera does not do it: the codes and the reason of a fault in one line; None if it is none."""
    found = next(every(answer, "Fault"), None)
    if found is None:
        return None
    words = [each.text.strip() for name in ("Value", "Text") for each in every(found, name) if each.text]
    return " ".join(words)[:MAX_TEXT] or "a fault"
