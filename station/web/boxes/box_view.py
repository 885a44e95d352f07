"""Boxes as values for pages and for what keeps them fresh: texts in a language, and addresses of ours.

A page and the JSON that renews it are made of the same values, so they never say different things.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from agent.language import translated
from agent.printable import printable
from agent.translatable import joined, tr
from station.boxes.finding_words import VERDICTS, words_of
from station.boxes.findings import BoxFinding, BoxVerdict, JudgedBox
from station.boxes.history import StateChange
from station.boxes.order_kinds import STAGES, TERMS, OrderKind, OrderProgress, OrderStage
from station.boxes.standing import BoxStanding, CameraStanding, NewestPicture
from station.boxes.state_words import (
    BOX_STATES,
    CAMERA_STATES,
    CLOCKS,
    NOT_RECORDED,
    RECORDINGS,
    UNKNOWN,
    box_words,
    camera_reason,
    camera_word,
    paused_until_ms,
)
from station.boxes.wall import BoxesNow
from station.handover.moments import size
from station.web.render import Templates, span_of

Values = dict[str, Any]
ON_A_TILE: Final = 2
"""Findings that a tile says; the page of the box has more."""
MOST_FINDINGS: Final = 64
"""That the page of a box says, the worst first."""
TONES: Final = {"streaming": "well", "paused": "look", "starting": "look", "away": "away"}
GOOD_STAGES: Final = (OrderStage.DONE,)
BAD_STAGES: Final = (OrderStage.REFUSED, OrderStage.FAILED, OrderStage.NO_ANSWER, OrderStage.NOT_SENT)


class BoxView:
    """In one language, at one moment."""

    def __init__(self, templates: Templates, language: str, now_ms: int) -> None:
        self._templates, self._language, self._now_ms = templates, language, now_ms

    def say(self, text: str) -> str:
        """A message of ours in this language; what a box wrote in one line that steers nothing."""
        return printable(translated(text, self._language))

    def wall(self, now: BoxesNow) -> Values:
        """All boxes."""
        return {
            "read": self._templates.clock(now.read_ms),
            **{f"count_{each}": str(now.count(each)) for each in BoxVerdict},
            **{f"none_{each}": now.count(each) == 0 for each in BoxVerdict},
            "any": bool(now.boxes),
            "none": not now.boxes,
            "boxes": [self.tile(each) for each in now.boxes],
            "alarms": [{"key": each.kind, "what": self.say(each.meaning)} for each in now.alarms],
        }

    def tile(self, judged: JudgedBox) -> Values:
        """One box of the wall, or of a plan."""
        box = judged.standing
        shown = [self._finding(each) for each in judged.findings[:ON_A_TILE]]
        more = len(judged.findings) - len(shown)
        sees = sum(each.state == "streaming" for each in box.cameras)
        claimed = len(box.cameras) + box.more_cameras
        known = judged.known_until_ms is None
        heat = box.health.cpu_temp_c if box.health is not None and known else None
        return {
            "key": box.device,
            "href": f"/boxes/{quote(box.device, safe='')}",
            "title": printable(box.title),
            "verdict": str(judged.verdict),
            "verdict_words": self.say(VERDICTS[judged.verdict]),
            "state": self.say(box_words(box.state, is_silent=judged.is_silent)),
            "word": self.ago(box.word_ms),
            "findings": shown,
            "more": self.say(tr("and {n} more", n=more)) if more > 0 else "",
            "cameras": self.say(tr("cameras that see: {sees} of {all}", sees=sees, all=claimed))
            if known
            else self.say(tr("cameras: {all}", all=claimed)),
            "heat": f"{heat:.0f} °C" if heat is not None else "",
        }

    def box(
        self,
        judged: JudgedBox,
        pictures: dict[str, NewestPicture],
        changes: Iterable[StateChange],
        orders: Iterable[OrderProgress],
    ) -> Values:
        """The page of one box."""
        box, given, past = judged.standing, list(orders), list(changes)
        titles: dict[str | None, str] = {each.name: printable(each.title) for each in box.cameras}
        silent_since_ms = next((each.since_ms for each in judged.findings if each.key == "health_late"), None)
        since_ms = silent_since_ms or box.since_ms
        state = self.say(box_words(box.state, is_silent=judged.is_silent))
        unsaid = len(judged.findings) - MOST_FINDINGS
        return {
            **self.tile(judged),
            "since": self.say(tr("{state} since {at}", state=state, at=self._at(since_ms)))
            if since_ms
            else state,
            "well": not judged.findings,
            "old": judged.known_until_ms is not None,
            "findings": [self._finding(each) for each in judged.findings[:MOST_FINDINGS]],
            "more_findings": self.say(tr("and {n} more", n=unsaid)) if unsaid > 0 else "",
            "cameras_list": [self._camera(each, pictures.get(each.name), judged) for each in box.cameras],
            "more_cameras": self.say(
                tr(
                    "The box claims {n} more cameras, which no box has: something is wrong with it.",
                    n=box.more_cameras,
                )
            )
            if box.more_cameras
            else "",
            "facts": self._facts(box),
            "history": [self._change(each, titles) for each in past],
            "lively": bool(past),
            "calm": not past,
            "orders": [self.order(each, titles) for each in given],
            "busy": any(not each.is_over for each in given),
        }

    def _finding(self, found: BoxFinding) -> Values:
        words = words_of(found)
        return {
            "key": f"{found.key}/{found.values.get('camera', '')}/{found.values.get('of', '')}",
            "verdict": str(words.verdict),
            "verdict_words": self.say(VERDICTS[words.verdict]),
            "what": self.say(words.what),
            "why": self.say(words.why),
            "todo": self.say(words.todo),
        }

    def order(self, order: OrderProgress, titles: dict[str | None, str]) -> Values:
        """One order, and how far it is."""
        camera = titles.get(order.wish.camera, order.wish.camera or "")
        stage = order.stage
        return {
            "key": order.id,
            "what": self.say(joined(" · ", filter(None, (TERMS[order.wish.kind].name, camera)))),
            "who": printable(order.giver.name),
            "at": self._at(order.given_ms),
            "stage": str(stage),
            "stage_words": self.say(STAGES[stage]),
            "tone": "good" if stage in GOOD_STAGES else "bad" if stage in BAD_STAGES else "on",
            "why": self.say(order.why) if order.why else "",
            "picture": f"/pictures/{order.picture_sha256}" if order.picture_sha256 else None,
            "is_look": order.wish.kind is OrderKind.LOOK,
            "over": order.is_over,
        }

    def ago(self, at_ms: int) -> str:
        """As "12 s ago", and from a day on as the moment."""
        seconds = (self._now_ms - at_ms) / 1000
        if seconds < 86_400:
            return self.say(tr("{span} ago", span=span_of(self._language, max(0.0, seconds))))
        return self._at(at_ms)

    def _camera(self, camera: CameraStanding, picture: NewestPicture | None, judged: JudgedBox) -> Values:
        """Of a box that is away or silent nobody knows how its cameras are: nothing is shown as now.

        Before a report of the box came nobody knows whether it records.
        """
        known, reports = judged.known_until_ms is None, judged.standing.health is not None
        said = "paused" if camera.paused else camera_word(camera.state, camera.reason)
        state = said if known else "away"
        until = self._at(paused_until_ms(camera.reason))
        why = camera_reason(camera.reason, until) if state not in ("streaming", "away") else None
        recorded = camera.recording if known else None
        return {
            "key": camera.name,
            "title": printable(camera.title),
            "state": state,
            "tone": TONES.get(state, "broken"),
            "state_words": self.say(CAMERA_STATES.get(state, UNKNOWN)),
            "since": self._since(camera, said, judged.known_until_ms),
            "why": self.say(why) if why else "",
            "paused": camera.paused,
            "works": not camera.paused,
            "recording": self.say(
                RECORDINGS.get(recorded.state, UNKNOWN)
                if recorded is not None
                else NOT_RECORDED
                if known and reports
                else ""
            ),
            "picture": f"/pictures/{picture.sha256}" if picture is not None else None,
            "no_picture": picture is None,
            "picture_at": self.say(tr("picture of {at}", at=self._at(picture.at_ms)))
            if picture is not None
            else "",
        }

    def _since(self, camera: CameraStanding, said: str, known_until_ms: int | None) -> str:
        """Since when it is so; of what is not known now how it was last, and when that was."""
        if known_until_ms is None:
            at_ms, words = camera.since_ms, tr("since {at}", at=self._at(camera.since_ms))
        else:  # what it said of itself later than its box did counts
            at_ms = max(known_until_ms, camera.since_ms or 0) if said in CAMERA_STATES else None
            words = tr(
                "last known at {at}: {state}", at=self._at(at_ms), state=CAMERA_STATES.get(said, UNKNOWN)
            )
        return "" if at_ms is None else self.say(words)

    def _at(self, at_ms: int | None) -> str:
        return self._templates.moment(self._language, at_ms)

    def _change(self, change: StateChange, titles: dict[str | None, str]) -> Values:
        words = BOX_STATES if change.camera is None else CAMERA_STATES
        state = camera_word(change.state, change.reason) if change.camera is not None else change.state
        until = self._at(paused_until_ms(change.reason))
        why = camera_reason(change.reason, until) if state != "streaming" else None
        return {
            "key": f"{change.at_ms}/{change.camera or ''}/{change.state}",
            "at": self._at(change.at_ms),
            "who": titles.get(change.camera, printable(change.camera))
            if change.camera
            else self.say(tr("Box")),
            "tone": "well"
            if change.state in ("online", "streaming")
            else "look"
            if state in ("paused", "starting")
            else "broken",
            "state": self.say(words.get(state, UNKNOWN)),
            "why": self.say(why) if why else "",
        }

    def _facts(self, box: BoxStanding) -> list[Values]:
        """Figures, each with its name; what the box cannot know is left out."""
        rows = [(tr("Newest word"), self.ago(box.word_ms)), *self._health(box), *self._versions(box)]
        rows.append((tr("Name in the technicians' lists"), box.device))
        return [
            {"key": name, "name": self.say(name), "value": self.say(value)} for name, value in rows if value
        ]

    def _health(self, box: BoxStanding) -> Iterable[tuple[str, str]]:
        health = box.health
        if health is None:
            return
        if health.clock is not None:
            yield tr("Clock"), CLOCKS.get(health.clock.state, UNKNOWN)
        if health.cpu_temp_c is not None:
            yield tr("Temperature"), f"{health.cpu_temp_c:.0f} °C"
        if (power := health.throttled) is not None:
            was = tr("was too low once") if power.under_voltage_since_boot else tr("good")
            yield tr("Power"), tr("too low") if power.under_voltage else was
        if health.disk is not None and health.disk.free_bytes is not None:
            yield tr("Storage"), tr("{gb:.1f} GB free", gb=health.disk.free_bytes / 1e9)
        if (waiting := health.outbox) is not None and waiting.pending is not None:
            oldest = span_of(self._language, waiting.oldest_s or 0.0)
            some = tr("{n} messages, the oldest for {span}", n=waiting.pending, span=oldest)
            yield tr("Waits to be sent"), some if waiting.pending else tr("nothing")
        missing = box.gaps.missing
        yield tr("Still missing here"), tr("{n} messages", n=missing) if missing else tr("nothing")
        if (footage := health.footage) is not None and footage.used_bytes is not None:
            used, most = size(footage.used_bytes), size(footage.max_bytes or 0)
            yield tr("Footage"), tr("{used} of {most}", used=used, most=most)
        if health.uptime_s is not None:
            yield tr("At work for"), span_of(self._language, health.uptime_s)

    def _versions(self, box: BoxStanding) -> Iterable[tuple[str, str]]:
        ends = box.health.certificate_ends if box.health is not None else None
        if ends is not None:
            yield tr("Certificate until"), self._templates.day(round(ends.timestamp() * 1000))
        if box.info is None:
            return
        yield tr("Program"), box.info.versions.get("ngatu", "")
        if box.info.config_sha256 is not None:
            mark = box.info.config_sha256[:8]
            yield tr("Mark of its settings and rules"), f"{mark[:4]} {mark[4:]}"
        if box.info.model is not None:
            yield tr("Model"), box.info.model.name
