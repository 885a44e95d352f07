"""station.boxes.plans"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from station.boxes.plan_picture import PlanError
from station.boxes.plans import MAX_PLANS, PlacedBox, Plans
from station.store.database import StoreError, engine_of
from tests.station.boxes.test_plan_picture import encoded, image
from tests.support.stores import Place
from tests.support.told_boxes import COMMUNE, ToldBox

NOW_S = 1_795_860_000.0
PICTURE = encoded(image())


@pytest.fixture
def plans(place: Place) -> Iterator[Plans]:
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S).status(), ToldBox("hn-02", NOW_S).status()])
        yield Plans(place.engine, now=lambda: NOW_S)


def test_a_plan_is_made_named_and_found_with_its_picture(plans: Plans) -> None:
    made = plans.add("  Trung tâm xã\n", PICTURE)
    plans.add("Bản đồ", PICTURE)
    found, picture = plans.find(made), plans.image(made)

    assert found is not None
    assert (found.name, found.width_px, found.height_px, found.places) == ("Trung tâm xã", 120, 80, ())
    assert picture is not None
    assert (picture.media_type, picture.data[:4]) == ("image/png", b"\x89PNG")
    assert [each.name for each in plans.all()] == ["Bản đồ", "Trung tâm xã"]
    assert plans.find(99) is None
    assert plans.image(99) is None


def test_boxes_are_placed_moved_and_taken_off(plans: Plans) -> None:
    made = plans.add("A", PICTURE)
    plans.arrange(made, COMMUNE, {"hn-01": (0, 1000), "hn-02": (500, 250)})
    moved = plans.arrange(made, COMMUNE, {"hn-01": (10, 20)})

    assert moved.places == (PlacedBox("hn-01", 10, 20),)
    assert plans.all() == (moved,)
    assert plans.arrange(made, COMMUNE, {}).places == ()


def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten(plans: Plans) -> None:
    made = plans.add("A", PICTURE)
    seen = plans.all()[0].changed_ms
    plans.arrange(made, COMMUNE, {"hn-01": (1, 1)}, seen)
    with pytest.raises(PlanError, match="somebody else"):
        plans.arrange(made, COMMUNE, {"hn-01": (2, 2)}, seen)

    assert plans.all()[0].places == (PlacedBox("hn-01", 1, 1),)


def test_another_picture_or_name_leaves_the_places(plans: Plans) -> None:
    made = plans.add("A", PICTURE)
    plans.arrange(made, COMMUNE, {"hn-01": (1, 1)})
    plans.change(made, "B")
    plans.change(made, "C", encoded(image(200, 100), ".jpg"))
    found = plans.all()[0]

    assert (found.name, found.width_px, found.places) == ("C", 200, (PlacedBox("hn-01", 1, 1),))
    assert (plans.image(made) or found).media_type == "image/jpeg"  # type: ignore[union-attr]


def test_a_plan_that_is_removed_is_gone_with_its_places(plans: Plans, place: Place) -> None:
    made = plans.add("A", PICTURE)
    plans.arrange(made, COMMUNE, {"hn-01": (1, 1)})
    plans.remove(made)

    assert plans.all() == ()
    assert place.rows("select count(*) from plan_place") == [(0,)]


def test_what_cannot_be_is_refused_and_changes_nothing(plans: Plans) -> None:
    made = plans.add("A", PICTURE)
    plans.arrange(made, COMMUNE, {"hn-01": (1, 1)})
    before = plans.all()
    for wrong in ({"hn-99": (1, 1)}, {"hn-01": (-1, 1)}, {"hn-01": (1, 1001)}):
        with pytest.raises(PlanError):
            plans.arrange(made, COMMUNE, wrong)
    with pytest.raises(PlanError):
        plans.arrange(made, "another-commune", {"hn-01": (1, 1)})
    for call in (
        lambda: plans.arrange(99, COMMUNE, {}),
        lambda: plans.change(99, "A"),
        lambda: plans.remove(99),
        lambda: plans.change(made, ""),
        lambda: plans.change(made, "A" * 81),
        lambda: plans.change(made, "A", b"<svg/>"),
        lambda: plans.add("A", b""),
    ):
        with pytest.raises(PlanError):
            call()

    assert plans.all() == before


def test_there_are_so_many_plans_and_no_more(sqlite_place: Place) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)):
        plans = Plans(sqlite_place.engine)
        for number in range(MAX_PLANS):
            plans.add(str(number), PICTURE)
        with pytest.raises(PlanError, match="50 plans already"):
            plans.add("one more", PICTURE)


def test_a_store_that_cannot_be_used_is_told_in_words(sqlite_place: Place) -> None:
    engine = engine_of(sqlite_place.url, writes=False)
    plans = Plans(engine)
    for call in (plans.all, lambda: plans.add("A", PICTURE)):
        with pytest.raises(StoreError):
            call()
    engine.dispose()
