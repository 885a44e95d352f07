"""agent.core.tracking.label_votes"""

from __future__ import annotations

from agent.core.tracking.label_votes import MOST_LABELS, Votes, group, vote, winner

GROUPS = (("car", "truck"), ("motorcycle", "bicycle"))


def test_labels_of_a_group_share_its_name_and_others_stand_alone():
    assert group("truck", GROUPS) == group("car", GROUPS) == "car"
    assert group("person", GROUPS) == "person"


def test_the_majority_wins_and_old_votes_fade():
    votes: Votes = ()
    for label in ("truck", "truck", "car"):
        votes = vote(votes, label, 1.0, 1.0)
    assert winner(votes, "truck", 1.3) == "truck"
    for _ in range(4):
        votes = vote(votes, "car", 1.0, 0.5)
    assert winner(votes, "truck", 1.3) == "car"


def test_a_narrow_lead_does_not_flip_the_label():
    votes = (("car", 1.0), ("truck", 1.2))
    assert winner(votes, "car", 1.3) == "car"
    assert winner(votes, "car", 1.1) == "truck"


def test_no_more_labels_are_remembered_than_a_few():
    votes: Votes = ()
    for n in range(50):
        votes = vote(votes, f"label {n}", 1.0 + n % 7, 0.9)
    assert len(votes) <= MOST_LABELS
    assert "label 49" in dict(votes)
