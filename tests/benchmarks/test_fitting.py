"""benchmarks.fitting: tuned on all sequences but one, judged by that one"""

from __future__ import annotations

from benchmarks.fitting import drawn, left_out


def test_what_the_others_choose_is_judged_by_the_one_left_out() -> None:
    scores = {"a": [0.5, 0.9, 0.4], "b": [0.5, 0.4, 0.6], "c": [0.5, 0.3, 0.7]}

    rows = {str(row["left_out"]): row for row in left_out(scores)}

    assert rows["a"]["tuned_on_others"] == 0.4  # b and c choose the last
    assert rows["a"]["tuned_on_itself"] == 0.9
    assert (rows["a"]["others_default"], rows["a"]["others_tuned"]) == (0.5, 0.65)
    assert rows["b"]["tuned_on_others"] == 0.4  # a and c choose the middle one, by 0.6 to 0.55
    assert rows["c"]["draws_below_default"] == 1


def test_draws_are_the_same_each_time_and_each_is_another() -> None:
    first, second = drawn(5), drawn(5)

    assert first == second
    assert len(set(first)) == 5


def test_draws_keep_what_is_no_number_and_the_limit_of_tracks() -> None:
    default = type(drawn(1)[0])()

    for settings in drawn(20):
        assert (settings.groups, settings.max_tracks) == (default.groups, default.max_tracks)
        assert all(0 < getattr(settings, name) <= 1 for name in ("high_score", "low_score", "jitter"))
