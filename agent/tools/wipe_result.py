"""The written result of a wipe: signed, checked, as JSON and as a text for the file of papers."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.errors import NgatuError
from agent.translatable import tr
from agent.wire.signature import canonical

LEFT: Final = "not deleted"
LIMITS: Final = (
    "A flash card or SSD keeps copies of what was overwritten where no program reaches. "
    "If nobody may ever read them, destroy the card.",
    "What the station has of this box is not touched by this, nor what was saved from it elsewhere.",
)


def signed(result: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The result with the public half of the key, and its signature over the rest (RFC 8785)."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    whole = {**result, "key": base64.b64encode(public).decode()}
    return {**whole, "signature": base64.b64encode(key.sign(canonical(whole))).decode()}


def signature_fault(result: dict[str, Any], expected_key: str | None) -> str | None:
    """What is wrong with the signature of a result; None: nothing.

    `expected_key` is the box's public key as its station knows it, base64.
    """
    if "signature" not in result:
        return tr("it is not signed: the box had no key for footage")
    rest = {name: value for name, value in result.items() if name != "signature"}
    if expected_key is not None and rest.get("key") != expected_key:
        return tr("it is signed by another key than the box's")
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(rest["key"], validate=True))
        public.verify(base64.b64decode(result["signature"], validate=True), canonical(rest))
    except (InvalidSignature, NgatuError, ValueError, TypeError, LookupError):
        return tr("it was changed: the signature does not fit")
    return None


def still_there(result: dict[str, Any]) -> list[str]:
    """Files of a result that are on this machine, although it says that they are deleted.

    Raises:
        NgatuError: it is no result of a wipe.
    """
    try:
        gone = [str(each["path"]) for each in result["files"] if each["how"] != LEFT]
    except (TypeError, LookupError):
        raise NgatuError(tr("this is no result of a wipe"), tr("name the .json file that it wrote")) from None
    return [path for path in gone if os.path.lexists(path)]


def as_text(result: dict[str, Any]) -> str:
    """The same for a file of papers, in English as it is signed."""
    lines = [
        f"Box {result['box']} was wiped at {result['time']} by {result['by']}.",
        f"Deleted: {result['deleted_files']} files, {result['deleted_bytes']} bytes. "
        f"Not deleted: {result['left_files']}.",
        "",
        *(_file_line(each) for each in result["files"]),
        *(f"not ngatu's, left: {path}" for path in result["others_left"]),
        *(f"folder left, not empty: {path}" for path in result["folders_left"]),
        *(f"secret not here, its host holds it: {path}" for path in result["secrets_not_here"]),
        "",
        *result["limits"],
        "" if "signature" in result else "Not signed: the box had no key for footage.",
    ]
    return "\n".join(lines).rstrip() + "\n"


def _file_line(each: dict[str, Any]) -> str:
    why = f" ({each['why']})" if each["why"] else ""
    return f"{each['how']}: {each['path']}, {each['bytes']} bytes{why}"


def write(result: dict[str, Any], folder: Path) -> Path:
    """Both forms into a folder, as files that were not there; the JSON's path.

    Raises:
        NgatuError: they cannot be written.
    """
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    name = f"ngatu-wipe-{result['box'].partition('/')[2]}-{stamp}"
    try:
        text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
        with (folder / f"{name}.txt").open("x", encoding="utf-8") as file:
            file.write(as_text(result))
        with (folder / f"{name}.json").open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NgatuError(
            tr("{folder}: {reason}", folder=folder, reason=error.strerror or error),
            tr("the box is wiped; only the written result is missing"),
        ) from error
    return folder / f"{name}.json"
