"""agent.cameras.decode.wake.sleeper"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cameras.decode.wake.sizes import PacketSize
from agent.cameras.decode.wake.sleeper import CALM_S, DOUBT_S, MOST_BYTES, MOST_S, UP_S, PacketStep, Sleeper

FPS = 25.0


@dataclass
class Camera:
    """A stream of a still view, and a caller whose word the test gives."""

    sleeper: Sleeper = field(default_factory=lambda: Sleeper(1 / FPS))
    group: int = 50
    key_bytes: int = 20_000
    times: float = 1.0
    calm: float | None = inf
    noise: float = 0.2
    count: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    @property
    def at_s(self) -> float:
        return self.count / FPS

    def step(self) -> PacketStep:
        key = self.count % self.group == 0
        size = (
            self.key_bytes
            if key
            else int(self.times * 200 * self.chance.uniform(1 - self.noise, 1 + self.noise))
        )
        at_s = self.at_s
        self.count += 1
        return self.sleeper.packet(PacketSize(size, key, at_s, at_s), self.calm)

    def run(self, seconds: float) -> list[PacketStep]:
        return [self.step() for _ in range(round(seconds * FPS))]

    def asleep(self) -> Camera:
        for _ in range(round(120 * FPS)):
            if self.sleeper.asleep:
                break
            self.step()
        assert self.sleeper.asleep
        return self


@pytest.mark.parametrize("group", [25, 50, 100, 200])
def test_while_nothing_happens_only_key_pictures_are_decoded(group: int) -> None:
    camera = Camera(group=group)
    camera.run(30)
    steps = camera.run(80)
    assert set(steps) <= {PacketStep.KEY, PacketStep.LEAVE, PacketStep.DECODE, PacketStep.RISE}
    assert steps.count(PacketStep.LEAVE) > 0.8 * len(steps)


def test_nothing_is_left_before_the_caller_was_content_for_a_while() -> None:
    camera = Camera(calm=None)
    assert set(camera.run(10)) == {PacketStep.DECODE}
    camera.calm = inf
    assert set(camera.run(CALM_S)) == {PacketStep.DECODE}


def test_packets_that_grow_wake_it_within_a_third_of_a_second() -> None:
    camera = Camera().asleep()
    camera.run(4)
    camera.asleep()
    camera.times = 2.0
    steps = camera.run(0.34)
    assert PacketStep.RISE in steps
    assert set(steps[steps.index(PacketStep.RISE) + 1 :]) <= {PacketStep.DECODE}


def test_the_caller_s_word_wakes_it_at_once() -> None:
    camera = Camera().asleep()
    camera.calm = None
    assert camera.step() is PacketStep.RISE
    assert set(camera.run(5)) == {PacketStep.DECODE}


def test_after_a_wake_for_nothing_it_looks_for_a_moment_and_is_warier() -> None:
    camera = Camera().asleep()
    camera.times = 2.0
    while camera.step() is not PacketStep.RISE:
        pass
    camera.times = 1.0
    assert set(camera.run(DOUBT_S - 0.1)) == {PacketStep.DECODE}
    camera.run(1)
    assert camera.sleeper.caution > 1.0


def test_what_it_slept_through_makes_it_quicker_and_in_the_end_it_rests() -> None:
    camera = Camera(group=25, noise=0.0)
    for _ in range(4):
        camera.calm = inf
        camera.asleep()
        camera.run(2)
        camera.calm = None
        camera.run(2)
    camera.calm = inf
    assert set(camera.run(30)) == {PacketStep.DECODE}


def test_a_glance_at_a_leaf_is_nothing_that_sizes_should_have_told() -> None:
    camera = Camera(group=25)
    for _ in range(12):
        camera.calm = inf
        camera.asleep()
        camera.run(1)
        camera.calm = None
        camera.run(0.2)
    assert camera.sleeper.caution >= 0.99


def test_key_pictures_that_are_too_far_apart_for_this_machine_keep_it_awake() -> None:
    camera = Camera(group=100)
    for _ in range(400):
        camera.sleeper.cost(1.2 * UP_S / 100)
    camera.run(12)
    assert set(camera.run(60)) == {PacketStep.DECODE}


def test_key_pictures_that_are_farther_apart_than_pictures_may_be_keep_it_awake() -> None:
    camera = Camera(group=round((MOST_S + 3) * FPS))
    camera.run(30)
    assert set(camera.run(60)) == {PacketStep.DECODE}


def test_a_caller_that_wants_pictures_more_often_than_they_are_keys_gets_all() -> None:
    camera = Camera(group=100, calm=2.0)
    camera.run(12)
    assert set(camera.run(30)) == {PacketStep.DECODE}


def test_a_camera_that_makes_its_groups_longer_is_caught_up_with_in_time() -> None:
    camera = Camera(group=50).asleep()
    camera.run(10)
    camera.group = 10**6
    camera.asleep()
    steps = camera.run(MOST_S + 1)
    assert PacketStep.RISE in steps


packets = st.lists(
    st.tuples(
        st.integers(0, MOST_BYTES), st.sampled_from([True, False, False, False]), st.floats(0, 3),
        st.sampled_from([None, inf, inf, inf, 2.0]),
    ),
    max_size=60,
)  # fmt: skip


@given(packets, st.floats(0, 0.1))
@settings(max_examples=30)
def test_whatever_comes_what_waits_is_bounded_and_begins_where_decoding_can(
    given: list[tuple[int, bool, float, float | None]], cost_s: float
) -> None:
    sleeper = Sleeper(1 / FPS)
    for _ in range(200):
        sleeper.cost(cost_s)
    still = Camera(sleeper=sleeper)
    still.run(3.5)
    at_s, waiting, waiting_bytes = still.at_s, 0, 0
    for size, key, passed_s, calm in given:
        at_s += passed_s
        was_asleep = sleeper.asleep
        step = sleeper.packet(PacketSize(size, key, at_s, at_s), calm)
        if step is PacketStep.LEAVE:
            waiting, waiting_bytes = waiting + 1, waiting_bytes + size
            assert calm is not None
        elif step is PacketStep.KEY:
            assert key and was_asleep
            waiting, waiting_bytes = 1, size
        else:
            assert was_asleep == (step is PacketStep.RISE)
            waiting = waiting_bytes = 0
        assert waiting_bytes <= MOST_BYTES or waiting == 1
        assert sleeper.asleep == (step in (PacketStep.LEAVE, PacketStep.KEY))
