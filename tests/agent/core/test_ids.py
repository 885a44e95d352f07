"""agent.core.ids"""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from agent.core.ids import Ids, uuid7
from agent.core.types import Instant

SEED = b"a seed of sixteen"


@given(st.floats(0, 281_000_000_000), st.binary(min_size=16, max_size=80), st.integers(0, 2**63))
def test_every_id_is_a_version_7_uuid_of_its_millisecond(wall_s: float, seed: bytes, count: int) -> None:
    name = UUID(uuid7(Instant(0.0, wall_s), seed, count))

    assert (name.version, name.variant) == (7, "specified in RFC 4122")
    assert name.int >> 80 == int(wall_s * 1000)


def test_a_source_gives_the_same_ids_again_and_never_one_twice() -> None:
    def drawn(ids: Ids) -> list[str]:
        names = []
        for _ in range(2000):
            name, ids = ids.next(Instant(1.0, 1_770_000_000.0))
            names.append(name)
        return names

    names = drawn(Ids(SEED))
    assert names == drawn(Ids(SEED))
    assert len({*names, *drawn(Ids(b"another seed of 17"))}) == 4000


def test_ids_sort_by_time_whatever_their_seed() -> None:
    names = [uuid7(Instant(0.0, 1_770_000_000 + n), bytes([n] * 16), 1000 - n) for n in range(100)]

    assert names == sorted(names)
