"""docs/guide/integrate.md"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.config import parse
from station.outward.hook import LONGEST_WAIT_S
from station.outward.signing import LONGEST, SHORTEST, headers, key_of, new_secret
from station.web.api.rates import PER_S
from station.web.api.root import ROOT, described

PAGES = ("integrate.md", "integrate.vi.md")
EACH = pytest.mark.parametrize("name", PAGES)


def page(name: str) -> str:
    return (Path(__file__).resolve().parents[2] / "docs/guide" / name).read_text(encoding="utf-8")


def verifier(name: str) -> Callable[..., bool]:
    """The page's own lines."""
    (program,) = re.findall(r"```python\n(.*?)```", page(name), re.DOTALL)
    (_, body) = program.split("\n\n\n")
    assert len([line for line in body.splitlines() if line.strip()]) <= 10
    there: dict[str, Any] = {}
    exec(program, there)
    found: Callable[..., bool] = there["verified"]
    return found


@EACH
def test_the_lines_of_the_page_verify_what_the_station_signs_and_nothing_else(name: str) -> None:
    verified, secret, now_s = verifier(name), new_secret(), int(time.time())
    sent = headers(key_of(secret), "north-01.e-1.1", now_s, b'{"type":"event.start"}')

    assert verified(secret, sent, b'{"type":"event.start"}')
    rotated = sent | {"webhook-signature": f"v1,AAAA {sent['webhook-signature']}"}
    assert verified(secret, rotated, b'{"type":"event.start"}')
    assert not verified(new_secret(), sent, b'{"type":"event.start"}')
    assert not verified(secret, sent, b'{"type":"event.end"}')
    assert not verified(secret, sent | {"webhook-id": "another"}, b'{"type":"event.start"}')
    old = headers(key_of(secret), "north-01.e-1.1", now_s - 301, b"{}")
    assert not verified(secret, old, b"{}")


@EACH
def test_every_path_of_the_page_is_one_and_none_is_left_out(name: str) -> None:
    named = set(re.findall(r"^\| `([a-z0-9/A-Z.]+)` \|", page(name), re.MULTILINE)) - {"key"}
    listed = {
        re.sub(
            r"{\w+}",
            lambda found: {"box": "BOX", "event_id": "ID"}.get(found[0][1:-1], found[0][1:-1].upper()),
            path,
        )
        for path in (path.removeprefix(f"{ROOT}/") for path in described()["paths"])
    }
    named -= {"home_assistant", "frigate", "onvif"}

    assert {path for path in named if path != "openapi.json"} <= listed
    assert listed - named <= {"boxes/BOX", "requests/REQUEST_ID", "counts/lines"}


@EACH
def test_the_figures_of_the_page_are_those_of_the_program(name: str) -> None:
    (with_hooks, _) = re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)
    (hook,) = parse(with_hooks.encode(), name).outward.webhooks

    assert (hook.timeout_s, hook.patience_h, LONGEST_WAIT_S, PER_S) == (10, 120, 3600, 10)
    assert (SHORTEST, LONGEST) == (24, 64)
