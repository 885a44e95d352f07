"""Texts that would do something where they are taken for more, and how a page shows that they did not."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page

MARK = "zqx"
"""Stands in each of them: whoever shows the text, shows this."""
PRODUCT = str(7919 * 7907)
"""What a template would make of one of them."""
HOSTILE = {
    "script": f"{MARK}<script>window.hostileRan=1</script>",
    "attribute": f"{MARK}\"'><img src=x onerror=window.hostileRan=2><svg onload=window.hostileRan=3>",
    "address": f"javascript:window.hostileRan=4//{MARK}",
    "closing": f"{MARK}</textarea></title></style></script><b id=hostile>-->",
    "template": f"{MARK}{{{{7919*7907}}}}{{% raw %}}${{7919*7907}}{{what}}%(what)s",
    "control": f"{MARK}\x1b[31;5m\x07\x08\x9b2J\x7f\u2028\r\nSet-Cookie: hostile=1",
    "direction": f"{MARK}\u202egpj.exe\u2066\u200f\u061c",
    "formula": f'=HYPERLINK("http://hostile.example/{MARK}",1)|cmd',
    "formula-plus": f"+{MARK}+1",
    "formula-at": f"@SUM({MARK})",
    "formula-wide": f"\uff1d{MARK}",
    "formula-tab": f"\t-{MARK}",
    "long": MARK + "W" * 400,
    "quotes": f"{MARK}',\";\\\n--",
}
"""By what they try."""
STEERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for ends of lines and tabs, and marks of direction."""
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
_QUIET = re.compile(r"Failed to load resource: the server responded with a status of (4..|503)")

_DID = r"""
() => {
  const found = [];
  if (window.hostileRan !== undefined) found.push(`a script ran: ${window.hostileRan}`);
  if (document.getElementById("hostile")) found.push("an element was made");
  for (const each of document.querySelectorAll("*")) {
    for (const { name, value } of each.attributes) {
      if (/^on/i.test(name)) found.push(`an attribute ${name}`);
      if (/^(href|src|action|formaction)$/i.test(name) && /^\s*(javascript|vbscript|data:text)/i.test(value)) {
        found.push(`an address ${value.slice(0, 40)}`);
      }
    }
    if (each.tagName === "SCRIPT" && !each.src.startsWith(`${location.origin}/static/`)) found.push("a script");
    if (/^(IFRAME|OBJECT|EMBED|BASE|APPLET)$/.test(each.tagName)) found.push(`a ${each.tagName}`);
  }
  const width = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (width > 1) {
    // The innermost one that sticks out: what must be broken, or may not grow.
    const wide = [...document.querySelectorAll("main *")].reverse().find((each) =>
      each.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
    const name = (each) => `${each.tagName}.${each.className}`;
    const named = wide ? `${name(wide)} in ${name(wide.parentElement)}` : "?";
    found.push(`wider than the screen by ${width}: ${named}`);
  }
  return found;
}
"""


class HostilePage:
    """A page of a browser, and what hostile texts did there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.marked: set[str] = set()
        """Paths on which such a text was shown."""
        self._said: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("pageerror", lambda error: self._said.append(f"an error: {error}"))
        page.on("console", self._hear)
        page.on("request", self._asked)

    def _dismiss(self, dialog: Dialog) -> None:
        self._said.append(f"a dialog: {dialog.message[:40]}")
        dialog.dismiss()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _QUIET.search(message.text):
            self._said.append(f"the browser: {message.text[:160]}")

    def _asked(self, request: Any) -> None:
        if urlsplit(request.url).hostname == "hostile.example":  # in our own address it asks nobody
            self._said.append(f"a request to {request.url[:60]}")

    def visit(self, url: str) -> list[str]:
        """Open it; what is wrong there."""
        self._said.clear()
        self.page.goto(url, wait_until="load")
        self.page.wait_for_timeout(50)
        found = list(self.page.evaluate(_DID))
        html = self.page.content()
        if steering := STEERS.search(html):
            found.append(f"a character that steers: U+{ord(steering[0]):04X}")
        text = self.page.inner_text("body")
        if PRODUCT in text:
            found.append("a template computed it")
        if MARK in text:
            self.marked.add(url)
        return [*found, *self._said]


def csv_faults(text: str) -> list[str]:
    """What is wrong with an export for spreadsheets."""
    found = []
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            if cell.lstrip(" ").startswith(_FORMULA) and not _is_number(cell):
                found.append(f"a formula: {cell[:40]!r}")
            if STEERS.search(cell):
                found.append(f"a character that steers: {cell[:40]!r}")
    return found


def json_faults(text: str) -> list[str]:
    """What is wrong with an export as JSON, which is text to whoever opens it as such."""
    found = [f"a character that steers: {text[:40]!r}"] if STEERS.search(text) else []
    for line in filter(None, [text] if _is_json(text) else text.splitlines()):
        if not _is_json(line):
            found.append(f"no JSON: {line[:40]!r}")
    return found


def header_faults(headers: Sequence[tuple[str, str]]) -> list[str]:
    """What is wrong with the head of an answer."""
    has = {name.lower(): value for name, value in headers}
    found = [f"the header {name}" for name, value in has.items() if "hostile=" in value or STEERS.search(value)]
    if has.get("x-content-type-options") != "nosniff":
        found.append("the browser may guess what it is")
    return found


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
