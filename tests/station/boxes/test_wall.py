"""station.boxes.wall"""

from __future__ import annotations

import threading
from contextlib import closing

from station.boxes.findings import BoxVerdict
from station.boxes.wall import FRESH_S, BoxesNow, BoxWall
from station.ingest.alarms import AlarmKind
from station.store.alarms import raise_alarm
from tests.support.stores import Place
from tests.support.told_boxes import COMMUNE, ToldBox, commune_of_every_kind

NOW_S = 1_795_860_000.0


def test_the_wall_has_what_is_wrong_first_and_counts(place: Place) -> None:
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit(list(commune_of_every_kind(NOW_S)))
        with place.engine.begin() as connection:
            raise_alarm(connection, AlarmKind.BACKUP_DUE, None, 1, "x")
        now = BoxWall(place.engine, COMMUNE, lambda: NOW_S).now()

    order = [str(each.verdict) for each in now.boxes]
    assert order == sorted(order, key=["broken", "look", "well"].index)
    counts = [now.count(each) for each in (BoxVerdict.WELL, BoxVerdict.LOOK, BoxVerdict.BROKEN)]
    assert (counts, sum(counts)) == ([2, 2, 4], len(now.boxes))
    assert [each.kind for each in now.alarms] == ["backup_due"]
    found = now.find("hn-05")
    assert found is not None
    assert found.standing.state == "offline"
    assert now.find("hn-99") is None


def test_the_store_is_read_once_for_whoever_asks_within_a_moment(sqlite_place: Place) -> None:
    moment = [NOW_S]
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        wall = BoxWall(sqlite_place.engine, COMMUNE, lambda: moment[0])
        first = wall.now()
        store.commit(ToldBox("hn-01", NOW_S).well())
        found: list[BoxesNow] = []
        threads = [threading.Thread(target=lambda: found.append(wall.now())) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert all(each is first for each in found)
        moment[0] += FRESH_S
        assert [each.standing.device for each in wall.now().boxes] == ["hn-01"]
        assert wall.find("hn-01") is not None
        moment[0] -= 3600  # a clock that was put back shows nothing of yesterday as new
        assert wall.now().read_ms == round(moment[0] * 1000)
