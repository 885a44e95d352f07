"""A minute of footage, and its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agent.evidence.package.compose import SignedManifest
from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded


@dataclass
class Made:
    """A box, and what it signed of a minute: two runs with six seconds between them."""

    maker: Maker
    signed: SignedManifest
    ciphers: dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    maker = Maker(recorded(tmp_path_factory.mktemp("ring")))
    yield Made(maker, *maker.composed(NOON_S + 3, NOON_S + 57))
    maker.footage.bench.ring.close()
