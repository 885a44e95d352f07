"""agent.core.tracking.settings"""

from __future__ import annotations

from agent.core.tracking.settings import TrackSettings


def test_the_filter_assumes_what_the_settings_say_each_in_its_place() -> None:
    wanted = TrackSettings(
        first_speed=1.1, speed=1.2, agility=1.3, speed_memory_s=1.4, growth=1.5, growth_agility=1.6,
        growth_memory_s=1.7, jitter=0.18, jitter_size=0.19,
    )  # fmt: skip
    noise = wanted.noise

    assert (noise.first_speed, noise.speed, noise.agility, noise.speed_memory_s) == (1.1, 1.2, 1.3, 1.4)
    assert (noise.growth, noise.growth_agility, noise.growth_memory_s) == (1.5, 1.6, 1.7)
    assert (noise.measured, noise.measured_size) == (0.18, 0.19)


def test_by_default_the_scores_of_a_detection_mean_ever_more() -> None:
    by_default = TrackSettings()

    assert by_default.low_score < by_default.low_birth_score < by_default.birth_score <= by_default.sure_score


def test_by_default_no_label_is_in_two_groups() -> None:
    labels = [label for group in TrackSettings().groups for label in group]

    assert len(labels) == len(set(labels))
