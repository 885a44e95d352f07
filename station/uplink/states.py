"""How boxes and cameras stand, told when it changes, and now and then that a box was heard.

What they are called goes with it when that changes, and once a day: a province that could not read it then, or
has begun anew, has it the next day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from agent.wire.payloads import MOST_CAMERAS
from station.store.schema import box, camera
from station.uplink.envelope import ItemKind, UpItem, compact
from station.uplink.titles import titles_said

AGAIN_MS: Final = 600_000
"""So often a box is told though nothing but the moment at which it was last heard has changed; and so
often its titles at most, whatever it says."""
TITLES_AGAIN_MS: Final = 86_400_000

_BOXES = select(box.c.id, box.c.device, box.c.state, box.c.state_ms, box.c.last_seen_ms, box.c.info_ms).where(
    box.c.commune == bindparam("of_commune")
)
_INFO = select(box.c.info).where(box.c.id == bindparam("its_id"))
_CAMERAS = (
    select(camera.c.box_id, camera.c.name, camera.c.state, camera.c.since_ms)
    .join(box, box.c.id == camera.c.box_id)
    .where(box.c.commune == bindparam("of_commune"))
    .order_by(camera.c.box_id, camera.c.name)
)


@dataclass(frozen=True, slots=True)
class _ToldTitles:
    said: dict[str, Any]
    at_ms: int
    info_ms: int
    """Of the birth message that was last looked at."""


class StateNews:
    """What was told of each box; a new life tells all of them once."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Any, int]] = {}
        """Device -> how it stood, and when that was told."""
        self._titles: dict[str, _ToldTitles] = {}

    def news(self, connection: Connection, commune: str, now_ms: int) -> tuple[list[UpItem], list[UpItem]]:
        """Those that stand otherwise than was told, and those that were only heard; all count as told now."""
        cameras: dict[int, dict[str, tuple[str, int]]] = {}
        for each in connection.execute(_CAMERAS, {"of_commune": commune}):
            of_box = cameras.setdefault(each.box_id, {})
            if len(of_box) < MOST_CAMERAS:  # a box with more the province would not hear of again
                of_box[each.name] = (each.state, each.since_ms)
        changed, heard = list[UpItem](), list[UpItem]()
        for row in connection.execute(_BOXES, {"of_commune": commune}):
            stands = (row.state, row.state_ms, cameras.get(row.id, {}))
            before, at_ms = self._told.get(row.device, (None, 0))
            titles = self._titles_due(connection, row, now_ms)
            if stands == before and not titles and 0 <= now_ms - at_ms < AGAIN_MS:
                continue
            self._told[row.device] = stands, now_ms
            said = {"state": row.state, "state_ms": row.state_ms, "last_seen_ms": row.last_seen_ms}
            raw = compact(said | {"cameras": stands[2], "said_ms": now_ms} | titles)
            (heard if stands == before else changed).append(UpItem(ItemKind.BOX, row.device, raw))
        return changed, heard

    def forget(self) -> None:
        """What was taken for told did not go out."""
        self._told.clear()
        self._titles.clear()

    def _titles_due(self, connection: Connection, row: Any, now_ms: int) -> dict[str, Any]:
        """The field of the item; none where they were told, or the box has not said what it is."""
        before = self._titles.get(row.device)
        age_ms = -1 if before is None else now_ms - before.at_ms
        is_new = before is None or before.info_ms != row.info_ms
        if row.info_ms is None or 0 <= age_ms < (AGAIN_MS if is_new else TITLES_AGAIN_MS):
            return {}
        said = titles_said(connection.scalar(_INFO, {"its_id": row.id}) or "")
        if before is not None and said == before.said and 0 <= age_ms < TITLES_AGAIN_MS:
            self._titles[row.device] = replace(before, info_ms=row.info_ms)
            return {}
        self._titles[row.device] = _ToldTitles(said, now_ms, row.info_ms)
        return {"titles": said}
