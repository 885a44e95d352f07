"""The bill of materials of a bundle, for programs: CycloneDX 1.6 in JSON (ECMA-424).

Written by hand, for it is one small document: https://cyclonedx.org/docs/1.6/json/. It lists what lies in the
bundle, each with its version, licence and SHA-256, and the libraries of machine code within wheels; it draws no
dependencies. It carries no time, and its serial number comes from its content: the same bundle, the same bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from packaging.utils import canonicalize_name

from fleet.bundle.archive import Content
from fleet.bundle.licences import KNOWN, NONE, Licensed

FILE: Final = "sbom.cdx.json"
"""In a bundle; `.cdx.json` is what CycloneDX asks a file to end with."""
VERSION: Final = "1.6"
MODELS: Final = (".onnx", ".ncnn")
"""What a network's file ends with."""
SPACE: Final = uuid.UUID("6f0b6f3e-5f0a-5d3b-9a55-0f5f6e6f6774")
"""Of serial numbers made from content (RFC 9562, version 5)."""


def encoded(
    own: Licensed,
    board: str,
    wheels: Sequence[Licensed],
    files: Mapping[str, Content],
    models: Mapping[str, str],
) -> bytes:
    """The document. `files` are the bundle's others by name; `models` gives the licences of those that tell."""
    components = [_wheel(each, files[f"wheels/{each.file}"]) for each in sorted(wheels, key=lambda w: w.file)]
    components += [
        _file(name, of, models.get(name, ""))
        for name, of in sorted(files.items())
        if not name.startswith("wheels/")
    ]
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "bundle",
                "name": own.name,
                "version": own.version,
                "description": f"release of {own.name} for {board}",
                "licenses": _licences(own.licence, spdx=own.spdx),
            }
        },
        "components": components,
    }
    serial = uuid.uuid5(SPACE, json.dumps(document, sort_keys=True))
    return (
        json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1, sort_keys=True) + "\n"
    ).encode()


def _wheel(wheel: Licensed, of: Content) -> dict[str, Any]:
    name = canonicalize_name(wheel.name)
    purl = f"pkg:pypi/{name}@{wheel.version}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": wheel.version,
        "purl": purl,
        **_content(f"wheels/{wheel.file}", of),
    }
    if wheel.licence != NONE:
        component["licenses"] = _licences(wheel.licence, spdx=wheel.spdx)
    if wheel.libraries:
        component["components"] = [_library(purl, each) for each in wheel.libraries]
    return component


def _library(within: str, name: str) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "bom-ref": f"{within}#{name}", "name": name}
    if what := KNOWN.get(name):
        component["licenses"] = _licences(what.licence, spdx=True)
        component["externalReferences"] = [{"type": "vcs", "url": what.source}]
    return component


def _file(name: str, of: Content, licence: str) -> dict[str, Any]:
    kind = "machine-learning-model" if name.endswith(MODELS) else "file"
    component = {"type": kind, "bom-ref": name, "name": PurePosixPath(name).name, **_content(name, of)}
    return component | ({"licenses": _licences(licence, spdx=False)} if licence else {})


def _content(name: str, of: Content) -> dict[str, Any]:
    return {
        "hashes": [{"alg": "SHA-256", "content": of.sha256}],
        "properties": [{"name": "ngatu:file", "value": name}, {"name": "ngatu:bytes", "value": str(of.bytes)}],
    }


def _licences(licence: str, *, spdx: bool) -> list[dict[str, Any]]:
    return [{"expression": licence}] if spdx else [{"license": {"name": licence}}]
