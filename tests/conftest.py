"""Parts that many tests need; nothing clever."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.core.types import Instant

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class SteppedClock:
    """A clock that moves only when told."""

    moment: Instant = field(default_factory=lambda: Instant(mono_s=1000.0, wall_s=1_770_000_000.0))

    def now(self) -> Instant:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment = Instant(self.moment.mono_s + seconds, self.moment.wall_s + seconds)

    def step_wall(self, seconds: float) -> None:
        self.moment = Instant(self.moment.mono_s, self.moment.wall_s + seconds)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real footage, ground truth and weights; they lie beside the checkout and are never part of it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing; in CI it must be there")
        pytest.skip("real footage is not here: ../shared/data is missing")
    return folder
