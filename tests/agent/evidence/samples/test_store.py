"""agent.evidence.samples.store"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.encryption import Recipients, decrypt, new_identity
from agent.evidence.samples.sample import unpacked
from agent.evidence.samples.store import RESERVE_BYTES
from tests.support.kept_samples import NOON_MS, Opened, chosen, jpeg, sample

LARGE = 190_000
"""Five of these fit into a megabyte."""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    one = Opened(tmp_path)
    yield one
    one.close()


def files(opened: Opened) -> list[Path]:
    return sorted((opened.state / "samples").iterdir())


def test_what_was_kept_is_there_after_a_death_and_was_noted_before(opened: Opened) -> None:
    name, note = sample(1)
    assert opened.open().keep(name, note, jpeg())

    (again,) = opened.open().samples()  # the first was never closed

    assert again.name == name
    assert opened.noted == [name.id]
    assert unpacked((opened.state / "samples" / again.file).read_bytes()) == (note, jpeg())
    assert (opened.state / "samples").stat().st_mode & 0o077 == 0


def test_what_cannot_be_noted_is_not_kept(opened: Opened) -> None:
    opened.writes = False

    assert not opened.open().keep(*sample(1), jpeg())
    assert files(opened) == []


def test_with_a_key_only_who_has_its_other_half_can_read_it(opened: Opened) -> None:
    identity, public = new_identity()
    opened.recipients = Recipients(public)
    name, note = sample(1)
    opened.open().keep(name, note, jpeg())

    (file,) = files(opened)
    data = file.read_bytes()
    assert file.name.endswith(".sample.age")
    assert b"Decision" not in data and b"\xff\xd8\xff" not in data
    assert unpacked(decrypt(data, identity))[0] == note


def test_the_budget_holds_and_what_teaches_least_makes_room_of_equals_the_oldest(opened: Opened) -> None:
    store = opened.open()
    for number, worth in enumerate((0.9, 0.2, 0.5, 0.2, 0.9)):
        assert store.keep(*sample(number, worth, after_s=number), jpeg(LARGE))

    assert not store.keep(*sample(5, 0.1, after_s=5), jpeg(LARGE)), "it teaches less than all that is there"
    assert store.keep(*sample(6, 0.5, after_s=6), jpeg(LARGE))

    assert store.total_bytes() <= opened.settings.max_bytes
    left = [each.name.worth for each in store.samples()]
    assert left == [0.9, 0.5, 0.2, 0.9, 0.5]
    (deletion,) = opened.deleted
    assert (deletion.why, [each.name.taken_ms for each in deletion.samples]) == ("room", [NOON_MS + 1000])
    assert len(files(opened)) == 5


def test_an_hour_and_a_day_of_a_camera_have_their_most_over_restarts(opened: Opened) -> None:
    opened.settings = chosen(per_hour=2, per_day=3)
    kept = [
        opened.open().keep(*sample(n, after_s=at_s), jpeg()) for n, at_s in enumerate((0, 10, 20, 3700, 7400))
    ]

    assert kept == [True, True, False, True, False]
    assert opened.open().keep(*sample(9, camera="yard"), jpeg()), "another camera has its own"


def test_what_is_too_old_goes_while_somebody_vouches_for_the_clock(opened: Opened) -> None:
    store, day_s = opened.open(), 86_400
    store.keep(*sample(1), jpeg())
    store.keep(*sample(2, after_s=5 * day_s), jpeg())
    later_s = NOON_MS / 1000 + 14.5 * day_s

    store.tidy(None)
    assert len(store.samples()) == 2
    store.tidy(later_s)
    assert [each.name.id for each in store.samples()] == [sample(2, after_s=5 * day_s)[0].id]
    assert [each.why for each in opened.deleted] == ["age"]
    assert len(files(opened)) == 1


def test_a_frame_of_a_time_to_come_is_of_now_and_goes_at_its_age(opened: Opened) -> None:
    store, day_s, now_s = opened.open(), 86_400, NOON_MS / 1000
    store.keep(*sample(1, after_s=50 * 365 * day_s), jpeg())
    store.keep(*sample(2, after_s=3000), jpeg())

    store.tidy(now_s)
    assert [each.name.taken_ms for each in opened.open().samples()] == [NOON_MS, NOON_MS + 3_000_000]
    store.tidy(now_s + 13.9 * day_s)
    assert len(store.samples()) == 2
    store.tidy(now_s + 14.1 * day_s)
    assert store.samples() == [] and files(opened) == []


def test_a_disk_that_others_need_is_given_back(opened: Opened) -> None:
    store = opened.open()
    store.keep(*sample(1), jpeg())
    opened.free_bytes = RESERVE_BYTES - 1

    assert not store.keep(*sample(2, 0.5), jpeg())
    assert len(store.samples()) == 1, "what teaches more stays where it would not be enough"
    store.tidy(None)
    assert store.samples() == []


def test_what_a_power_cut_left_half_done_goes_at_the_next_start(opened: Opened) -> None:
    store = opened.open()
    store.keep(*sample(1), jpeg())
    store.keep(*sample(2, after_s=1), jpeg())
    folder, (first, second) = opened.state / "samples", files(opened)
    unlisted = folder / sample(3)[0].file(sealed=False)
    unlisted.write_bytes(b"its row was not written")
    (folder / f"{unlisted.name}.new").write_bytes(b"half")
    (folder / "theirs.txt").write_text("not ours")
    second.unlink()

    assert [each.file for each in opened.open().samples()] == [first.name]
    assert files(opened) == [first, folder / "theirs.txt"]


def test_a_damaged_index_is_read_from_the_files_again(opened: Opened) -> None:
    for number in range(3):
        opened.open().keep(*sample(number, 0.25 * number, after_s=number), jpeg())
    before = opened.open().samples()
    opened.close()
    (opened.state / "samples.db").write_bytes(b"no database at all" * 100)

    assert opened.open().samples() == before


def test_a_folder_that_cannot_be_made_is_told(opened: Opened) -> None:
    (opened.state / "samples").write_text("a file")

    with pytest.raises(FootageError, match="look at the disk"):
        opened.open()


def test_what_is_being_handed_over_makes_no_room_but_goes_by_its_age_and_for_the_disk(opened: Opened) -> None:
    store = opened.open()
    for number in range(5):
        assert store.keep(*sample(number, 0.2, after_s=number), jpeg(LARGE))
    held = [each.file for each in store.samples()][:2]
    store.hold(held)

    assert store.keep(*sample(6, 0.5, after_s=6), jpeg(LARGE))
    assert [each.file for each in store.samples()][:2] == held
    store.hold([each.file for each in store.samples()])
    assert not store.keep(*sample(7, 0.9, after_s=7), jpeg(LARGE)), "all that is there is on its way"

    store.hold(held)
    opened.free_bytes = RESERVE_BYTES - 3 * LARGE
    store.tidy(None)
    assert [each.file for each in store.samples()][:2] == held, "held ones go last"
    opened.free_bytes = 0
    store.tidy(None)
    assert store.samples() == []

    opened.free_bytes = 10**12
    assert store.keep(*sample(8, after_s=8), jpeg())
    store.hold([each.file for each in store.samples()])
    store.tidy(NOON_MS / 1000 + 20 * 86_400)
    assert store.samples() == []
