"""What is believed of the time of each boot, in the index; made of what was recorded where it is not there.

Invariant: it goes with the index. Where that is made anew, the looks at the clock are those of the segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.evidence.links import VOUCHED
from agent.evidence.listing.index import Index
from agent.evidence.retention import believed
from agent.evidence.retention.believed import BootClock

_COLUMNS: Final = "boot, offset_ms, shown_ms, last_ms, stood_ms"
_VOUCHED: Final = ", ".join(f"'{state}'" for state in VOUCHED)


def look(index: Index, boot: str, mono_ms: int, wall_ms: int) -> BootClock:
    """Somebody vouches for this moment of both clocks, of this boot: what is believed from now on.

    Raises:
        FootageError: the index cannot be read, or written; nothing has changed.
    """
    before = _last(index)
    if before is None:
        made = believed.fold(_recorded(index, boot))
        _keep(index, made)
        before = made[-1] if made else None
    if before is not None and before.boot != boot:
        before = believed.lasted(before, _since(index, before, boot))
        _forget_others(index)
    now = believed.look(before, boot, mono_ms, wall_ms)
    _keep(index, [now])
    return now


def offsets_ms(index: Index, now: BootClock) -> dict[str, int]:
    """Wall minus steady clock of each boot of which there is footage, and of this one, for its age.

    Raises:
        FootageError: the index cannot be read.
    """
    looks = index.file.rows("select boot, shown_ms, last_ms from boot_clock")
    shown = {boot: shown_ms for boot, shown_ms, _ in looks}
    last = {boot: last_ms for boot, _, last_ms in looks}
    boots = [(boot, max(end_ms, last.get(boot, 0))) for boot, end_ms in _ends(index).items()]
    return believed.offsets(boots, shown, now)


def _last(index: Index) -> BootClock | None:
    rows = index.file.rows(f"select {_COLUMNS} from boot_clock order by place desc limit 1")  # noqa: S608 – words of our own
    return BootClock(*rows[0]) if rows else None


def _ends(index: Index) -> dict[str, int]:
    """The boots of which there is footage, oldest first, and the steady clock at its end."""
    return dict(
        index.file.rows(
            "select boot, max(start_mono_ms + duration_ms) from segment group by boot order by min(added)"
        )
    )


def _since(index: Index, before: BootClock, now: str) -> list[int]:
    """How long that boot lasted by its footage, and each boot since then, in which nobody vouched."""
    boots = [each for each in _ends(index).items() if each[0] != now]
    places = [place for place, (boot, _) in enumerate(boots) if boot == before.boot]
    later = [end_ms for _, end_ms in boots[places[0] :]] if places else []
    return later or [before.last_ms]


def _recorded(index: Index, now: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """When segments began while somebody vouched, one a minute and step; this boot is the last."""
    query = (
        "select min(start_mono_ms), start_wall_ms from segment"  # noqa: S608 – words of our own
        f" where boot = ? and clock in ({_VOUCHED})"
        " group by start_mono_ms / 60000, (start_wall_ms - start_mono_ms) / 60000 order by 1"
    )
    for boot in sorted(_ends(index), key=lambda each: each == now):
        yield boot, index.file.rows(query, boot)


def _keep(index: Index, clocks: list[BootClock]) -> None:
    with index.file.writing() as db:
        db.executemany(
            f"insert into boot_clock ({_COLUMNS}) values (?, ?, ?, ?, ?)"  # noqa: S608 – words of our own
            " on conflict (boot) do update set offset_ms = excluded.offset_ms, shown_ms = excluded.shown_ms,"
            " last_ms = excluded.last_ms, stood_ms = excluded.stood_ms",
            [(each.boot, each.offset_ms, each.shown_ms, each.last_ms, each.stood_ms) for each in clocks],
        )


def _forget_others(index: Index) -> None:
    """Boots of which no footage is left; the last one is what comes next is held against."""
    with index.file.writing() as db:
        db.execute(
            "delete from boot_clock where place < (select max(place) from boot_clock)"
            " and boot not in (select boot from segment)"
        )
